"""Texts of an account that prompt recipes take as fragments: no recipe and no workflow writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, select

from arcrun_server import clock
from arcrun_server.store.database import Query
from arcrun_server.store.pages import PagedQuery
from arcrun_server.store.schema import prompt_texts
from arcrun_server.store.upserts import Upsert
from arcrun_server.store.workflows import timestamp

if TYPE_CHECKING:
    from arcrun_server.store.database import Database
    from arcrun_server.store.pages import Page, PageRequest

_table = prompt_texts.c
_LIST = PagedQuery(
    [_table.key], position=_table.key, where=[_table.account == bindparam("account")]
)
_ONE = Query(
    select(_table.text, _table.updated_at_ms).where(
        _table.account == bindparam("account"), _table.key == bindparam("key")
    )
)
_PUT = Upsert(prompt_texts, replaced=["text", "updated_at_ms"])


class PromptTexts:
    """The texts of all accounts of one database; every method takes the account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, account: str, request: PageRequest) -> Page:
        """Return a page of the keys, in order."""
        return await _LIST.page(self._database, request, account=account)

    async def get(self, account: str, key: str) -> dict[str, Any] | None:
        """Return a text with its key and time, or None."""
        rows = await self._database.rows(_ONE, account=account, key=key)
        if not rows:
            return None
        text, updated_at_ms = rows[0]
        return {"key": key, "text": text, "updated_at": timestamp(updated_at_ms)}

    async def put(self, account: str, key: str, text: str) -> None:
        """Store or replace a text."""
        now = int(clock.now() * 1000)
        row = {"account": account, "key": key, "text": text, "updated_at_ms": now}
        await self._database.write(
            lambda connection: connection.execute(_PUT.on(connection), row).close()
        )

    async def delete(self, account: str, key: str) -> bool:
        """Remove a text; return False if it was not there."""
        statement = delete(prompt_texts).where(_table.account == account, _table.key == key)
        return await self._database.write(
            lambda connection: connection.execute(statement).rowcount > 0
        )
