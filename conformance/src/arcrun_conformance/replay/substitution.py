"""Replaces values by others wherever they stand: in texts, in bodies, and in sealed credentials."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from arcrun_conformance.cleaning import parsed_json
from arcrun_conformance.scenarios.envelope import open_envelope, seal
from arcrun_conformance.secrets import forms
from arcrun_conformance.wire.journal import Headers, Response

# The fields of a sealed credential.
ENVELOPE = ("name", "encrypted", "iv")


class Substitution:
    """Replaces texts by others, in one pass, so that nothing is replaced twice.

    Args:
        replaced: The texts, and what takes their places.
        end: A pattern of what has to follow each of them.

    Example:
        >>> Substitution({"127.0.0.1:80": "127.0.0.1:81"}).text("http://127.0.0.1:80/a")
        'http://127.0.0.1:81/a'
    """

    def __init__(self, replaced: Mapping[str, str], end: str = "") -> None:
        self._replaced = {old: new for old, new in replaced.items() if old and old != new}
        # The longest first, since one may begin with another.
        longest_first = sorted(self._replaced, key=len, reverse=True)
        pattern = f"(?:{'|'.join(map(re.escape, longest_first))}){end}"
        self._text = re.compile(pattern) if longest_first else None
        self._bytes = re.compile(pattern.encode()) if longest_first else None

    def text(self, text: str) -> str:
        """Return a text with the new values."""
        if self._text is None:
            return text
        return self._text.sub(lambda found: self._replaced[found[0]], text)

    def body(self, body: bytes) -> bytes:
        """Return a body with the new values; it may be no text at all."""
        if self._bytes is None:
            return body
        return self._bytes.sub(lambda found: self._replaced[found[0].decode()].encode(), body)

    def headers(self, headers: Headers) -> Headers:
        """Return headers with the new values."""
        return [(name, self.text(value)) for name, value in headers]

    def response(self, response: Response) -> Response:
        """Return a response with the new values."""
        return Response(response.status, self.headers(response.headers), self.body(response.body))

    def value(self, value: Any) -> Any:
        """Return a JSON value with the new values."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        return value


class KeySubstitution(Substitution):
    """Replaces API keys by others, in all their encodings, and seals anew what they have sealed.

    Args:
        keys: For each key that must not be kept another one, of the same length, so that no length changes.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        super().__init__(
            {
                form: other_form
                for key, other in keys.items()
                for form, other_form in zip(forms(key), forms(other), strict=True)
            }
        )
        self._keys = keys

    def body(self, body: bytes) -> bytes:
        """Return a body with the other keys; a sealed credential opens with them."""
        body = super().body(body)
        try:
            value = parsed_json(body)
        except ValueError:
            return body
        if not isinstance(value, dict):
            return body
        texts = [text for text in map(value.get, ENVELOPE) if isinstance(text, str)]
        if len(texts) < len(ENVELOPE):
            return body
        name, encrypted, iv = texts
        for key, other in self._keys.items():
            plain = open_envelope(key, name, encrypted, iv)
            if plain is not None:
                sealed = value | seal(other, name, plain)
                return json.dumps(sealed, ensure_ascii=False).encode()
        return body
