"""Column types that hold the same values, and sort them the same, on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Integer, LargeBinary, Text, TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy import Dialect
    from sqlalchemy.types import TypeEngine

# 64 bits: Unix seconds outgrow 32 bits in 2038. On SQLite, only a column called INTEGER can number its own rows.
Whole = BigInteger().with_variant(Integer(), "sqlite")
Bytes = LargeBinary


class Characters(TypeDecorator[str]):
    """Text of any length, with any character, sorted by code point.

    PostgreSQL sorts by language unless a column says otherwise, and has no room for U+0000 in a text. That character is
    written as backslash and `0` there, and a backslash as two.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that the database is given."""
        return dialect.type_descriptor(Text(collation="C") if _escapes(dialect) else Text())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Write a text as the database keeps it."""
        if value is None or not _escapes(dialect):
            return value
        return value.replace("\\", "\\\\").replace("\x00", "\\0")

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Read a text as it was before `process_bind_param`."""
        if value is None or "\\" not in value or not _escapes(dialect):
            return value
        return "\\".join(part.replace("\\0", "\x00") for part in value.split("\\\\"))


def _escapes(dialect: Dialect) -> bool:
    return dialect.name == "postgresql"
