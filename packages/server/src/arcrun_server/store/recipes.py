"""Recipes that accounts have pushed, each private to its account."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, or_, select

from arcrun_server import clock
from arcrun_server.store.database import Query
from arcrun_server.store.pages import PagedQuery
from arcrun_server.store.schema import recipes
from arcrun_server.store.upserts import Upsert

if TYPE_CHECKING:
    from arcrun_server.store.database import Database
    from arcrun_server.store.pages import Page, PageRequest

_table = recipes.c
_OWN = (_table.account == bindparam("account"), _table.kind == bindparam("kind"))
_LIST = PagedQuery([_table.recipe], position=_table.name, where=_OWN)
_NAMES = Query(select(_table.name, _table.hash_id).where(*_OWN))
_ONE = Query(
    select(_table.recipe).where(
        *_OWN,
        or_(_table.name == bindparam("name"), _table.hash_id == bindparam("name")),
    )
)
_PUSH = Upsert(recipes, replaced=["recipe"])


class Recipes:
    """The recipes of one kind of all accounts; every method takes the account.

    Args:
        database: Where they are.
        kind: `auth` or `api`.
    """

    def __init__(self, database: Database, kind: str) -> None:
        self._database = database
        self._kind = kind

    async def list(self, account: str, request: PageRequest) -> Page:
        """Return a page of them, sorted by name."""
        page = await _LIST.page(self._database, request, account=account, kind=self._kind)
        return replace(page, entries=[json.loads(entry["recipe"]) for entry in page.entries])

    async def own_names(self, account: str) -> set[str]:
        """Return their names."""
        rows = await self._database.rows(_NAMES, account=account, kind=self._kind)
        return {name for name, _ in rows}

    async def names(self, account: str) -> set[str]:
        """Return the names and hashes under which they are found."""
        rows = await self._database.rows(_NAMES, account=account, kind=self._kind)
        return {name for row in rows for name in row if name is not None}

    async def get(self, account: str, name: str) -> dict[str, Any] | None:
        """Return one by its name or its hash, or None."""
        rows = await self._database.rows(_ONE, account=account, kind=self._kind, name=name)
        return json.loads(rows[0][0]) if rows else None

    async def push(self, account: str, name: str, recipe: dict[str, Any]) -> None:
        """Store or replace one."""
        row = {
            "account": account,
            "kind": self._kind,
            "name": name,
            "hash_id": recipe.get("hash_id"),
            "recipe": json.dumps(recipe, ensure_ascii=False),
            "created_at": int(clock.now()),
        }
        await self._database.write(
            lambda connection: connection.execute(_PUSH.on(connection), row).close()
        )

    async def delete(self, account: str, name: str) -> bool:
        """Remove one by its name or its hash; return False if it was not there."""
        statement = delete(recipes).where(
            _table.account == account,
            _table.kind == self._kind,
            or_(_table.name == name, _table.hash_id == name),
        )
        return await self._database.write(
            lambda connection: connection.execute(statement).rowcount > 0
        )
