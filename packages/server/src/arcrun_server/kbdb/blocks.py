"""What a block is, and its limits (docs/contract.md#knowledge-base)."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from arcrun_server.engine.characters import NOT_BLANK, json_holds_nul, no_character
from arcrun_server.json_text import READABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

TEMPLATE = "template"
"""The type of blocks that may serve as fragments of prompts: no workflow writes, changes or deletes one."""

LONGEST_PAGE_NAME = 512
LONGEST_CONTENT = 256 * 1024
LONGEST_TYPE = 64
LONGEST_SOURCE = 2048
MOST_METADATA = 16 * 1024
"""How many bytes the metadata of a block may have, as JSON."""
MOST_TEXTS = 1000
"""How many texts one ingest takes."""

BLOCK_ID = re.compile(r"(?!ingest\Z)[A-Za-z0-9_-][A-Za-z0-9._~:-]{0,127}")
BLOCK_ID_RULE = (
    "1 to 128 letters, digits and . _ ~ : - (A-Z a-z 0-9), not beginning with . ~ or :; "
    "'ingest' is reserved"
)


class BlockFields(TypedDict):
    """The fields of a block that its author writes."""

    page_name: str
    content: str
    type: str | None
    source: str | None
    metadata: dict[str, Any]


class BlockChanges(TypedDict, total=False):
    """Those of them that are to change."""

    page_name: str
    content: str
    type: str | None
    source: str | None
    metadata: dict[str, Any]


@dataclass(frozen=True)
class Block:
    """A block as it is stored.

    Args:
        id: Its id, unique in the account.
        page_name: The page that it is on.
        content: Its text.
        type: What kind of block it is; `TEMPLATE`, or a word of the author's.
        source: Where it comes from.
        metadata: Whatever else belongs to it.
        version: 1, and one more after each change.
        created_at: When it was made, RFC 3339.
        updated_at: When this version was made, RFC 3339.
    """

    id: str
    page_name: str
    content: str
    type: str | None
    source: str | None
    metadata: dict[str, Any]
    version: int
    created_at: str
    updated_at: str

    def as_json(self) -> dict[str, Any]:
        """Return it as responses and results show it."""
        return asdict(self)

    def fields(self) -> BlockFields:
        """Return what its author wrote."""
        return {
            "page_name": self.page_name,
            "content": self.content,
            "type": self.type,
            "source": self.source,
            "metadata": self.metadata,
        }


class BlockError(Exception):
    """Why something is no block; the text begins with the field."""


class BlockConflictError(Exception):
    """There is another block of this id."""


class PageTooLargeError(Exception):
    """A page has more than a run can hold; the text says so."""


class ProtectedTemplateError(Exception):
    """A workflow was about to write a template."""


def complete(given: Mapping[str, Any]) -> BlockFields:
    """Return the fields of a new block, with those that were left out."""
    return {
        "page_name": given["page_name"],
        "content": given["content"],
        "type": given.get("type"),
        "source": given.get("source"),
        "metadata": given.get("metadata") or {},
    }


def metadata_text(metadata: dict[str, Any]) -> str:
    """Return metadata as it is stored.

    Raises:
        BlockError: It is too large, or no JSON.
    """
    try:
        text = READABLE.encode(metadata)
        size = len(text.encode())
    except (ValueError, TypeError, RecursionError):
        raise BlockError("`metadata` must be JSON, without NaN and halves of characters") from None
    if size > MOST_METADATA:
        raise BlockError(
            f"`metadata` has {size:,} bytes as JSON; at most {MOST_METADATA:,} are allowed"
        )
    return text


def size_of(fields: BlockFields) -> int:
    """Return roughly how many bytes a block takes in a response."""
    texts = (fields["page_name"], fields["content"], fields["type"], fields["source"])
    return (
        300
        + sum(len(text.encode()) for text in texts if text)
        + len(json.dumps(fields["metadata"]))
    )


def check_fields(given: Mapping[str, Any]) -> None:
    """Check fields that a workflow's values filled in; a route's schema has checked those of a request.

    Raises:
        BlockError: One of them is not what a block has.

    Example:
        >>> check_fields({"page_name": " "})
        Traceback (most recent call last):
        arcrun_server.kbdb.blocks.BlockError: `page_name` is blank
    """
    if "id" in given and not (isinstance(given["id"], str) and BLOCK_ID.fullmatch(given["id"])):
        raise BlockError(f"`id` must be {BLOCK_ID_RULE}")
    if "page_name" in given:
        _check_text("page_name", given["page_name"], LONGEST_PAGE_NAME)
        if not NOT_BLANK.fullmatch(given["page_name"]):
            raise BlockError("`page_name` is blank")
    if "content" in given:
        _check_text("content", given["content"], LONGEST_CONTENT)
    for name, longest in (("type", LONGEST_TYPE), ("source", LONGEST_SOURCE)):
        if given.get(name) is not None:
            _check_text(name, given[name], longest)
    if "metadata" in given:
        if not isinstance(given["metadata"], dict):
            raise BlockError("`metadata` must be an object")
        if json_holds_nul(metadata_text(given["metadata"])):
            raise BlockError("`metadata` holds NUL")


def _check_text(name: str, value: Any, longest: int) -> None:
    if not isinstance(value, str):
        raise BlockError(f"`{name}` must be text, but it is {_kind(value)}")
    if len(value) > longest:
        raise BlockError(f"`{name}` has {len(value):,} characters; at most {longest:,} are allowed")
    if no_character(value):
        raise BlockError(f"`{name}` holds NUL or half of a surrogate pair, which is no text")


def _kind(value: Any) -> str:
    kinds = {bool: "true or false", dict: "an object", list: "a list", type(None): "null"}
    return kinds.get(type(value), "a number")
