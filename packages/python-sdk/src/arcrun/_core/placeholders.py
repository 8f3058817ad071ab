"""Placeholders of auth recipes: `{{secret.KEY}}` and `{{runtime.access_token}}`.

What they mean is described in docs/contract.md#auth-recipes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .errors import InvalidArgumentError, UnexpectedResponseError
from .secret import Secret

_KEYED = r"secret\.([A-Za-z0-9_]+)"
_HOST_PART = r"[A-Za-z0-9-]+"
_TOKEN = "runtime.access_token"  # noqa: S105 - the name of a placeholder


class Placeholder:
    """One `{{…}}` in a text."""

    __slots__ = ("name", "text")

    def __init__(self, text: str) -> None:
        """Describe a placeholder.

        Args:
            text: the placeholder as written, braces included.
        """
        self.text = text
        self.name = text[2:-2].strip()

    @property
    def secret_key(self) -> str | None:
        """Return the key of the secret that the placeholder names, if it names one."""
        found = re.fullmatch(_KEYED, self.name)
        return found[1] if found else None


def scan(text: str) -> Iterator[str | Placeholder]:
    r"""Split a text into placeholders and the text between them, which may be empty.

    A placeholder goes from a `{{` to the next `}}`; its name is what is inside, without the white
    space around it. That is what `\{\{\s*(.*?)\s*\}\}` matches, but where closing braces are missing,
    this regular expression takes cubic time, so that a recipe could stop the process. `str.find`
    looks at each character at most twice.

    Example:
        >>> [part if isinstance(part, str) else part.name for part in scan("Bearer {{ secret.a }}!")]
        ['Bearer ', 'secret.a', '!']
    """
    position = 0
    while (start := text.find("{{", position)) >= 0 and (end := text.find("}}", start + 2)) >= 0:
        yield text[position:start]
        position = end + 2
        yield Placeholder(text[start:position])
    yield text[position:]


def uniform(text: str) -> str:
    """Return a text with its placeholders written without white space, to compare it."""
    return "".join(p if isinstance(p, str) else "{{" + p.name + "}}" for p in scan(text))


class Template:
    """A text with placeholders, parsed once."""

    __slots__ = ("_parts", "secret_keys", "text")

    def __init__(self, text: str) -> None:
        """Parse a template.

        Args:
            text: the template as the recipe has it.

        Example:
            >>> Template("Basic {{secret.jira_email}}:{{ secret.jira_api_token }}").secret_keys
            ('jira_email', 'jira_api_token')
        """
        self.text = text
        self._parts = tuple(scan(text))
        found = (part.secret_key for part in self._parts if isinstance(part, Placeholder))
        self.secret_keys = tuple(key for key in found if key is not None)

    def __repr__(self) -> str:
        return f"Template({self.text!r})"

    @property
    def is_constant(self) -> bool:
        """Return whether there is nothing to fill in."""
        return len(self._parts) == 1

    def render(self, values: Mapping[str, Secret], token: Secret | None = None) -> str:
        """Fill in the placeholders. A value that looks like a placeholder stays as it is.

        Args:
            values: the secrets, by key.
            token: the access token, where the recipe fetches one.

        Raises:
            UnexpectedResponseError: a placeholder has no known form, or no value.
        """

        def value_of(placeholder: Placeholder) -> Secret:
            """Return the value; wrapped, since tools print the locals of frames that raise."""
            key = placeholder.secret_key
            value = token if placeholder.name == _TOKEN else values.get(key or "")
            if value is None:
                raise UnexpectedResponseError(
                    f"the recipe has a placeholder that cannot be filled in: {placeholder.text!r}; "
                    "supported are {{secret.KEY}}, for a key of required_secrets, and "
                    "{{runtime.access_token}}"
                )
            return value

        return "".join(
            part if isinstance(part, str) else value_of(part).reveal() for part in self._parts
        )


def render_base_url(template: Template, values: Mapping[str, Secret]) -> str:
    """Fill in a recipe's base URL. Each value must be a part of a host name, so it can't change it.

    Raises:
        InvalidArgumentError: a value has characters other than letters, digits and hyphens.
    """
    for key in template.secret_keys:
        if key in values and not re.fullmatch(_HOST_PART, values[key].reveal()):
            raise InvalidArgumentError(
                f"{key} becomes part of the address {template.text!r}: letters A-Z a-z, digits and - "
                "only (the bare name, not a whole address)"
            )
    return template.render(values)
