"""The knowledge base: blocks of text on pages."""

from __future__ import annotations

from typing import cast
from urllib.parse import quote, urlencode

from arcrun import Arcrun
from arcrun._core.errors import NotFoundError

from .errors import CommandError, Next
from .parameters import FileText
from .result_types import Block, BlockToPut, FoundBlocks, Page, StoredBlock
from .results import check_limit, first
from .sentences import sentence

MOST = 200  # blocks that the engine returns at once
_SEARCH = Next("search", "kb search", ("WORDS",))


def search_knowledge(client: Arcrun, query: str, *, limit: int = 10) -> FoundBlocks:
    """Find blocks that hold all words of a query.

    Args:
        query: words, Chinese or English
        limit: how many at most
    """
    check_limit(limit)
    query_string = urlencode({"q": query, "limit": min(limit, MOST)})
    found = client.request("GET", f"/kbdb/search?{query_string}")
    return {"blocks": first(found["blocks"], limit), "total": len(found["blocks"])}


def get_knowledge(
    client: Arcrun, page_name: str | None = None, *, block_id: str | None = None
) -> Page:
    """Show a page's blocks, oldest first, or one block.

    Args:
        page_name: the page
        block_id: the block, instead of a page
    """
    if (page_name is None) == (block_id is None):
        raise CommandError("invalid_argument", sentence("name either a page or a block_id"))
    if block_id is not None:
        try:
            found = client.request("GET", f"/kbdb/blocks/{quote(block_id, safe='')}")
        except NotFoundError as error:
            raise CommandError(
                error.code or "block_not_found", error.message, next=[_SEARCH]
            ) from None
        return {"blocks": [found["block"]], "content": found["block"]["content"]}
    blocks = blocks_of(client, str(page_name))
    if not blocks:
        raise CommandError(
            "page_not_found",
            sentence("there is no page {page} in the knowledge base", page=repr(page_name)),
            next=[_SEARCH],
        )
    return {"blocks": blocks, "content": "\n\n".join(block["content"] for block in blocks)}


def put_knowledge(
    client: Arcrun,
    page_name: str,
    content: FileText,
    *,
    block_id: str | None = None,
    type: str | None = None,  # noqa: A002 - the contract's word
    replace: bool = False,
    dry_run: bool = False,
) -> StoredBlock | BlockToPut:
    """Write a block to a page.

    Args:
        page_name: the page
        content: the text
        block_id: the new block's id, if something names it already
        type: template for a text that prompts may use as a fragment
        replace: instead of the page's only block; without it, one more block
        dry_run: only say what would be written
    """
    if block_id and replace:
        raise CommandError(
            "invalid_argument",
            sentence("a block that is replaced keeps its id: leave out block_id"),
        )
    before = blocks_of(client, page_name) if replace else []
    if len(before) > 1:
        raise CommandError(
            "page_has_blocks",
            sentence(
                "page {page} has {count} blocks, so it is not clear which one to replace",
                page=repr(page_name),
                count=len(before),
            ),
            next=[Next("see them", "kb get", (page_name,))],
        )
    if dry_run:
        return {"page_name": page_name, "replaces": bool(before), "dry_run": True}
    fields = {"content": content, **({"type": type} if type else {})}
    if before:
        found = client.request("PATCH", f"/kbdb/blocks/{before[0]['id']}", body=fields)
    else:
        named = {"id": block_id} if block_id else {}
        body = {"page_name": page_name, **named, **fields}
        found = client.request("POST", "/kbdb/blocks", body=body)
    stored = {key: value for key, value in found["block"].items() if key != "content"}
    return cast("StoredBlock", stored)


def blocks_of(client: Arcrun, page_name: str) -> list[Block]:
    """Return all blocks of a page, oldest first."""
    blocks: list[Block] = []
    cursor: str | None = None
    while True:
        query = {"page_name": page_name, "limit": MOST, **({"cursor": cursor} if cursor else {})}
        found = client.request("GET", f"/kbdb/blocks?{urlencode(query)}")
        blocks += found["blocks"]
        cursor = found.get("next_cursor")
        if not cursor:
            return blocks
