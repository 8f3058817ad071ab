"""What goes wrong when a request is sent."""

from __future__ import annotations


class Unreachable(Exception):
    """No response came, or none that can be used. The message says why, and names no more than the host."""
