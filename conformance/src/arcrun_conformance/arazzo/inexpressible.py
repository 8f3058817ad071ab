"""Why a scenario can't be written as Arazzo."""

from __future__ import annotations


class Inexpressible(Exception):
    """A scenario has no equal in Arazzo; the message is the reason, in words that many scenarios share."""
