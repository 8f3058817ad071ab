"""Defects in the knowledge base: its blocks, its search and its components."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select, text

from arcrun_server.kbdb import components, items, search
from arcrun_server.routes import kbdb as routes
from arcrun_server.store import block_index, blocks, schema

Store = blocks.Blocks


# Accounts


def blocks_are_read_by_any_account() -> None:
    async def row(self: Any, _account: str, block_id: str) -> Any:
        statement = select(schema.blocks).where(schema.blocks.c.id == block_id)
        return await self._database.read(lambda connection: connection.execute(statement).first())

    Store._row = row


def pages_are_shared_by_accounts() -> None:
    async def page(self: Any, _account: str, page_name: str, _type: str | None = None) -> Any:
        statement = (
            select(schema.blocks)
            .where(schema.blocks.c.page_name == page_name)
            .order_by(schema.blocks.c.number)
        )
        return await self._blocks(statement)

    Store.page = page


def searches_find_other_accounts_blocks() -> None:
    block_index._SQLITE_FIND = text(
        "SELECT rowid FROM block_index WHERE block_index MATCH"
        " '{page_name content} : ' || substr(:query, instr(:query, '} : ') + 4)"
        " AND rowid < :before ORDER BY rowid DESC LIMIT :count"
    )

    async def shown(self: Any, _account: str, found: Any, limit: int) -> Any:
        numbers = [number for number, _ in found[:limit]]
        statement = select(schema.blocks).where(schema.blocks.c.number.in_(numbers))
        return blocks.BlockPage(await self._blocks(statement))

    Store._shown = shown


# Blocks


def own_ids_are_replaced() -> None:
    right = Store.create

    async def create(self: Any, account: str, new: Any, *, templates: bool) -> Any:
        anonymous = [(None, fields) for _, fields in new]
        return await right(self, account, anonymous, templates=templates)

    Store.create = create


def same_id_replaces_the_block() -> None:
    right = Store.create

    async def create(self: Any, account: str, new: Any, *, templates: bool) -> Any:
        for block_id, fields in new:
            if block_id is not None:
                await self.change(account, block_id, fields, templates=templates)
        return await right(self, account, new, templates=templates)

    Store.create = create


def changes_reset_what_is_not_named() -> None:
    right = Store.change

    async def change(
        self: Any, account: str, block_id: str, changes: Any, *, templates: bool
    ) -> Any:
        empty = {"type": None, "source": None, "metadata": {}}
        return await right(self, account, block_id, {**empty, **changes}, templates=templates)

    Store.change = change


def changes_compare_without_types() -> None:
    right = Store.change

    async def change(
        self: Any, account: str, block_id: str, changes: Any, *, templates: bool
    ) -> Any:
        before = await self.get(account, block_id)
        if before is not None and {**before.fields(), **changes} == before.fields():
            return before
        return await right(self, account, block_id, changes, templates=templates)

    Store.change = change


def earlier_versions_are_lost() -> None:
    right = Store.get

    async def get(self: Any, account: str, block_id: str, version: int | None = None) -> Any:
        found = await right(self, account, block_id)
        return None if version is not None and found and found.version != version else found

    Store.get = get


def contents_are_normalised() -> None:
    right = routes.complete
    routes.complete = lambda given: right(
        {**given, "content": unicodedata.normalize("NFC", given["content"].strip())}
    )


def ingest_joins_its_texts() -> None:
    right = routes.KnowledgeBaseRoutes._create

    async def create(self: Any, account: str, new: Any) -> Any:
        joined = "\n\n".join(fields["content"] for _, fields in new)
        return await right(self, account, [(new[0][0], {**new[0][1], "content": joined})])

    routes.KnowledgeBaseRoutes._create = create


def ingest_keeps_the_first_of_the_texts_that_fail() -> None:
    async def ingest(base: Any, invocation: Any, given: Any) -> Any:
        page_name = components._page_to_write(invocation, given)
        ids = []
        texts = components._texts(components._required(invocation.own, "text"))
        for number, one in enumerate(texts):
            fields = components.complete({**invocation.own, "page_name": page_name, "content": one})
            components._check_text(fields, number, texts)
            (block,) = await base.create([(None, fields)])
            ids.append(block.id)
        return {"success": True, "page_name": page_name, "block_ids": ids}

    components._WORK["kbdb_ingest"] = ingest


# Lists


def blocks_are_listed_by_id() -> None:
    right = Store.listed

    async def listed(self: Any, *arguments: Any) -> Any:
        page = await right(self, *arguments)
        return replace(page, blocks=sorted(page.blocks, key=lambda block: block.id))

    Store.listed = listed


def pages_of_blocks_overlap() -> None:
    right = Store.listed

    async def listed(self: Any, account: str, request: Any, *filters: Any) -> Any:
        after = None if request.after is None else request.after - 1
        page = await right(self, account, replace(request, after=after), *filters)
        # One after the other all the same, so that the list has an end.
        return page if page.last is None else replace(page, last=max(page.last, (after or 0) + 2))

    Store.listed = listed


def filters_leave_the_type_out() -> None:
    right = Store.listed

    async def listed(
        self: Any, account: str, request: Any, page_name: str | None = None, _type: Any = None
    ) -> Any:
        return await right(self, account, request, page_name)

    Store.listed = listed


def large_pages_are_not_cut() -> None:
    blocks.PAGE_BYTES = 2**30


# Search


def searches_take_three_characters() -> None:
    right = blocks.phrases_of
    blocks.phrases_of = lambda query: right(query) if len(query) > 2 else []


def searches_find_characters_apart() -> None:
    right = blocks.phrases_of
    blocks.phrases_of = lambda query: [word for phrase in right(query) for word in phrase.split()]


def searches_find_any_part() -> None:
    right = blocks.phrases_of
    blocks.phrases_of = lambda query: right(query)[:1]


def searches_begin_with_the_oldest() -> None:
    right = Store.search

    async def oldest(self: Any, *arguments: Any) -> Any:
        page = await right(self, *arguments)
        return replace(page, blocks=page.blocks[::-1])

    Store.search = oldest


def searches_find_old_words() -> None:
    block_index.remove = lambda *_: None
    right = block_index.IndexedWords.add
    known: set[int] = set()

    def add(self: Any, connection: Any, account: str, number: int) -> None:
        if number not in known:
            known.add(number)
            right(self, connection, account, number)

    block_index.IndexedWords.add = add


def searches_leave_page_names_out() -> None:
    right = blocks.IndexedWords
    blocks.IndexedWords = lambda _page_name, content: right("", content)


def searches_drop_accents() -> None:
    def without_marks(text: str) -> str:
        folded = unicodedata.normalize("NFKD", text).casefold()
        return "".join(part for part in folded if not unicodedata.combining(part))

    search._comparable = without_marks


def searches_tell_forms_of_accents_apart() -> None:
    search._comparable = str.casefold


def searches_leave_symbols_out() -> None:
    search.unicodedata = SimpleNamespace(
        normalize=unicodedata.normalize,
        category=lambda sign: (
            "Po" if unicodedata.category(sign)[0] == "S" else unicodedata.category(sign)
        ),
    )


def searches_take_operators() -> None:
    right = blocks.phrases_of

    def phrases(query: str) -> list[str]:
        return right(query.split(" OR ", maxsplit=1)[0])

    blocks.phrases_of = phrases


# Components


def items_keep_list_markers() -> None:
    items._without_marker = lambda line: line


def items_of_arrays_are_lines() -> None:
    items._array = lambda _content: None


def items_drop_negative_signs() -> None:
    items._MARKER = re.compile(r"[-*+•]\s*(?:\[[ xX]\])?|\d+[.)、．](?!\d)")


def unknown_pages_are_empty() -> None:
    right = components._failure

    def failure(error: str) -> dict[str, Any]:
        empty = {"success": True, "blocks": [], "content": "", "items": []}
        return empty if "no page" in error else right(error)

    components._failure = failure


def pages_are_read_from_the_context() -> None:
    right = components._get

    async def get(base: Any, invocation: Any, given: Any) -> Any:
        own = invocation.own or {name: given[name] for name in ("page_name",) if name in given}
        return await right(base, replace(invocation, own=own), given)

    components._WORK["kbdb_get"] = get


def ingest_writes_to_the_page_it_read() -> None:
    components._page_to_write = lambda invocation, given: invocation.own.get(
        "page_name", given.get("page_name")
    )


# Templates


def _unprotected(*methods: str) -> None:
    for method in methods:
        _let(method)


def _let(method: str) -> None:
    right = getattr(Store, method)

    async def unprotected(self: Any, *arguments: Any, **_: Any) -> Any:
        return await right(self, *arguments, templates=True)

    setattr(Store, method, unprotected)


def workflows_write_templates() -> None:
    _unprotected("create")


def workflows_change_templates() -> None:
    right = blocks._protect

    def protect(*types: str | None, templates: bool) -> None:
        # Whether it is one is not looked at in a change, only whether it would become one.
        right(*(types[1:] if len(types) > 1 else types), templates=templates)

    blocks._protect = protect


def workflows_make_templates() -> None:
    right = blocks._protect

    def protect(*types: str | None, templates: bool) -> None:
        right(*types[:1], templates=templates)

    blocks._protect = protect


def workflows_delete_templates() -> None:
    _unprotected("delete")


def credentials_are_stored_in_blocks() -> None:
    right = components.component

    def component(name: str, base: Any) -> Any:
        run = right(name, base)

        async def forgetful(given: Any, invocation: Any) -> Any:
            return await run(given, replace(invocation, credentials=frozenset()))

        return run and forgetful

    components.component = component
