"""What a bound client adds to a request: headers, query parameters, path segments, body fields."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import parse_qsl, quote, unquote, unquote_plus, urlencode

from .errors import InvalidArgumentError, UnexpectedResponseError
from .placeholders import Template
from .recipe import Inject
from .secret import BLANK, Secret

_HEADER_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_BASIC = r"(?is)basic (.*:.*)"  # not encoded yet: base64 has no colon
_HEADER_VALUE = r"([\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?)?"  # no white space at either end
_FRAMING = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te"})
_BODILESS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS", "TRACE"})


class Injection:
    """The rendered secrets of one bound client, by the part of the request that they go to."""

    __slots__ = ("_body", "_headers", "_path", "_query", "_values")

    def __init__(
        self, inject: Inject, values: Mapping[str, Secret], token: Secret | None = None
    ) -> None:
        """Render a recipe's `inject`.

        Args:
            inject: what the recipe adds to a request.
            values: the secrets, by key.
            token: the fetched access token, where the recipe needs one.

        Raises:
            InvalidArgumentError: a secret has characters that its place in the request can't carry.
            UnexpectedResponseError: the recipe sets a header that a recipe may not set.
        """

        def render(templates: Mapping[str, Template]) -> dict[str, Secret]:
            """Render templates; wrapped, since tools print the locals of frames that raise."""
            return {name: Secret(item.render(values, token)) for name, item in templates.items()}

        self._values = [*values.values(), *([token] if token else [])]
        self._headers = {name: _header(name, v) for name, v in render(inject.header).items()}
        self._query = {name: quote(v.reveal(), safe="") for name, v in render(inject.query).items()}
        self._path = {name: _segment(name, v) for name, v in render(inject.path).items()}
        text_fields = {name: v.reveal() for name, v in render(inject.body).items()}
        self._body = {**text_fields, **inject.body_constants}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a bound client cannot be pickled: bind again in the process that needs it")

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers to set."""
        return self._headers

    @property
    def has_body(self) -> bool:
        """Return whether something goes into the body."""
        return bool(self._body)

    def target(self, raw_path: bytes) -> bytes:
        """Fill in the `{name}` placeholders of a path, and add the query parameters.

        Raises:
            InvalidArgumentError: the path is what signs in, and has no placeholder.
        """
        path, mark, query = raw_path.decode("ascii").partition("?")
        names = "|".join(map(re.escape, self._path))
        if names:  # in one pass: a value that looks like a placeholder stays as it is
            placeholder = rf"(?:\{{|%7[Bb])({names})(?:\}}|%7[Dd])"
            path, count = re.subn(placeholder, lambda found: self._path[found[1]], path)
            if not count and not (self._headers or self._query or self._body):
                raise InvalidArgumentError(
                    f"the path {path!r} has no {{{next(iter(self._path))}}}, so the request would not be "
                    f"signed in: the recipe of this service puts its secret there, as in "
                    f"/bot{{{next(iter(self._path))}}}/method"
                )
        if self._query:
            pairs = [pair for pair in query.split("&") if pair]
            kept = [p for p in pairs if unquote_plus(p.partition("=")[0]) not in self._query]
            added = [f"{quote(name, safe='')}={value}" for name, value in self._query.items()]
            mark, query = "?", "&".join(kept + added)
        return f"{path}{mark}{query}".encode("ascii")

    def content(self, method: str, content_type: str, content: bytes) -> tuple[str, bytes]:
        """Add fields to the body; return the content type and the new content.

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
            except (ValueError, RecursionError):
                fields = None
        if not isinstance(fields, dict):
            raise InvalidArgumentError(
                "the auth recipe of this service adds fields to the body, so the body must be a JSON "
                "object or a form: use json={…} or data={…}"
            )
        merged: dict[str, Any] = {**fields, **self._body}
        return (
            content_type or "application/json",
            json.dumps(merged, ensure_ascii=False, separators=(",", ":")).encode(),
        )

    def without_secrets(self, url: str) -> str:
        """Put placeholders back where a URL of a response, or an error message, repeats a secret."""
        for name, value in {**self._path, **self._query}.items():
            url = _spellings(unquote(value)).sub(f"%7B{name}%7D", url)
        for secret in (*(value.reveal() for value in self._values), *self._headers.values()):
            if len(secret) >= 4:
                url = _spellings(secret).sub(BLANK, url)
        return url


def split_constants(inject: Inject) -> tuple[dict[str, str], Inject]:
    """Separate the headers that hold no secret from everything else.

    They become the client's default headers, so that users can see and override them.
    """
    constants = {
        name: _header(name, Secret(template.text))
        for name, template in inject.header.items()
        if template.is_constant
    }
    secret = {name: item for name, item in inject.header.items() if name not in constants}
    return constants, inject._replace(header=secret)


def _header(name: str, value: Secret) -> str:
    """Return a header's value, with `Basic user:password` encoded as RFC 7617 requires."""
    if not re.fullmatch(_HEADER_NAME, name) or name.lower() in _FRAMING:
        raise UnexpectedResponseError(
            f"the auth recipe sets a header that a recipe may not set: {name!r}"
        )
    basic = re.fullmatch(_BASIC, value.reveal())
    if basic:
        return "Basic " + base64.b64encode(basic[1].encode()).decode("ascii")
    if not re.fullmatch(_HEADER_VALUE, value.reveal()):
        raise InvalidArgumentError(
            f"the secret for the header {name} has a line break or another character that a header "
            "cannot carry, or white space at its end: store it again without it (it often comes from a "
            "file)"
        )
    return value.reveal()


def _segment(name: str, value: Secret) -> str:
    """Return a value as one segment of a path."""
    if value.reveal() in {"", ".", ".."}:
        raise InvalidArgumentError(f"the secret for {{{name}}} in the path is empty or only dots")
    return quote(value.reveal(), safe="")


def _spellings(text: str) -> re.Pattern[str]:
    """Return a pattern that matches `text` in a URL, each character plain or percent-encoded."""
    parts: list[str] = []
    for character in text:
        encoded = "".join(f"%{byte:02x}" for byte in character.encode())
        parts.append(f"(?:{re.escape(character)}|(?i:{encoded}))")
    return re.compile("".join(parts))
