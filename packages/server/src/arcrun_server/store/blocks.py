"""The blocks of all accounts, with their earlier versions (docs/contract.md#knowledge-base)."""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from arcrun_server import clock
from arcrun_server.kbdb.blocks import (
    TEMPLATE,
    Block,
    BlockConflictError,
    PageTooLargeError,
    ProtectedTemplateError,
    metadata_text,
    size_of,
)
from arcrun_server.kbdb.search import phrases_of
from arcrun_server.store import block_index
from arcrun_server.store.block_index import LAST_NUMBER, IndexedWords
from arcrun_server.store.schema import block_versions, blocks
from arcrun_server.store.workflows import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import ColumnElement, Connection, Select

    from arcrun_server.kbdb.base import NewBlock
    from arcrun_server.kbdb.blocks import BlockChanges, BlockFields
    from arcrun_server.store.database import Database
    from arcrun_server.store.pages import PageRequest

T = TypeVar("T")
Result = TypeVar("Result")

# About how many bytes one page of a list has; a single block may have more.
PAGE_BYTES = 1024 * 1024
# What a run can hold of a page: its content is in the result three times.
RUN_BYTES = 1024 * 1024
RUN_BLOCKS = 1000
# From here on making words may take long.
_LARGE = 16 * 1024
# What a block takes without its words, in characters.
_OF_ROW = 100

_table, _old = blocks.c, block_versions.c
_WRITTEN = ("page_name", "content", "type", "source", "metadata")
_INSERT = {
    dialect.__name__.rpartition(".")[2]: dialect.insert(blocks)
    .on_conflict_do_nothing(index_elements=["account", "id"])
    .returning(*blocks.columns)
    for dialect in (sqlite, postgresql)
}


@dataclass(frozen=True)
class BlockPage:
    """A part of a list of blocks.

    Args:
        blocks: The blocks, in order.
        last: The position of the last one, if there are more after it.
    """

    blocks: list[Block]
    last: int | None = None


