"""`/kbdb`: the account's knowledge base (docs/contract.md#knowledge-base)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.convertors import StringConvertor, register_url_convertor

from arcrun_server.errors import ApiError, Detail
from arcrun_server.json_text import encode
from arcrun_server.kbdb.base import OwnBlocks
from arcrun_server.kbdb.blocks import (
    BLOCK_ID,
    BLOCK_ID_RULE,
    LONGEST_PAGE_NAME,
    LONGEST_TYPE,
    BlockConflictError,
    BlockError,
    complete,
    metadata_text,
)
from arcrun_server.routes.context import path_name
from arcrun_server.routes.once import respond_once
from arcrun_server.routes.paging import invalid_parameter, query_parameter
from arcrun_server.routes.run_response import encode_off_loop
from arcrun_server.routes.schemas import BLOCK_CHANGES, BLOCK_CREATION, BLOCK_INGEST
from arcrun_server.runs.idempotency import IdempotentResponse, IdempotentRuns
from arcrun_server.slots import Queues
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from arcrun_server.kbdb.base import NewBlock
    from arcrun_server.routes.context import Context
    from arcrun_server.store.blocks import BlockPage
    from arcrun_server.web.router import ApiRouter

LONGEST_QUERY = 1000
# Searches of one account that go on at once; others wait for their turn.
_SEARCHES = 1


class _BlockInPath(StringConvertor):
    """What may be a block in a path: `ingest` is a path of its own, with methods of its own."""

    regex = r"(?!ingest\Z)[^/]+"


register_url_convertor("block", _BlockInPath())


class KnowledgeBaseRoutes:
    """Write, read, list, search and delete blocks."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store.blocks
        self._once = IdempotentRuns(context.store.idempotency)
        self._searches = Queues(_SEARCHES)

    def add_to(self, router: ApiRouter) -> None:
        """Add these routes."""
        router.add_api_route("/kbdb/blocks", self.list_blocks, methods=["GET"])
        router.add_api_route("/kbdb/blocks", self.create, methods=["POST"])
        router.add_api_route("/kbdb/blocks/ingest", self.ingest, methods=["POST"])
        router.add_api_route("/kbdb/blocks/{id:block}", self.get, methods=["GET"])
        router.add_api_route("/kbdb/blocks/{id:block}", self.change, methods=["PATCH"])
        router.add_api_route("/kbdb/blocks/{id:block}", self.delete, methods=["DELETE"])
        router.add_api_route("/kbdb/search", self.search, methods=["GET"])

    async def list_blocks(self, request: Request) -> Response:
        """Return a page of the blocks: of a page, of a type, or all."""
        account = await self._context.account_by_bearer(request)
        page_name = _filter(request, "page_name", LONGEST_PAGE_NAME)
        block_type = _filter(request, "type", LONGEST_TYPE)
        listed = f"blocks:{encode([page_name, block_type]).decode()}"
        asked = self._context.pages.requested(request, listed)
        page = await self._store.listed(account, asked, page_name, block_type)
        return await self._page(page, listed)

    async def search(self, request: Request) -> Response:
        """Return a page of the blocks in which all parts of a query are."""
        account = await self._context.account_by_bearer(request)
        query = _filter(request, "q", LONGEST_QUERY)
        if query is None:
            raise invalid_parameter("q", f"a text of 1 to {LONGEST_QUERY} characters")
        listed = f"search:{query}"
        asked = self._context.pages.requested(request, listed)
        async with self._searches.turn(account):
            page = await self._store.search(account, query, asked)
        return await self._page(page, listed)

    async def get(self, request: Request) -> Response:
        """Return a block, as it is or as it was."""
        blocks = await self._blocks(request)
        block_id = _id(request)
        version = _version(request)
        block = await blocks.block(block_id, version)
        if block is None:
            raise _not_found(block_id, version)
        return JsonResponse({"success": True, "block": block.as_json()})

    async def create(self, request: Request) -> Response:
        """Store a block, once for each idempotency key."""
        account = await self._context.account_by_bearer(request)
        given = await self._context.json(request, BLOCK_CREATION)
        _check_metadata(given)

        async def store() -> IdempotentResponse:
            (block,) = await self._create(account, [(given.get("id"), complete(given))])
            return IdempotentResponse(201, encode({"success": True, "block": block}))

        return await respond_once(self._once, request, account, ["block", given], store)

    async def ingest(self, request: Request) -> Response:
        """Store a block for each text, once for each idempotency key."""
        account = await self._context.account_by_bearer(request)
        given = await self._context.json(request, BLOCK_INGEST)
        _check_metadata(given)
        texts = [given["text"]] if isinstance(given["text"], str) else given["text"]
        new: list[NewBlock] = [(None, complete({**given, "content": text})) for text in texts]

        async def store() -> IdempotentResponse:
            ids = [block["id"] for block in await self._create(account, new)]
            body = {"success": True, "page_name": given["page_name"], "block_ids": ids}
            return IdempotentResponse(201, encode(body))

        return await respond_once(self._once, request, account, ["ingest", given], store)

    async def change(self, request: Request) -> Response:
        """Change the fields of a block that the body names."""
        blocks = await self._blocks(request)
        block_id = _id(request)
        changes = await self._context.json(request, BLOCK_CHANGES)
        _check_metadata(changes)
        block = await blocks.change(block_id, changes)
        if block is None:
            raise _not_found(block_id)
        return JsonResponse({"success": True, "block": block.as_json()})

    async def delete(self, request: Request) -> Response:
        """Delete a block with its versions."""
        blocks = await self._blocks(request)
        block_id = _id(request)
        if not await blocks.delete(block_id):
            raise _not_found(block_id)
        return JsonResponse({"success": True, "id": block_id})

    async def _blocks(self, request: Request) -> OwnBlocks:
        return OwnBlocks(self._store, await self._context.account_by_bearer(request))

    async def _create(self, account: str, new: list[NewBlock]) -> list[dict[str, Any]]:
        try:
            return [block.as_json() for block in await OwnBlocks(self._store, account).create(new)]
        except BlockConflictError:
            raise _conflict() from None

    async def _page(self, page: BlockPage, listed: str) -> Response:
        body: dict[str, Any] = {
            "success": True,
            "blocks": [block.as_json() for block in page.blocks],
        }
        if page.last is not None:
            body["next_cursor"] = self._context.store.cursors.write(page.last, listed)
        return JsonResponse(await encode_off_loop(body))


