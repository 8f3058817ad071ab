"""Where a node that names credentials may send them (docs/contract.md#placeholders)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

HTTP_REQUEST = "http_request"
CODE = "code"
MODEL = "claude_api"
MODEL_TOKENS = frozenset({"mira_token"})
"""The parameters of a model's node that go to its service as a token, and so may name credentials."""

_ORIGIN = re.compile(r"(https?://[^/{}?#@\\\s]+)(?=[/?#]|$)", re.IGNORECASE)


def fixed_origin(template: str) -> str | None:
    """Return the scheme and host of a URL template, or None if a value could choose them.

    Example:
        >>> fixed_origin("https://api.example/{{input.a}}"), fixed_origin("https://{{input.a}}/")
        ('https://api.example', None)
    """
    found = _ORIGIN.match(template)
    return found[1] if found else None


def destination_problem(url: Any, credentials: Collection[str]) -> str | None:
    """Return why an http_request must not send credentials to where its `url` leads, or None.

    Args:
        url: The `url` in the node's own data, as it was pushed.
        credentials: The credentials that the node names.

    Example:
        >>> destination_problem("https://api.example/{{input.id}}", {"tok"}) is None
        True
        >>> destination_problem("https://{{input.host}}/", {"tok"})[:54]
        'the credential tok is sent only to a host that stands '
    """
    if not credentials or (isinstance(url, str) and fixed_origin(url)):
        return None
    return (
        f"the credential {', '.join(sorted(credentials))} is sent only to a host that stands in the node's own "
        "`url`; write scheme and host there as they are, as in https://api.example.com/{{input.id}}"
    )


def code_problem(credentials: Collection[str]) -> str | None:
    """Return why a node that runs code must not name credentials, or None if it names none."""
    if not credentials:
        return None
    return (
        f"code can't be handed the credential {', '.join(sorted(credentials))}: what code makes of a secret can't be "
        "removed from its result; sign with hash and its `key`, and send with http_request"
    )


def model_problem(credentials: Collection[str]) -> str | None:
    """Return why what a model is asked must not name credentials, or None if it names none.

    Args:
        credentials: Those in all parameters but `MODEL_TOKENS`.
    """
    if not credentials:
        return None
    return (
        f"a model can't be asked with the credential {', '.join(sorted(credentials))}: it could spell the secret so "
        "that it can't be removed from the answer; only `mira_token` may be one"
    )
