"""Shortening texts that may hold secrets: what is redacted first can be cut anywhere."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .redaction import Redactor

_redactors: ContextVar[tuple[Redactor, ...]] = ContextVar("redactors", default=())


@contextmanager
def redacting(redactor: Redactor | None) -> Iterator[None]:
    """Let `shorten` redact these secrets as well, as long as the block lasts.

    Half a secret can't be found any more. So whoever cuts a text has to redact it first, and who
    cuts it does not know the secrets: they belong to the node that runs.
    """
    if redactor is None:
        yield
        return
    token = _redactors.set((*_redactors.get(), redactor))
    try:
        yield
    finally:
        _redactors.reset(token)


def redacted(value: Any) -> Any:
    """Return a JSON value without the secrets of the node that runs, for a place that must not have them."""
    for redactor in _redactors.get():
        value = redactor.value(value)
    return value


def shorten(text: str, most: int, mark: str = "") -> str:
    """Return a text of at most so many characters, without the secrets of the node that runs.

    Args:
        text: The text.
        most: How many characters it may have.
        mark: Put at the end of a text that was cut.

    Example:
        >>> shorten("晨報與晚報", 4, "…")
        '晨報與…'
    """
    if len(text) <= most:
        return text
    for redactor in _redactors.get():
        text = redactor.text(text)
    return text if len(text) <= most else text[: most - len(mark)] + mark