def _filter(request: Request, name: str, longest: int) -> str | None:
    value = query_parameter(request, name)
    if value is not None and not 1 <= len(value) <= longest:
        raise invalid_parameter(name, f"a text of 1 to {longest} characters")
    return value


def _version(request: Request) -> int | None:
    text = query_parameter(request, "version")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0):
        raise invalid_parameter("version", "a whole number from 1 to 999999999")
    return int(text)


def _id(request: Request) -> str:
    return path_name(request, "id", BLOCK_ID, BLOCK_ID_RULE)


def _check_metadata(given: dict[str, Any]) -> None:
    try:
        metadata_text(given.get("metadata", {}))
    except BlockError as error:
        raise ApiError(
            400, "invalid_request", str(error), details=[Detail(str(error), path="metadata")]
        ) from None


def _conflict() -> ApiError:
    return ApiError(
        409,
        "conflict",
        "there is another block of this id already; nothing was changed",
        next_actions=[
            "change that block: PATCH /kbdb/blocks/{id}",
            "or leave id out for a new one",
        ],
    )


def _not_found(block_id: str, version: int | None = None) -> ApiError:
    of_version = "" if version is None else f" with a version {version}"
    return ApiError(
        404,
        "block_not_found",
        f"no block {block_id!r}{of_version} in this account",
        next_actions=["see the blocks: GET /kbdb/blocks", "or find one: GET /kbdb/search?q="],
    )