class Blocks:
    """The blocks of all accounts of one database; every method takes the account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, account: str, block_id: str, version: int | None = None) -> Block | None:
        """Return a block as it is, or as it was in a version; None if there is no such block."""
        row = await self._row(account, block_id)
        if row is None or version is None or row.version == version:
            return None if row is None else _block(row)
        statement = select(block_versions).where(_old.number == row.number, _old.version == version)
        old = await self._database.read(lambda connection: connection.execute(statement).first())
        return None if old is None else _block(row, old)

    async def listed(
        self,
        account: str,
        request: PageRequest,
        page_name: str | None = None,
        block_type: str | None = None,
    ) -> BlockPage:
        """Return a page of blocks, oldest first: of a page, of a type, or all."""
        where = [_table.account == account]
        if page_name is not None:
            where.append(_table.page_name == page_name)
        if block_type is not None:
            where.append(_table.type == block_type)
        if request.after is not None:
            where.append(_table.number > request.after)
        sizes = (
            select(_table.number, _table.size)
            .where(*where)
            .order_by(_table.number)
            .limit(request.limit + 1)
        )
        found = await self._database.read(lambda connection: connection.execute(sizes).all())
        return await self._shown(account, found, request.limit)

    async def search(self, account: str, query: str, request: PageRequest) -> BlockPage:
        """Return a page of the blocks that have all parts of a query in them, newest first.

        Raises:
            StorageUnavailableError: It takes too long, or the database can't be used now.
        """
        phrases = phrases_of(query)
        if not phrases:
            return BlockPage([])
        before = LAST_NUMBER if request.after is None else int(request.after)

        def find(connection: Connection) -> Sequence[Any]:
            numbers = block_index.find(connection, account, phrases, before, request.limit + 1)
            sizes = select(_table.number, _table.size).where(_table.number.in_(numbers))
            return connection.execute(sizes.order_by(_table.number.desc())).all()

        found = await self._database.read_long(find)
        return await self._shown(account, found, request.limit)

    async def page(
        self, account: str, page_name: str, block_type: str | None = None
    ) -> list[Block]:
        """Return the blocks of a page, oldest first.

        Raises:
            PageTooLargeError: They are more than a run can hold.
        """
        where = [_table.account == account, _table.page_name == page_name]
        if block_type is not None:
            where.append(_table.type == block_type)
        sizes = select(_table.size).where(*where).limit(RUN_BLOCKS + 1)
        found = await self._database.read(
            lambda connection: list(connection.execute(sizes).scalars())
        )
        if len(found) > RUN_BLOCKS or sum(found) > RUN_BYTES:
            raise PageTooLargeError(
                f"the page has more than {RUN_BLOCKS:,} blocks or {RUN_BYTES // 2**20} MiB; read its blocks by their ids"
            )
        return await self._blocks(select(blocks).where(*where).order_by(_table.number))

    async def create(
        self, account: str, new: Sequence[NewBlock], *, templates: bool
    ) -> list[Block]:
        """Store blocks, all or none of them; one that is there already, and alike, is left as it is.

        Raises:
            BlockConflictError: A block of this id is there, and is another one.
            ProtectedTemplateError: One is a template, and `templates` is false.
        """
        for _, fields in new:
            _protect(fields["type"], templates=templates)
        characters = sum(len(fields["content"]) + _OF_ROW for _, fields in new)
        rows = await _off_loop_if_large(_rows, new, characters)
        now = _now()

        def change(connection: Connection) -> list[Block]:
            return [_insert(connection, account, row, words, now) for row, words in rows]

        return await self._database.write(change)

    async def change(
        self, account: str, block_id: str, changes: BlockChanges, *, templates: bool
    ) -> Block | None:
        """Change the fields that are named, and keep the block as it was among its versions.

        Raises:
            ProtectedTemplateError: It is a template or would become one, and `templates` is false.
        """
        while (row := await self._row(account, block_id)) is not None:
            before = _block(row)
            _protect(before.type, changes.get("type"), templates=templates)
            fields: BlockFields = {**before.fields(), **changes}
            if _row_of(fields) == _row_of(before.fields()):
                return before
            changed = await self._change(row, fields)
            if changed is not None:
                return changed
            # Somebody else has changed it meanwhile: look again.
        return None

    async def delete(self, account: str, block_id: str, *, templates: bool) -> bool:
        """Remove a block and its versions; return False if it was not there.

        Raises:
            ProtectedTemplateError: It is a template, and `templates` is false.
        """
        own = (_table.account == account, _table.id == block_id)

        def change(connection: Connection) -> bool:
            row = connection.execute(select(_table.number, _table.type).where(*own)).first()
            if row is None:
                return False
            _protect(row.type, templates=templates)
            # The type again: on PostgreSQL, another server may have changed it just now.
            unprotected = () if templates else (_table.type.is_distinct_from(TEMPLATE),)
            statement = delete(blocks).where(_table.number == row.number, *unprotected)
            return connection.execute(statement).rowcount == 1

        return await self._database.write(change)

    async def _change(self, row: Row[Any], fields: BlockFields) -> Block | None:
        """Write a new version over the one that was read; return None if that is no longer the newest."""
        values = _row_of(fields) | {"version": row.version + 1, "updated_at_ms": _now()}
        words = await _off_loop_if_large(_words, fields, len(fields["content"]))
        kept = {
            name: getattr(row, name) for name in (*_WRITTEN, "number", "version", "updated_at_ms")
        }
        statement = (
            update(blocks)
            .where(_table.number == row.number, _table.id == row.id, _table.version == row.version)
            .values(**values)
            .returning(*blocks.columns)
        )

        def change(connection: Connection) -> Block | None:
            changed = connection.execute(statement).first()
            if changed is None:
                return None
            connection.execute(insert(block_versions).values(**kept))
            block_index.remove(connection, row.number)
            words.add(connection, row.account, row.number)
            return _block(changed)

        return await self._database.write(change)

    async def _row(self, account: str, block_id: str) -> Row[Any] | None:
        statement = select(blocks).where(_table.account == account, _table.id == block_id)
        return await self._database.read(lambda connection: connection.execute(statement).first())

    async def _shown(self, account: str, found: Sequence[Any], limit: int) -> BlockPage:
        """Return the first of these blocks: as many as are asked for and make no page too large."""
        shown: list[int] = []
        size = 0
        for number, bytes_of_block in found[:limit]:
            size += bytes_of_block
            if shown and size > PAGE_BYTES:
                break
            shown.append(number)
        if not shown:
            return BlockPage([])
        wanted: list[ColumnElement[bool]] = [_table.account == account, _table.number.in_(shown)]
        descending = shown[0] > shown[-1]
        order = _table.number.desc() if descending else _table.number
        listed = await self._blocks(select(blocks).where(*wanted).order_by(order))
        return BlockPage(listed, shown[-1] if len(found) > len(shown) else None)

    async def _blocks(self, statement: Select[Any]) -> list[Block]:
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return [_block(row) for row in rows]


def _insert(
    connection: Connection, account: str, row: dict[str, Any], words: IndexedWords, now: int
) -> Block:
    values = {**row, "account": account, "version": 1, "created_at_ms": now, "updated_at_ms": now}
    inserted = connection.execute(_INSERT[connection.dialect.name], values).first()
    if inserted is not None:
        words.add(connection, account, inserted.number)
        return _block(inserted)
    own = (_table.account == account, _table.id == row["id"])
    stored = connection.execute(select(blocks).where(*own)).one()
    if any(getattr(stored, name) != row[name] for name in _WRITTEN):
        raise BlockConflictError(row["id"])
    return _block(stored)


def _protect(*types: str | None, templates: bool) -> None:
    if TEMPLATE in types and not templates:
        raise ProtectedTemplateError


def _row_of(fields: BlockFields) -> dict[str, Any]:
    return {**fields, "metadata": metadata_text(fields["metadata"]), "size": size_of(fields)}


def _rows(new: Sequence[NewBlock]) -> list[tuple[dict[str, Any], IndexedWords]]:
    return [
        (_row_of(fields) | {"id": block_id or str(uuid.uuid4())}, _words(fields))
        for block_id, fields in new
    ]


def _words(fields: BlockFields) -> IndexedWords:
    return IndexedWords(fields["page_name"], fields["content"])


async def _off_loop_if_large(work: Callable[[T], Result], given: T, characters: int) -> Result:
    """Do work on so many characters, in a thread if that takes long."""
    return work(given) if characters <= _LARGE else await asyncio.to_thread(work, given)


def _block(row: Row[Any], old: Row[Any] | None = None) -> Block:
    written = old or row
    return Block(
        id=row.id,
        page_name=written.page_name,
        content=written.content,
        type=written.type,
        source=written.source,
        metadata=json.loads(written.metadata),
        version=written.version,
        created_at=timestamp(row.created_at_ms),
        updated_at=timestamp(written.updated_at_ms),
    )


def _now() -> int:
    return int(clock.now() * 1000)
