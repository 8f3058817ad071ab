"""What goes wrong when a request is sent."""

from __future__ import annotations


class Unreachable(Exception):
    """No response came, or none that can be used. The message says why, and names no more than the host.

    Attributes:
        kind: `connection` or `timeout` if none came, as `retry` names them; None if none that can be used.
    """

    def __init__(self, message: str, kind: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
