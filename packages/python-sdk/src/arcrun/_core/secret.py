"""Plaintext in memory: wrapped, so that no repr, log line, pickle or dump of locals shows it."""

from __future__ import annotations

from typing import NoReturn

BLANK = "***"


class Secret:
    """A plaintext that shows itself only to `reveal`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @classmethod
    def of(cls, text: object) -> Secret | None:
        """Wrap non-empty text; None for anything else."""
        return cls(text) if isinstance(text, str) and text else None

    def reveal(self) -> str:
        """Return the plaintext."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret('{BLANK}')"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled: bind again in the process that needs it")


def blank_out(text: str, secrets: tuple[Secret, ...]) -> str:
    """Replace each secret in `text`, plain or as JSON writes it."""
    for secret in secrets:
        plain = secret.reveal()
        if len(plain) < 4:
            continue  # too short to tell from ordinary text
        text = text.replace(plain, BLANK)
        text = text.replace(json_text(plain, ascii_only=True), BLANK)
        text = text.replace(json_text(plain, ascii_only=False), BLANK)
    return text


def json_text(text: str, *, ascii_only: bool) -> str:
    """Write `text` as the inside of a JSON string."""
    import json

    return json.dumps(text, ensure_ascii=ascii_only)[1:-1]
