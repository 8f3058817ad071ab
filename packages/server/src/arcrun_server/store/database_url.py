"""Reading a PostgreSQL URL as libpq reads it, and showing it without its password."""

from __future__ import annotations

from dataclasses import dataclass, field

from arcrun_server.errors import StartupError

SCHEMES = ("postgresql://", "postgres://")
FORM = "postgresql://user:password@host:port/name"


@dataclass(frozen=True)
class PostgreSQLURL:
    """A database to connect to; as a text, without anything secret.

    Args:
        parameters: libpq's parameters by name, as `host` and `dbname`.
    """

    parameters: dict[str, str] = field(repr=False)

    def __str__(self) -> str:
        user = self.parameters.get("user", "")
        host = self.parameters.get("host", "")
        port = self.parameters.get("port", "")
        server = f"{user}@{host}" if user else host
        return (
            f"postgresql://{server}{':' if port else ''}{port}/{self.parameters.get('dbname', '')}"
        )


def read_database_url(url: str) -> PostgreSQLURL:
    """Parse a URL.

    Args:
        url: `postgresql://user:password@host:port/name`, with libpq's parameters after `?`.

    Raises:
        StartupError: It is not such a URL, or the driver is not installed; the text does not quote the URL.
    """
    if not url.startswith(SCHEMES):
        raise StartupError(
            f"the database must be a URL of PostgreSQL: {FORM}\n"
            "SQLite needs none: without --database, the database is a file in the folder --data."
        )
    try:
        from psycopg import ProgrammingError  # noqa: PLC0415 - an optional dependency
        from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415
    except ImportError:
        raise StartupError(
            "PostgreSQL needs its driver. Run: python -m pip install 'arcrun-server[postgresql]'"
        ) from None
    try:
        parameters = conninfo_to_dict(url)
    except ProgrammingError:
        # libpq's own text may quote a part of the password.
        raise _unreadable() from None
    if _has_unencoded_password(url):
        raise _unreadable()
    return PostgreSQLURL(
        {name: str(value) for name, value in parameters.items() if value is not None}
    )


def _has_unencoded_password(url: str) -> bool:
    """Tell whether libpq takes the rest of a password for the host or the database, which we show.

    It ends the password at the first `@` and the host at the first `/`, so one of them in the password leaves an `@`
    where none belongs.
    """
    _, _, address = url.partition("://")
    user = address.partition("@")[0]
    if "/" not in user:
        address = address[len(user) + 1 :]
    return "@" in address.partition("?")[0]


def _unreadable() -> StartupError:
    return StartupError(
        f"the URL of the database can't be read; write {FORM}, with special characters percent-encoded"
    )
