"""Which request and which run the code that runs now belongs to, for lines of the log."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

request_id: ContextVar[str] = ContextVar("request_id", default="")
run_id: ContextVar[str] = ContextVar("run_id", default="")


@contextmanager
def within(variable: ContextVar[str], value: str) -> Iterator[None]:
    """Set a variable for the length of the block.

    Example:
        >>> with within(run_id, "4f1c"):
        ...     run_id.get()
        '4f1c'
    """
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)
