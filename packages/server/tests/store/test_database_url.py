from __future__ import annotations

import sys

import pytest

from arcrun_server.errors import StartupError
from arcrun_server.store.database_url import read_database_url
from arcrun_server.store.postgresql_errors import reason


def test_url_is_read_as_libpq_reads_it() -> None:
    pytest.importorskip("psycopg")
    url = read_database_url(
        "postgres://al%40ice:p%2Fw%20d@db1:5433,db2:5434/na%20me?sslmode=verify-full&connect_timeout=3"
    )
    assert url.parameters == {
        "user": "al@ice",
        "password": "p/w d",
        "host": "db1,db2",
        "port": "5433,5434",
        "dbname": "na me",
        "sslmode": "verify-full",
        "connect_timeout": "3",
    }


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://alice:s3cret%zz@db/arcrun",
        "postgresql://alice:s3cret@db/arcrun?colour=red",
        "postgresql://alice:s3cret@[db/arcrun",
        "postgresql://alice:p@s3cret@db/arcrun",
        "postgresql://alice:p/s3cret@db/arcrun",
        "postgresql://alice:p/s3c@ret@db/arcrun?sslmode=require",
    ],
)
def test_url_that_can_not_be_read_is_not_quoted(url: str) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StartupError, match="can't be read") as caught:
        read_database_url(url)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("url", ["mysql://u:s3cret@db/arcrun", "sqlite:///x.db", "arcrun", "/x.db"])
def test_other_databases_are_refused_with_what_there_is(url: str) -> None:
    with pytest.raises(StartupError, match=r"must be a URL of PostgreSQL[\s\S]*SQLite") as caught:
        read_database_url(url)
    assert url not in str(caught.value)


def test_missing_driver_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] == "psycopg"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StartupError, match=r"pip install 'arcrun-server\[postgresql\]'"):
        read_database_url("postgresql://db/arcrun")


class ReportedError(Exception):
    """An error of the driver with PostgreSQL's code."""

    def __init__(self, sqlstate: str | None, text: str = "secret value") -> None:
        super().__init__(text)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ReportedError("53100"), "the disk of the database is full"),
        (ReportedError("55P03"), "the database is locked by another process"),
        (ReportedError("57P01"), "the connection to the database was lost"),
        (ReportedError("08006"), "the connection to the database was lost"),
        (ReportedError("28P01"), "the database refuses this user or password"),
        (ReportedError("XX001"), "the database is damaged"),
        (ReportedError("42703"), "the database can't be used"),
        (
            ReportedError(None, 'FATAL: password authentication failed for user "alice"'),
            "the database refuses this user or password",
        ),
        (
            ReportedError(None, "server closed the connection unexpectedly"),
            "the connection to the database was lost",
        ),
        (
            ReportedError(None, "SSL connection has been closed unexpectedly"),
            "the connection to the database was lost",
        ),
        (
            ReportedError(None, "FATAL:  the database system is starting up"),
            "the database is starting or stopping",
        ),
        (ReportedError(None, "何か"), "the database can't be used"),  # "something"
    ],
)
def test_reasons_are_in_our_own_words(error: Exception, expected: str) -> None:
    assert reason(error) == expected
