"""Defects in the pages of lists, and in idempotency keys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import update

from arcrun_server import clock
from arcrun_server.json_text import encode
from arcrun_server.routes import paging
from arcrun_server.routes.recipes import RecipeRoutes
from arcrun_server.runs import idempotency as running
from arcrun_server.runs import service
from arcrun_server.store import schema as tables
from arcrun_server.store.cursors import Cursors
from arcrun_server.store.idempotency import IdempotencyKeys
from arcrun_server.store.pages import Page, PagedQuery, PageRequest


def counts_the_entries_of_a_page() -> None:
    async def count(_self: Any, _database: Any, request: PageRequest, rows: Any, _: Any) -> int:
        return min(len(rows), request.limit)

    PagedQuery._count = count


def has_a_next_page_after_a_full_one() -> None:
    page_of = PagedQuery.page

    async def page(self: PagedQuery, database: Any, request: PageRequest, **more: Any) -> Page:
        found = await page_of(self, database, request, **more)
        full = len(found.entries) == request.limit
        if not full or found.last is not None or "name" not in found.entries[-1]:
            return found
        return replace(found, last=found.entries[-1]["name"])

    PagedQuery.page = page


def pages_by_number() -> None:
    page_of = PagedQuery.page

    async def page(self: PagedQuery, database: Any, request: PageRequest, **more: Any) -> Page:
        offset = int(request.after or 0)
        everything = await page_of(self, database, PageRequest(offset + request.limit), **more)
        last = offset + request.limit if everything.last is not None else None
        return Page(everything.entries[offset:], everything.total, last)

    PagedQuery.page = page


def loses_an_entry_between_pages() -> None:
    page_of = PagedQuery.page

    async def page(self: PagedQuery, database: Any, request: PageRequest, **more: Any) -> Page:
        found = await page_of(self, database, replace(request, limit=request.limit + 1), **more)
        return replace(found, entries=found.entries[: request.limit])

    PagedQuery.page = page


def ends_lists_of_prompts_with_null() -> None:
    next_page = paging.Pages.next

    def following(self: Any, page: Page, listed: str) -> dict[str, Any]:
        found: dict[str, Any] = next_page(self, page, listed)
        return found or ({"next_cursor": None} if listed == "/prompt-recipes" else {})

    paging.Pages.next = following


def ends_lists_after_200_entries() -> None:
    page_of, seen = PagedQuery.page, {}

    async def page(self: PagedQuery, database: Any, request: PageRequest, **more: Any) -> Page:
        found = await page_of(self, database, request, **more)
        before = seen.get((id(self), request.after), 0) if request.after is not None else 0
        if found.last is not None:
            seen[id(self), found.last] = before + len(found.entries)
        return replace(found, last=None) if before + len(found.entries) >= 200 else found

    PagedQuery.page = page


def takes_the_cursor_of_any_list() -> None:
    write, read = Cursors.write, Cursors.read
    Cursors.write = lambda self, position, _listed: write(self, position, "")
    Cursors.read = lambda self, cursor, _listed: read(self, cursor, "")


def takes_the_cursor_of_another_workflow() -> None:
    write, read = Cursors.write, Cursors.read
    Cursors.write = lambda self, position, listed: write(self, position, listed[:10])
    Cursors.read = lambda self, cursor, listed: read(self, cursor, listed[:10])


def takes_a_limit_of_201() -> None:
    paging.LARGEST_LIMIT = 201


def has_pages_of_51_by_default() -> None:
    paging.DEFAULT_LIMIT = 51
    paging.FIRST_PAGE = PageRequest(51)


def cuts_a_limit_that_is_too_large() -> None:
    limit = paging._limit

    def cut(request: Any) -> int:
        text = request.query_params.get("limit") or ""
        return 200 if text.isdigit() and int(text) > 200 else limit(request)

    paging._limit = cut


def lets_cursors_expire() -> None:
    write, read, made = Cursors.write, Cursors.read, {}

    def written(self: Cursors, position: Any, listed: str) -> str:
        cursor = write(self, position, listed)
        made.setdefault(cursor, clock.now())
        return cursor

    def read_again(self: Cursors, cursor: str, listed: str) -> Any:
        if clock.now() - made.get(cursor, 0) > 86_400:
            raise ValueError("not a cursor")
        return read(self, cursor, listed)

    Cursors.write, Cursors.read = written, read_again


def shares_idempotency_keys_between_accounts() -> None:
    claim, keep, owners = IdempotencyKeys.claim, IdempotencyKeys.keep, {}

    async def claimed(self: Any, account: str, key: str, request: bytes) -> Any:
        return await claim(self, owners.setdefault(key, account), key, request)

    async def kept(self: Any, account: str, key: str, status: int, body: bytes) -> None:
        await keep(self, owners.setdefault(key, account), key, status, body)

    IdempotencyKeys.claim, IdempotencyKeys.keep = claimed, kept


def ignores_the_input_of_an_idempotency_key() -> None:
    service.encode = lambda parts: encode(parts[:1])


def ignores_the_workflow_of_an_idempotency_key() -> None:
    service.encode = lambda parts: encode(parts[1:])


def ignores_the_case_of_idempotency_keys() -> None:
    once = running.IdempotentRuns.once
    running.IdempotentRuns.once = lambda self, account, key, *more: once(
        self, account, key.lower(), *more
    )


def does_not_keep_failures() -> None:
    keep = IdempotencyKeys.keep

    async def kept(self: Any, account: str, key: str, status: int, body: bytes) -> None:
        if status < 500:
            await keep(self, account, key, status, body)

    IdempotencyKeys.keep = kept


def does_not_wait_for_the_first_run() -> None:
    async def once(self: Any, account: str, key: str, request: bytes, run: Any) -> Any:
        earlier = await self._keys.claim(account, key, request)
        if earlier is not None:
            return running.first_response(earlier)
        response = await run()
        await self._keys.keep(account, key, response.status, response.body)
        return response

    running.IdempotentRuns.once = once


def prolongs_an_idempotency_key_with_each_repetition() -> None:
    claim = IdempotencyKeys.claim
    table = tables.idempotent_responses

    async def claimed(self: Any, account: str, key: str, request: bytes) -> Any:
        earlier = await claim(self, account, key, request)
        statement = update(table).where(table.c.account == account, table.c.key == key)
        statement = statement.values(created_at=int(clock.now()))
        await self._database.write(lambda connection: connection.execute(statement).close())
        return earlier

    IdempotencyKeys.claim = claimed


def does_not_say_that_it_replays() -> None:
    first = running.first_response
    running.first_response = lambda earlier: replace(first(earlier), replayed=False)


def uses_up_the_key_of_a_refused_request() -> None:
    graph_text = service.RunService._graph_text
    once = service.RunService.run_workflow_once

    async def claimed_first(
        self: Any, account: str, name: str, run_input: Any, key: str, *more: Any, **flags: Any
    ) -> Any:
        try:
            await graph_text(self, account, name)
        except service.WorkflowNotFoundError:
            await self._store.idempotency.claim(account, key, b"")
            raise
        return await once(self, account, name, run_input, key, *more, **flags)

    service.RunService.run_workflow_once = claimed_first


def reads_as_many_own_recipes_as_fit() -> None:
    own_of = RecipeRoutes._own

    async def own(self: RecipeRoutes, account: str | None, asked: PageRequest) -> Any:
        entries, names = await own_of(self, account, asked)
        return entries[: asked.limit], names

    RecipeRoutes._own = own


def ends_lists_of_recipes_with_the_shipped_ones() -> None:
    listed_of = RecipeRoutes._listed

    def listed(self: RecipeRoutes, own: Any, own_names: set[str], *more: Any) -> dict[str, Any]:
        found = listed_of(self, own, own_names, *more)
        shipped = self._shipped.list("")
        if found["recipes"][-1][self._kind.name_field] > shipped[-1][self._kind.name_field]:
            found.pop("next_cursor", None)
        return found

    RecipeRoutes._listed = listed
