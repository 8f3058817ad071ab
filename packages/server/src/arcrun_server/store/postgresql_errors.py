"""What PostgreSQL and its driver report, in words that name no host, no user and no stored value."""

from __future__ import annotations

from typing import Any

_UNKNOWN = "the database can't be used"
_LOST = "the connection to the database was lost"
# By SQLSTATE, or its first two characters for the whole class.
_BY_STATE = {
    "08": _LOST,
    "25006": "the database can't be written to",
    "28": "the database refuses this user or password",
    "3D000": "there is no database of this name",
    "40": "the database is locked by another process",
    "42501": "this user may not create or use tables in it",
    "53100": "the disk of the database is full",
    "53200": "the database is out of memory",
    "53300": "the database takes no more connections",
    "55P03": "the database is locked by another process",
    "57014": "the database took too long",
    "57P01": _LOST,
    "57P02": _LOST,
    "57P03": "the database is starting or stopping",
    "58": "the database's disk fails",
    "XX001": "the database is damaged",
    "XX002": "the database is damaged",
}
# A connection that was not made has no SQLSTATE, only libpq's text.
_BY_TEXT = {
    "password authentication failed": _BY_STATE["28"],
    "no password supplied": "the database asks for a password",
    "no pg_hba.conf entry": "the database refuses connections from this machine",
    "does not exist": _BY_STATE["3D000"],
    "starting up": _BY_STATE["57P03"],
    "shutting down": _BY_STATE["57P03"],
    "recovery mode": _BY_STATE["57P03"],
    "too many": _BY_STATE["53300"],
    "connection slots": _BY_STATE["53300"],
    # Before TLS: "SSL connection has been closed unexpectedly" is about a connection that was there.
    "closed": _LOST,
    "eof detected": _LOST,
    "lost": _LOST,
    "terminat": _LOST,
    "certificate": "the TLS connection to the database can't be trusted",
    "ssl": "there is no TLS connection to the database",
    "refused": "the database can't be reached (connection refused)",
    "timed out": "the database can't be reached (no response in time)",
    "timeout": "the database can't be reached (no response in time)",
    "resolve": "the database can't be reached (unknown host)",
    "translate": "the database can't be reached (unknown host)",
    "no such file": "the database can't be reached (there is no such socket)",
}


def reason(error: Any) -> str:
    """Return the reason of a failure, for the log, the terminal and the client alike.

    Args:
        error: SQLAlchemy's error, or the driver's.

    Example:
        >>> reason(ConnectionError("connection to server at 10.0.0.1 failed: Connection refused"))
        "the database can't be reached (connection refused)"
    """
    original = getattr(error, "orig", None) or error
    state = getattr(original, "sqlstate", None)
    if state:
        return _BY_STATE.get(state) or _BY_STATE.get(state[:2]) or _UNKNOWN
    message = str(original).lower()
    return next((words for part, words in _BY_TEXT.items() if part in message), _UNKNOWN)
