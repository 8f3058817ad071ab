"""What a bound client adds to a request, and how: on plain data, so that it can be tested alone."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import parse_qsl, quote, unquote, unquote_plus, urlencode

from . import placeholders
from .errors import InvalidArgumentError, UnexpectedResponseError
from .secret import BLANK, Secret

_HEADER_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_BASIC = r"(?is)basic (.*:.*)"  # not encoded yet: base64 has no colon
_HEADER_VALUE = r"[\t\x20-\x7e]*"
_FRAMING = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te"})
_BODILESS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS", "TRACE"})


class Injection:
    """The secrets of one bound client, rendered, and the places they go to."""

    __slots__ = ("_body", "_headers", "_path", "_query", "_values")

    def __init__(
        self,
        inject: Mapping[str, Mapping[str, Any]],
        values: Mapping[str, Secret],
        token: Secret | None = None,
    ) -> None:
        """Render a recipe's `inject`.

        Args:
            inject: its sections header, query, path and body, each from names to templates.
            values: the plaintexts, by key.
            token: the fetched access token, where the recipe needs one.

        Raises:
            InvalidArgumentError: a secret can't stand where the recipe puts it.
            UnexpectedResponseError: the recipe names a header that is not a recipe's business.
        """

        def fill(section: str) -> dict[str, Secret]:
            """Render a section; wrapped, since tools print the locals of frames that raise."""
            return {
                name: Secret(placeholders.render(str(item), values, token))
                for name, item in inject.get(section, {}).items()
            }

        self._values = [*values.values(), *([token] if token else [])]
        self._headers = {name: _header(name, value) for name, value in fill("header").items()}
        self._query = {
            name: quote(value.reveal(), safe="") for name, value in fill("query").items()
        }
        self._path = {name: _segment(name, value) for name, value in fill("path").items()}
        constants = {k: v for k, v in inject.get("body", {}).items() if not isinstance(v, str)}
        self._body = {**{name: v.reveal() for name, v in fill("body").items()}, **constants}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a bound client is not pickled: bind again in the process that needs it")

    @property
    def headers(self) -> dict[str, str]:
        """The headers to set."""
        return self._headers

    @property
    def has_body(self) -> bool:
        """Whether something goes into the body."""
        return bool(self._body)

    def target(self, raw_path: bytes) -> bytes:
        """Fill the places of a path in, and add the query parameters."""
        path, mark, query = raw_path.decode("ascii").partition("?")
        names = "|".join(map(re.escape, self._path))
        if names:  # in one go: what is filled in is never scanned again
            places = rf"(?:\{{|%7[Bb])({names})(?:\}}|%7[Dd])"
            path = re.sub(places, lambda found: self._path[found[1]], path)
        if self._query:
            pairs = [pair for pair in query.split("&") if pair]
            kept = [p for p in pairs if unquote_plus(p.partition("=")[0]) not in self._query]
            added = [f"{quote(name, safe='')}={value}" for name, value in self._query.items()]
            mark, query = "?", "&".join(kept + added)
        return f"{path}{mark}{query}".encode("ascii")

    def content(self, method: str, content_type: str, content: bytes) -> tuple[str, bytes]:
        """Add the body's fields; return the content type and the new content.

        Raises:
            InvalidArgumentError: the body is neither a JSON object nor a form.
        """
        if not content and method.upper() in _BODILESS:
            return content_type, content
        kind = content_type.partition(";")[0].strip().lower()
        if kind == "application/x-www-form-urlencoded":
            pairs = parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True)
            kept = [pair for pair in pairs if pair[0] not in self._body]
            return content_type, urlencode([*kept, *self._body.items()]).encode("ascii")
        fields: Any = {} if not content else None
        if kind == "application/json" or kind.endswith("+json"):
            try:
                fields = json.loads(content or b"{}")
            except ValueError:
                fields = None
        if not isinstance(fields, dict):
            raise InvalidArgumentError(
                "this service's recipe adds fields to the body, so the body must be a JSON object or "
                "a form: use json={…} or data={…}"
            )
        merged: dict[str, Any] = {**fields, **self._body}
        return (
            content_type or "application/json",
            json.dumps(merged, ensure_ascii=False, separators=(",", ":")).encode(),
        )

    def without_secrets(self, url: str) -> str:
        """Put the places back where a URL that the service answered repeats a secret."""
        for name, value in {**self._path, **self._query}.items():
            url = _spellings(unquote(value)).sub(f"%7B{name}%7D", url)
        for secret in self._values:
            if len(secret.reveal()) >= 4:
                url = _spellings(secret.reveal()).sub(BLANK, url)
        return url


def split_constants(
    inject: Mapping[str, Mapping[str, Any]],
) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """Part the headers that hold no secret from everything that is injected.

    The former become the client's default headers, so that users see and override them.
    """
    headers = inject.get("header", {})
    constant = {
        name: _header(name, Secret(str(value)))
        for name, value in headers.items()
        if placeholders.is_constant(str(value))
    }
    rest = {section: dict(names) for section, names in inject.items()}
    rest["header"] = {name: value for name, value in headers.items() if name not in constant}
    return constant, rest


def _header(name: str, value: Secret) -> str:
    """Return a header's value, with `Basic user:password` encoded as RFC 7617 wants it."""
    if not re.fullmatch(_HEADER_NAME, name) or name.lower() in _FRAMING:
        raise UnexpectedResponseError(f"the recipe injects a header that it may not: {name!r}")
    basic = re.fullmatch(_BASIC, value.reveal())
    if basic:
        return "Basic " + base64.b64encode(basic[1].encode()).decode("ascii")
    if not re.fullmatch(_HEADER_VALUE, value.reveal()):
        raise InvalidArgumentError(
            f"the secret for the header {name} has a line break or another character that no header "
            "can carry: store it again without (a trailing line break often comes from a file)"
        )
    return value.reveal()


def _segment(name: str, value: Secret) -> str:
    if value.reveal() in {"", ".", ".."}:
        raise InvalidArgumentError(f"the secret for {{{name}}} in the path is empty or only dots")
    return quote(value.reveal(), safe="")


def _spellings(text: str) -> re.Pattern[str]:
    """Match `text` in a URL, each character plain or percent-encoded."""
    parts: list[str] = []
    for character in text:
        encoded = "".join(f"%{byte:02x}" for byte in character.encode())
        parts.append(f"(?:{re.escape(character)}|(?i:{encoded}))")
    return re.compile("".join(parts))
