"""Redaction: no secret value reaches a report, in any of its encodings."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

# Shorter values occur in ordinary text, which must not be redacted.
_SHORTEST = 6
# Every how many characters a text is looked at when many forms are searched for.
_STEP = 8


@lru_cache(maxsize=10_000)
def encodings(value: str) -> frozenset[str]:
    """Return the texts that a secret can appear as: plain, escaped for JSON or a URL (once or twice), base64, hex, repr.

    The base64 of a secret depends on how many bytes precede it (as in `user:secret` of HTTP
    Basic), so for each of the three possible offsets the part that does not change is included.

    Example:
        >>> {"sk-1234567", "c2stMTIzNDU2N", "736b2d31323334353637"} <= encodings("sk-1234567")
        True
    """
    return frozenset(form for form in forms(value) if len(form) >= _SHORTEST)


def forms(value: str) -> tuple[str, ...]:
    """Return the same texts in a fixed order, some of them twice, and also those that are too short.

    So the forms of two secrets of one length correspond to each other.

    Example:
        >>> dict(zip(forms("ab"), forms("cd")))["YW"]
        'Y2'
    """
    raw = value.encode()
    found = [
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        quote(value, safe=""),
        quote(value),
        quote_plus(value),
        quote(quote(value, safe=""), safe=""),
        raw.hex(),
    ]
    found += [
        _stable_part(encode(b"\0" * shift + raw).decode(), shift, len(raw))
        for shift in range(3)
        for encode in (base64.b64encode, base64.urlsafe_b64encode)
    ]
    return tuple(found)


def _stable_part(encoded: str, shift: int, length: int) -> str:
    # Characters that also encode bits of the neighbouring bytes are cut off on both sides.
    start = (0, 2, 3)[shift]
    end = (shift + length) * 8 // 6
    return encoded[start:end]


_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
# What stands between two secrets in base64 has bits of both, and what follows the last has bits of it.
_BETWEEN = re.compile(r"(?<=, base64›)[A-Za-z0-9+/_-]+=*(?=‹[^‹›]*, base64›)")
_AFTER = re.compile(r"(?<=, base64›)[A-Za-z0-9+/_-]{1,3}=*(?![\w+/=-])")
# A message cuts what is longer than 300 characters (`scenarios/patterns.py`).
_LONGEST_CUT = 400
# What each of the forms is called; escapes in a text stand for the secret itself.
_KINDS = ("", "", "", "", *["percent-encoded"] * 3, "percent-encoded twice", "hex", *["base64"] * 6)


class SecretSearch:
    """Finds which of many texts, the forms of secrets, occur in another one.

    A report has tens of thousands of forms and millions of characters. So each form is known by all
    pieces of six characters in its beginning, and only every eighth piece of a text is looked up:
    wherever a form stands, one of them falls into its beginning.

    Example:
        >>> search = SecretSearch(["sk-canary-1234567", "another-1234567"])
        >>> search.found_in("Bearer sk-canary-1234567")
        {'sk-canary-1234567'}
    """

    def __init__(self, forms: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._short: set[str] = set()
        # Of each piece: how far from a form's beginning it stands, and how long that form is.
        self._places: dict[str, set[tuple[int, int]]] = {}
        for form in forms:
            self.add(form)

    def add(self, form: str) -> None:
        """Search for one more."""
        if len(form) < _SHORTEST + _STEP - 1:
            self._short.add(form)
            return
        self._forms.add(form)
        for offset in range(_STEP):
            piece = form[offset : offset + _SHORTEST]
            self._places.setdefault(piece, set()).add((offset, len(form)))

    def found_in(self, text: str) -> set[str]:
        """Return those that occur in a text."""
        found = {form for form in self._short if form in text}
        places = self._places
        for position in range(0, len(text) - _SHORTEST + 1, _STEP):
            for offset, length in places.get(text[position : position + _SHORTEST], ()):
                begin = position - offset
                if begin >= 0 and (form := text[begin : begin + length]) in self._forms:
                    found.add(form)
        return found


class Redactor:
    """Replaces secrets by their names in everything that is reported.

    The name says how the secret was written, where that matters: one that was encoded twice, or not at
    all, would otherwise look like what was expected.

    Example:
        >>> redactor = Redactor({"token": "sk canary-1"})
        >>> redactor.text("Bearer sk canary-1"), redactor.text("?key=sk%20canary-1")
        ('Bearer ‹token›', '?key=‹token, percent-encoded›')

    Text in base64 that contains a secret is shown decoded.

    Example:
        >>> redactor.text("Basic " + base64.b64encode(b"ada:sk canary-1").decode())
        'Basic ‹base64 of ada:‹token››'
    """

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._names: dict[str, str] = {}
        self._search = SecretSearch()
        self._by_beginning: dict[str, list[str]] = {}
        # A report repeats most of its texts: names of fields and headers, their values, requests.
        self._redacted: dict[str, str] = {}
        for name, value in (secrets or {}).items():
            self.add(name, value)

    def add(self, name: str, value: str) -> None:
        """Add a secret to redact."""
        self._redacted.clear()
        for form, kind in zip(forms(value), _KINDS, strict=True):
            if len(form) >= _SHORTEST and form not in self._names:
                self._names[form] = f"‹{name}, {kind}›" if kind else f"‹{name}›"
                self._search.add(form)
                self._by_beginning.setdefault(form[:_SHORTEST], []).append(form)

    def text(self, text: str) -> str:
        """Return the text without the secrets."""
        known = self._redacted.get(text)
        if known is not None:
            return known
        redacted = text
        found = self._search.found_in(text)
        encoded = {form for form in found if self._names[form].endswith(", base64›")}
        if encoded:
            redacted = _BASE64.sub(lambda match: self._decoded(match[0], encoded), redacted)
        # Longer ones come first, since one secret may contain another.
        for form in sorted(found, key=lambda form: (-len(form), form)):
            redacted = redacted.replace(form, self._names[form])
        *cut, rest = redacted.split("…")
        redacted = "…".join([*map(self._without_beginning, cut), rest])
        if encoded:
            redacted = _AFTER.sub("…", _BETWEEN.sub("…", redacted))
        self._redacted[text] = redacted
        return redacted

    def _without_beginning(self, text: str) -> str:
        """Return text that was cut without the beginning of a secret at its end."""
        first = max(len(text) - _LONGEST_CUT, text.rfind("›") + 1)
        for position in range(first, len(text) - _SHORTEST + 1):
            beginning = text[position:]
            for form in self._by_beginning.get(beginning[:_SHORTEST], ()):
                if form.startswith(beginning):
                    return f"{text[:position]}{self._names[form]}"
        return text

    def _decoded(self, token: str, encoded: set[str]) -> str:
        """Return text in base64 decoded and redacted; as it is if it is none, or would end a JSON string."""
        if not any(form in token for form in encoded):
            return token
        try:
            unpadded = token.rstrip("=").translate(str.maketrans("-_", "+/"))
            plain = base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True).decode()
        except ValueError:
            return token
        redacted = self.text(plain)
        if redacted == plain or not plain.isprintable():
            return token
        if re.fullmatch("‹[^‹›,]*›", redacted):
            return f"{redacted[:-1]}, base64›"
        return token if {'"', "\\"} & set(redacted) else f"‹base64 of {redacted}›"

    def value(self, value: Any) -> Any:
        """Return a JSON value without the secrets, in keys as well as in values."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        return value
