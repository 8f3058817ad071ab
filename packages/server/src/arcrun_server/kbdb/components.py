"""The components that work on the knowledge base; they read their parameters in the node's own data only.

What does not exist is a result with `success: false`, which the workflow may handle; what is no block, or a write to a
template, fails the node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.components.contract import check_names
from arcrun_server.engine import ComponentError
from arcrun_server.errors import StorageUnavailableError

from .blocks import (
    BLOCK_ID,
    BLOCK_ID_RULE,
    MOST_TEXTS,
    BlockConflictError,
    BlockError,
    PageTooLargeError,
    ProtectedTemplateError,
    check_fields,
    complete,
)
from .contracts import CONTRACTS
from .items import items_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from arcrun_server.engine import Component, Invocation, JsonObject

    from .base import Blocks
    from .blocks import Block, BlockChanges, BlockFields

_FIELDS = ("page_name", "content", "type", "source", "metadata")
_PROTECTED = (
    "blocks of the type 'template' are written by their owner through the API only; "
    "no workflow writes, changes or deletes one"
)


def component(name: str, blocks: Blocks) -> Component | None:
    """Return the component of this name, or None.

    Args:
        name: Its id, as `kbdb_get`.
        blocks: The knowledge base, as a workflow may use it.
    """
    work = _WORK.get(name)
    if work is None:
        return None

    async def run(given: JsonObject, invocation: Invocation) -> JsonObject:
        check_names(CONTRACTS[name], invocation.own)
        if invocation.credentials and name != "kbdb_get":
            raise ComponentError(
                "a node that writes blocks can't name a credential: its value would be stored"
            )
        try:
            return await work(blocks, invocation, given)
        except (BlockError, PageTooLargeError) as error:
            raise ComponentError(str(error)) from None
        except ProtectedTemplateError:
            raise ComponentError(_PROTECTED) from None
        except StorageUnavailableError as error:
            raise ComponentError(
                f"the knowledge base can't be used now: {error.reason}; {error.outcome}"
            ) from None

    return run


async def _get(blocks: Blocks, invocation: Invocation, _given: JsonObject) -> JsonObject:
    own = invocation.own
    if ("page_name" in own) == ("block_id" in own):
        raise ComponentError("give `page_name` or `block_id`, one of them, in the node's config")
    if "block_id" in own:
        block_id = _text(own, "block_id")
        block = await blocks.block(block_id)
        if block is None:
            return _no_block(block_id)
        return _page(block.page_name, [block])
    page_name = _text(own, "page_name")
    found = await blocks.page(page_name)
    if not found:
        return _failure(f"there is no page '{page_name}' in the knowledge base")
    return _page(page_name, found)


async def _create(blocks: Blocks, invocation: Invocation, _given: JsonObject) -> JsonObject:
    own = invocation.own
    for name in ("page_name", "content"):
        _required(own, name)
    given = {name: own[name] for name in ("id", *_FIELDS) if name in own}
    check_fields(given)
    try:
        (block,) = await blocks.create([(given.get("id"), complete(given))])
    except BlockConflictError:
        return _failure(f"there is another block with the id '{given['id']}' already")
    return _written(block)


async def _patch(blocks: Blocks, invocation: Invocation, _given: JsonObject) -> JsonObject:
    own = invocation.own
    block_id = _text(own, "block_id")
    changes: BlockChanges = {name: own[name] for name in _FIELDS if name in own}  # type: ignore[assignment]
    if not changes:
        raise ComponentError(f"there is nothing to change; give one of {', '.join(_FIELDS)}")
    check_fields(changes)
    block = await blocks.change(block_id, changes)
    return _no_block(block_id) if block is None else _written(block)


async def _delete(blocks: Blocks, invocation: Invocation, _given: JsonObject) -> JsonObject:
    block_id = _text(invocation.own, "block_id")
    if not await blocks.delete(block_id):
        return _no_block(block_id)
    return {"success": True, "block_id": block_id}


async def _ingest(blocks: Blocks, invocation: Invocation, given: JsonObject) -> JsonObject:
    own = invocation.own
    page_name = _page_to_write(invocation, given)
    texts = _texts(_required(own, "text"))
    new = [
        complete({"page_name": page_name, "content": text, "type": own.get("type")})
        for text in texts
    ]
    check_fields({"page_name": page_name, "type": own.get("type")})
    for number, fields in enumerate(new):
        _check_text(fields, number, texts)
    written = await blocks.create([(None, fields) for fields in new])
    return {
        "success": True,
        "page_name": page_name,
        "block_ids": [block.id for block in written],
    }


_WORK: dict[str, Callable[[Blocks, Invocation, JsonObject], Awaitable[JsonObject]]] = {
    "kbdb_get": _get,
    "kbdb_create_block": _create,
    "kbdb_patch_block": _patch,
    "kbdb_delete": _delete,
    "kbdb_ingest": _ingest,
}


def _page_to_write(invocation: Invocation, given: JsonObject) -> Any:
    """Return the page that the node names, or else the workflow's own for the page that the context is about."""
    if "page_name" in invocation.own:
        return _text(invocation.own, "page_name")
    about = given.get("page_name")
    if not (invocation.workflow and isinstance(about, str) and about.strip()):
        raise ComponentError(
            "`page_name` is missing; give it in the node's config, or run a named workflow with a node before this "
            "one whose result has a `page_name`, as kbdb_get"
        )
    return f"{invocation.workflow}/{about}"


def _texts(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise ComponentError("`text` must be a text or a list of texts")
    if len(value) > MOST_TEXTS:
        raise ComponentError(f"`text` has {len(value):,} texts; at most {MOST_TEXTS:,} are allowed")
    return value


def _check_text(fields: BlockFields, number: int, texts: list[Any]) -> None:
    try:
        check_fields({"content": fields["content"]})
    except BlockError as error:
        name = "text" if len(texts) == 1 else f"text.{number}"
        raise ComponentError(str(error).replace("`content`", f"`{name}`")) from None


def _page(page_name: str, found: list[Block]) -> JsonObject:
    return {
        "success": True,
        "page_name": page_name,
        "blocks": [block.as_json() for block in found],
        "content": "\n\n".join(block.content for block in found),
        "items": [item for block in found for item in items_of(block.content)],
    }


def _written(block: Block) -> JsonObject:
    return {
        "success": True,
        "block_id": block.id,
        "page_name": block.page_name,
        "version": block.version,
    }


def _required(own: JsonObject, name: str) -> Any:
    if name not in own:
        raise ComponentError(f"`{name}` is missing; give it in the node's config")
    return own[name]


def _text(own: JsonObject, name: str) -> str:
    value = _required(own, name)
    if name == "page_name":
        check_fields({"page_name": value})
    elif not (isinstance(value, str) and BLOCK_ID.fullmatch(value)):
        raise ComponentError(f"`{name}` must be {BLOCK_ID_RULE}")
    return str(value)


def _no_block(block_id: str) -> JsonObject:
    return _failure(f"there is no block '{block_id}' in the knowledge base")


def _failure(error: str) -> JsonObject:
    return {"success": False, "error": error}
