"""What a workflow says of webhooks that trigger it: `webhook: {secret, headers}` (docs/contract.md#webhooks-in)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .nearest import Suggestions

MAX_HEADERS = 20
# What proves who sends, and what belongs to one connection, is not for a run, whose input is stored.
NEVER_INPUT = frozenset(
    {
        "authorization",
        "connection",
        "cookie",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "webhook-signature",
        "x-arcrun-api-key",
    }
)
# By whatever name a sender calls them.
_SECRET = re.compile(r"authorization|cookie|signature|token|secret|password|api[-_]?key")
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
HEADER_NAME_RULE = "a header's name (letters, digits, hyphens), at most 128 characters"
_CREDENTIAL = re.compile(r"(?!catalog\Z)[A-Za-z0-9_]{1,128}")
_FIELDS = ("secret", "headers")
_EXAMPLE = "{secret: SHOP_WEBHOOK, headers: [X-Shop-Topic]}"


@dataclass(frozen=True)
class Webhook:
    """What a workflow says of webhooks.

    Attributes:
        secret: The name of the credential by which they are signed.
        headers: Those of their headers that the run gets, in lower case.
    """

    secret: str
    headers: tuple[str, ...] = ()


def webhook_of(graph: Any) -> Webhook | None:
    """Return what a checked graph says of webhooks; None if it takes none."""
    written = graph.get("webhook")
    if written is None:
        return None
    return Webhook(written["secret"], tuple(name.lower() for name in written.get("headers", [])))


def webhook_problems(value: Any, path: str, suggestions: Suggestions) -> Iterator[Problem]:
    """Yield what is wrong with a workflow's `webhook`."""
    if not isinstance(value, dict):
        yield Problem(f"`webhook` is an object, such as {_EXAMPLE}.", path=path)
        return
    for name in value:
        if name not in _FIELDS:
            near = suggestions.nearest(str(name), _FIELDS)
            hint = f"; did you mean '{near}'?" if near else f"; it has {', '.join(_FIELDS)}."
            message = f"`webhook` has no field '{name}'{hint}"
            yield Problem(message, path=f"{path}.{name}", suggestion=near)
    secret = value.get("secret")
    if not isinstance(secret, str) or not _CREDENTIAL.fullmatch(secret):
        message = (
            "`secret` is the name of the credential by which webhooks are signed (A-Z a-z 0-9 _), "
            f"as in {_EXAMPLE}. Push the secret itself as a credential."
        )
        yield Problem(message, path=f"{path}.secret")
    if "headers" in value:
        yield from _header_problems(value["headers"], f"{path}.headers")


def _header_problems(headers: Any, path: str) -> Iterator[Problem]:
    if not isinstance(headers, list) or len(headers) > MAX_HEADERS:
        message = (
            f"`headers` is a list of at most {MAX_HEADERS} names of headers, as in {_EXAMPLE}."
        )
        yield Problem(message, path=path)
        return
    seen: set[str] = set()
    for number, name in enumerate(headers):
        where = f"{path}[{number}]"
        if not isinstance(name, str) or not HEADER_NAME.fullmatch(name):
            yield Problem(f"This is {HEADER_NAME_RULE}.", path=where)
        elif name.lower() in NEVER_INPUT or _SECRET.search(name.lower()):
            message = f"'{name}' can't be the input of a run: it is for the sender's proof, or for one connection."
            yield Problem(message, path=where)
        elif name.lower() in seen:
            yield Problem(f"'{name}' is listed twice; names of headers have no case.", path=where)
        else:
            seen.add(name.lower())
