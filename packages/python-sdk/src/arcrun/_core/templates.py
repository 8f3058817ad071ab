"""Templates of auth recipes: `{{secret.KEY}}` and `{{runtime.access_token}}` (CONTRACT.md §4)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .errors import InvalidArgumentError, UnexpectedResponseError
from .secret import Secret

_BRACES = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_SECRET = re.compile(r"secret\.([A-Za-z0-9_]+)\Z")
_HOST_PART = re.compile(r"[A-Za-z0-9-]+\Z")
_TOKEN = "runtime.access_token"  # noqa: S105 - a template's name


def secret_keys(template: str) -> list[str]:
    """List the keys of the secrets that a template names, in order.

    Example:
        >>> secret_keys("Basic {{secret.jira_email}}:{{ secret.jira_api_token }}")
        ['jira_email', 'jira_api_token']
    """
    found = (_SECRET.match(name) for name in _BRACES.findall(template))
    return [match[1] for match in found if match]


def is_constant(template: str) -> bool:
    """Tell whether a template holds nothing to fill in."""
    return _BRACES.search(template) is None


def needs_token(template: str) -> bool:
    """Tell whether a template needs a fetched access token."""
    return _TOKEN in _BRACES.findall(template)


def render(template: str, values: Mapping[str, Secret], token: Secret | None = None) -> str:
    """Fill a template in. What is filled in is never scanned again.

    Raises:
        UnexpectedResponseError: the recipe has a template that is none of the known forms.
    """

    def fill(found: re.Match[str]) -> str:
        key = _SECRET.match(found[1])
        if key and key[1] in values:
            return values[key[1]].reveal()
        if found[1] == _TOKEN and token is not None:
            return token.reveal()
        raise UnexpectedResponseError(
            f"the recipe has a template that cannot be filled in: {found[0]!r}; known are "
            "{{secret.KEY}}, for a key of required_secrets, and {{runtime.access_token}}"
        )

    return _BRACES.sub(fill, template)


def render_base_url(template: str, values: Mapping[str, Secret]) -> str:
    """Fill a recipe's base URL in; a value must be a part of a host name, so it can't move it.

    Raises:
        InvalidArgumentError: a value is not made of letters, digits and hyphens.
    """
    for key in secret_keys(template):
        if key in values and not _HOST_PART.match(values[key].reveal()):
            raise InvalidArgumentError(
                f"{key} becomes part of the address {template!r}: letters A-Z a-z, digits and - only "
                "(the bare name, not a whole address)"
            )
    return render(template, values)
