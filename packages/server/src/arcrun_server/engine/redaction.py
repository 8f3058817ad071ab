"""Removing secrets from what a node returns (docs/contract.md#execution)."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

REDACTED = "[redacted]"
_SHORT = 6


class Redactor:
    """Replaces known secrets by `[redacted]`, wherever a component echoes them.

    It also finds them in other letter cases, escaped, percent-encoded and in base64. A secret of fewer than six
    characters is only replaced where it stands alone, not as a part of a word, so that the rest of the text
    stays readable.

    Example:
        >>> Redactor(["tok-12345"]).value({"說明": "Bearer tok-12345", "n": 1})
        {'說明': 'Bearer [redacted]', 'n': 1}
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._numbers = {secret for secret in secrets if len(secret) >= 4}
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        # The longest first: a secret may be part of another one.
        patterns = [_pattern(form) for form in sorted(forms, key=lambda form: (-len(form), form))]
        self._pattern = re.compile("|".join(patterns), re.IGNORECASE) if patterns else None

    def text(self, text: str) -> str:
        """Return a text with the secrets replaced."""
        return self._pattern.sub(REDACTED, text) if self._pattern else text

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
        if isinstance(value, (int, float)) and str(value) in self._numbers:
            return REDACTED
        return value


def _forms(secret: str) -> Iterable[str]:
    yield secret
    if len(secret) < _SHORT:
        return
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield json.dumps(secret)[1:-1]
    as_bytes = secret.encode("utf-8", "surrogatepass")
    yield quote(as_bytes, safe="")
    yield quote(as_bytes)
    yield quote_plus(as_bytes)
    yield html.escape(secret)
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


def _pattern(form: str) -> str:
    escaped = re.escape(form)
    return escaped if len(form) >= _SHORT else rf"(?<!\w){escaped}(?!\w)"
