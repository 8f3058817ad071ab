"""The contracts of the components that work on the knowledge base (docs/contract.md#knowledge-base)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .blocks import LONGEST_CONTENT, LONGEST_PAGE_NAME, LONGEST_SOURCE, LONGEST_TYPE, MOST_TEXTS

if TYPE_CHECKING:
    from arcrun_server.components.contract import ComponentContract
    from arcrun_server.engine import JsonObject

_ID: JsonObject = {"type": "string", "minLength": 1, "maxLength": 128}
_PAGE_NAME: JsonObject = {"type": "string", "minLength": 1, "maxLength": LONGEST_PAGE_NAME}
_CONTENT: JsonObject = {"type": "string", "maxLength": LONGEST_CONTENT}
_TYPE: JsonObject = {"type": ["string", "null"], "maxLength": LONGEST_TYPE}
_FIELDS: JsonObject = {
    "page_name": _PAGE_NAME,
    "content": _CONTENT,
    "type": _TYPE,
    "source": {"type": ["string", "null"], "maxLength": LONGEST_SOURCE},
    "metadata": {"type": "object"},
}
_TEXT: JsonObject = {
    "anyOf": [_CONTENT, {"type": "array", "items": _CONTENT, "maxItems": MOST_TEXTS}]
}
_WRITTEN: JsonObject = {
    "block_id": {"type": "string"},
    "page_name": {"type": "string"},
    "version": {"type": "integer", "minimum": 1},
}


def _contract(
    name: str,
    display_name: str,
    description: str,
    *,
    given: JsonObject,
    required: list[str],
    result: JsonObject,
    example: JsonObject,
) -> ComponentContract:
    properties: dict[str, Any] = {"success": {"const": True}, **result}
    return {
        "canonical_id": name,
        "display_name": display_name,
        "category": "data",
        "version": "1.0.0",
        "description": description,
        "input_schema": {"type": "object", "required": required, "properties": given},
        "output_schema": {
            "type": "object",
            "required": list(properties),
            "properties": properties,
        },
        "config_example": example,
    }


GET = _contract(
    "kbdb_get",
    "知識庫：讀取頁面 Read a page",
    "The blocks of a page, or one block; `items` are the elements of JSON arrays and the lines of other texts.",
    given={"page_name": _PAGE_NAME, "block_id": _ID},
    required=[],
    result={
        "page_name": {"type": "string"},
        "blocks": {"type": "array", "items": {"type": "object"}},
        "content": {"type": "string"},
        "items": {"type": "array"},
    },
    example={"page_name": "{{loop.item}}"},
)
CREATE_BLOCK = _contract(
    "kbdb_create_block",
    "知識庫：新增區塊 Create a block",
    "Stores a block on a page, under an id of one's own or a new one.",
    given={"id": _ID, **_FIELDS},
    required=["page_name", "content"],
    result=_WRITTEN,
    example={"page_name": "日記", "content": "{{prev.text}}"},
)
PATCH_BLOCK = _contract(
    "kbdb_patch_block",
    "知識庫：修改區塊 Change a block",
    "Changes the fields of a block that are given, and keeps the others.",
    given={"block_id": _ID, **_FIELDS},
    required=["block_id"],
    result=_WRITTEN,
    example={"block_id": "{{input.block_id}}", "content": "{{prev.text}}"},
)
DELETE = _contract(
    "kbdb_delete",
    "知識庫：刪除區塊 Delete a block",
    "Deletes a block with its versions.",
    given={"block_id": _ID},
    required=["block_id"],
    result={"block_id": {"type": "string"}},
    example={"block_id": "{{input.block_id}}"},
)
INGEST = _contract(
    "kbdb_ingest",
    "知識庫：寫入文字 Write texts",
    "Writes a block for each text; without `page_name` on the page WORKFLOW/PAGE, with the `page_name` of the context.",
    given={"text": _TEXT, "page_name": _PAGE_NAME, "type": _TYPE},
    required=["text"],
    result={
        "page_name": {"type": "string"},
        "block_ids": {"type": "array", "items": {"type": "string"}},
    },
    example={"text": "{{prev.paragraphs}}"},
)
CONTRACTS = {
    contract["canonical_id"]: contract
    for contract in (GET, CREATE_BLOCK, PATCH_BLOCK, DELETE, INGEST)
}
