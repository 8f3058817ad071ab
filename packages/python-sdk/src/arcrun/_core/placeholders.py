"""Templates of auth recipes: `{{secret.KEY}}` and `{{runtime.access_token}}` (CONTRACT.md §4)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .errors import InvalidArgumentError, UnexpectedResponseError
from .secret import Secret

_BRACES = r"(?s)\{\{\s*(.*?)\s*\}\}"
_KEYED = r"secret\.([A-Za-z0-9_]+)"
_HOST_PART = r"[A-Za-z0-9-]+"
_TOKEN = "runtime.access_token"  # noqa: S105 - a template's name


def secret_keys(template: str) -> list[str]:
    """List the keys of the secrets that a template names, in order.

    Example:
        >>> secret_keys("Basic {{secret.jira_email}}:{{ secret.jira_api_token }}")
        ['jira_email', 'jira_api_token']
    """
    found = (re.fullmatch(_KEYED, name) for name in re.findall(_BRACES, template))
    return [match[1] for match in found if match]


def is_constant(template: str) -> bool:
    """Tell whether a template holds nothing to fill in."""
    return re.search(_BRACES, template) is None


def render(template: str, values: Mapping[str, Secret], token: Secret | None = None) -> str:
    """Fill a template in. What is filled in is never scanned again.

    Raises:
        UnexpectedResponseError: the recipe has a template that is none of the known forms.
    """

    def fill(found: re.Match[str]) -> str:
        key = re.fullmatch(_KEYED, found[1])
        if key and key[1] in values:
            return values[key[1]].reveal()
        if found[1] == _TOKEN and token is not None:
            return token.reveal()
        raise UnexpectedResponseError(
            f"the recipe has a template that cannot be filled in: {found[0]!r}; known are "
            "{{secret.KEY}}, for a key of required_secrets, and {{runtime.access_token}}"
        )

    return re.sub(_BRACES, fill, template)


def render_base_url(template: str, values: Mapping[str, Secret]) -> str:
    """Fill a recipe's base URL in; a value must be a part of a host name, so it can't move it.

    Raises:
        InvalidArgumentError: a value is not made of letters, digits and hyphens.
    """
    for key in secret_keys(template):
        if key in values and not re.fullmatch(_HOST_PART, values[key].reveal()):
            raise InvalidArgumentError(
                f"{key} becomes part of the address {template!r}: letters A-Z a-z, digits and - only "
                "(the bare name, not a whole address)"
            )
    return render(template, values)
