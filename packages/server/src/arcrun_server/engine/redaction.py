"""Removing secrets from what a node returns (docs/contract.md#execution)."""

from __future__ import annotations

import base64
import heapq
import html
import json
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REDACTED = "[redacted]"
_SHORT = 6
# Smaller numbers stand in too many responses.
_LONG_NUMBER = 1000
# What percent-encoding leaves as it is besides letters and digits: `encodeURIComponent` and `encodeURI` of JavaScript,
# and what RFC 3986 allows in a path and in a query.
_KEPT_IN_URLS = ("!'()*", "!'()*;,/?:@&=+$#", "!$&'()*+,;=:@", "!$&'()*+,;=:@/", "!$&'()*+,;=:@/?")
# How Go and Ruby on Rails write these in JSON.
_JSON_IN_HTML = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"}


class Redactor:
    """Replaces known secrets by `[redacted]`, wherever a component echoes them.

    It also finds them in other letter cases, escaped, percent-encoded (twice too), in hexadecimal and in base64,
    also where that is broken into lines. A secret of fewer than six characters is only replaced where it stands
    alone, not as a part of a word, so that the rest of the text stays readable.

    Example:
        >>> Redactor(["tok-12345"]).value({"說明": "Bearer tok-12345", "n": 1})
        {'說明': 'Bearer [redacted]', 'n': 1}
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        known = [secret for secret in secrets if secret]
        self._numbers = {secret for secret in known if len(secret) >= 4}
        self._values = {number for secret in known for number in _numbers(secret)}
        forms = {_folded(form) for secret in known for form in _forms(secret)}
        self._forms = sorted(forms, key=len)
        self._in_lines = {
            _folded(form)
            for secret in known
            if len(secret) >= _SHORT
            for form in _in_base64(_bytes(secret))
        }

    def text(self, text: str) -> str:
        """Return a text with the secrets replaced."""
        if not self._forms or len(text) < len(self._forms[0]):
            return text
        folded = _folded(text)
        pieces = []
        end = 0
        spans = [_found(form, folded) for form in self._forms]
        if "\n" in folded:
            spans += _found_across_lines(self._in_lines, folded)
        for found, found_end in heapq.merge(*spans):
            if found >= end:  # else it begins inside the one before
                pieces += [text[end:found], REDACTED]
            end = max(end, found_end)
        return "".join([*pieces, text[end:]]) if pieces else text

    def value(self, value: Any) -> Any:
        """Return a JSON value with the secrets replaced, in keys too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {
                self.text(key) if isinstance(key, str) else key: self.value(field)
                for key, field in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        if isinstance(value, (int, float)) and (
            str(value) in self._numbers or value in self._values
        ):
            return REDACTED
        return value


def _numbers(secret: str) -> Iterable[float]:
    """Return the numbers that a secret becomes where a service reads it as one: exactly, and as a double."""
    for kind in (int, float):
        with suppress(ValueError):
            value = kind(secret)
            if _LONG_NUMBER <= abs(value) < math.inf:
                yield value


def _bytes(secret: str) -> bytes:
    return secret.encode("utf-8", "surrogatepass")


def _forms(secret: str) -> Iterable[str]:
    yield secret
    if len(secret) < _SHORT:
        return
    for escaped in (json.dumps(secret, ensure_ascii=False)[1:-1], json.dumps(secret)[1:-1]):
        yield escaped
        yield escaped.replace("/", "\\/")  # as PHP writes it
        yield escaped.translate(_JSON_IN_HTML)
    as_bytes = _bytes(secret)
    yield as_bytes.hex()
    yield quote(quote(as_bytes, safe=""))
    for kept in ("", "/", *_KEPT_IN_URLS):
        yield quote(as_bytes, safe=kept)
    yield quote_plus(as_bytes)
    yield html.escape(secret)
    yield html.escape(secret).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")
    yield from _in_base64(as_bytes)
    stripped = secret.strip()
    if len(stripped) >= _SHORT:
        yield stripped


def _in_base64(secret: bytes) -> Iterable[str]:
    """Return what a secret looks like in base64, alone and inside a longer text as `user:secret`.

    Three bytes make four characters, so there are three ways in which it can lie in the text. The
    characters at both ends that hold bits of its neighbours are left out.
    """
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(secret).decode().rstrip("=")
        for before, shared in enumerate((0, 2, 3)):
            whole = (before + len(secret)) * 8 // 6
            yield encode(bytes(before) + secret).decode()[shared:whole]


def _folded(text: str) -> str:
    """Return a text in lower case, each character at its place."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(char.lower() if len(char.lower()) == 1 else char for char in text)
    return lower.replace("ς", "σ")  # which of the two it becomes depends on what follows


def _found(form: str, text: str) -> Iterator[tuple[int, int]]:
    """Find a form in a text, both folded. The search of texts is linear, however alike they are; expressions are not."""
    start = text.find(form)
    while start >= 0:
        end = start + len(form)
        if len(form) >= _SHORT or not (_in_word(text, start - 1) or _in_word(text, end)):
            yield start, end
            start = text.find(form, end)
        else:
            start = text.find(form, start + 1)


def _found_across_lines(forms: Iterable[str], text: str) -> list[Iterator[tuple[int, int]]]:
    """Find forms in a text, both folded, wherever line breaks stand within them, as MIME writes base64."""
    joined = text.replace("\r", "").replace("\n", "")
    found = [span for form in forms for span in _found(form, joined)]
    if not found:
        return []
    places = [place for place, char in enumerate(text) if char not in "\r\n"]
    return [iter([(places[start], places[end - 1] + 1)]) for start, end in found]


def _in_word(text: str, place: int) -> bool:
    return 0 <= place < len(text) and (text[place].isalnum() or text[place] == "_")
