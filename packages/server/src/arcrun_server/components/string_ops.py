"""Operations on texts."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from arcrun_server.engine import ComponentError

from . import regexes
from .contract import given_value, optional, parameters_of, require
from .off_loop import off_loop
from .operations import Operation, operations_contract, run_operation

if TYPE_CHECKING:
    from arcrun_server.engine import Component, Invocation, JsonObject
    from arcrun_server.workers import WorkerPool

MAX_LENGTH = 1_000_000
MAX_PARTS = 100_000
_STANDARD = str.maketrans("-_", "+/")


def _text(given: JsonObject) -> str:
    return require(given_value(given, "text"), str, "text")


def _word(given: JsonObject, name: str) -> str:
    return require(given_value(given, name), str, name)


def _replace(given: JsonObject) -> str:
    search = _word(given, "search")
    if not search:
        raise ComponentError("`search` is empty; give the text to look for")
    text, replacement = _text(given), _word(given, "replacement")
    _check_length(len(text) + text.count(search) * (len(replacement) - len(search)))
    return text.replace(search, replacement)


def _split(given: JsonObject) -> list[str]:
    text, separator = _text(given), optional(given, "separator", str, ",")
    if text.count(separator) > MAX_PARTS:
        raise ComponentError(f"the text would be split into more than {MAX_PARTS:,} parts")
    return text.split(separator) if separator else list(text)


def _join(given: JsonObject) -> str:
    items = require(given_value(given, "items"), list, "items")
    texts = [require(item, str, f"items.{number}") for number, item in enumerate(items)]
    separator = optional(given, "separator", str, ",")
    _check_length(sum(map(len, texts)) + len(separator) * max(len(texts) - 1, 0))
    return separator.join(texts)


def _slice(given: JsonObject) -> str:
    text = _text(given)
    return text[optional(given, "start", int, 0) : optional(given, "end", int, len(text))]


def _repeat(given: JsonObject) -> str:
    text, count = _text(given), require(given_value(given, "count"), int, "count")
    if count < 0 or len(text) * count > MAX_LENGTH:
        raise ComponentError(
            f"`count` must make a text of 0 to {MAX_LENGTH:,} characters, but it is {count}"
        )
    return text * count


def _pad(given: JsonObject, *, at_start: bool) -> str:
    text, length = _text(given), require(given_value(given, "length"), int, "length")
    fill = optional(given, "fill", str, " ")
    if len(fill) != 1 or length > MAX_LENGTH:
        raise ComponentError(f"`fill` is one character, and `length` at most {MAX_LENGTH:,}")
    return text.rjust(length, fill) if at_start else text.ljust(length, fill)


def _index_of(given: JsonObject) -> int:
    return _text(given).find(_word(given, "search"))


def _check_length(length: int) -> None:
    """Check the length of a text before it is built."""
    if length > MAX_LENGTH:
        raise ComponentError(f"the text would be longer than {MAX_LENGTH:,} characters")


def _decoded_url(given: JsonObject) -> str:
    try:
        return unquote(_text(given), errors="strict")
    except UnicodeDecodeError:
        raise ComponentError("`text` does not become UTF-8 when it is decoded") from None


def _decoded_base64(given: JsonObject) -> str:
    """Decode Base64, also of the alphabet for URLs and without padding."""
    text = "".join(_text(given).split()).translate(_STANDARD).rstrip("=")
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error):
        raise ComponentError("`text` is not Base64") from None
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ComponentError("`text` does not become UTF-8 when it is decoded") from None


def _encoded(given: JsonObject) -> bytes:
    return _text(given).encode("utf-8", "replace")


OPERATIONS: dict[str, Operation] = {
    "upper": Operation(lambda given: _text(given).upper(), "`text` in capitals"),
    "lower": Operation(lambda given: _text(given).lower(), "`text` in small letters"),
    "trim": Operation(lambda given: _text(given).strip(), "without white space at both ends"),
    "length": Operation(lambda given: len(_text(given)), "the number of characters"),
    "replace": Operation(_replace, "every `search` replaced by `replacement`"),
    "split": Operation(_split, "a list, split at `separator` (a comma; empty: each character)"),
    "join": Operation(_join, "`items` as one text, with `separator` between them"),
    "slice": Operation(_slice, "from `start` up to `end`, negative from the end"),
    "contains": Operation(
        lambda given: _word(given, "search") in _text(given), "whether `search` is in it"
    ),
    "starts_with": Operation(
        lambda given: _text(given).startswith(_word(given, "search")), "whether `search` begins it"
    ),
    "ends_with": Operation(
        lambda given: _text(given).endswith(_word(given, "search")), "whether `search` ends it"
    ),
    "index_of": Operation(_index_of, "where `search` is, -1 if nowhere"),
    "repeat": Operation(_repeat, "repeated `count` times"),
    "pad_start": Operation(
        lambda given: _pad(given, at_start=True), "padded with `fill` to `length` at the start"
    ),
    "pad_end": Operation(
        lambda given: _pad(given, at_start=False), "padded with `fill` to `length` at the end"
    ),
    "url_encode": Operation(
        lambda given: quote(_encoded(given), safe=""), "percent-encoded for any part of a URL"
    ),
    "url_decode": Operation(_decoded_url, "percent-encoding decoded"),
    "base64_encode": Operation(
        lambda given: base64.b64encode(_encoded(given)).decode(), "its UTF-8 in Base64"
    ),
    "base64_decode": Operation(_decoded_base64, "the text that Base64 holds"),
    "reverse": Operation(lambda given: _text(given)[::-1], "reversed"),
    **regexes.OPERATIONS,
}

CONTRACT = operations_contract(
    "string_ops",
    OPERATIONS,
    display_name="文字處理 String",
    description="Operates on `text`.",
    parameters={
        "text": {"type": "string"},
        "search": {"type": "string"},
        "replacement": {
            "type": "string",
            "description": "In regex_replace $1 and ${name} are groups, $0 the match, $$ a dollar sign.",
        },
        "pattern": {
            "type": "string",
            "maxLength": regexes.MAX_PATTERN,
            "description": "A regular expression of RE2; from the node itself, as `flags`.",
        },
        "flags": {"type": "string", "pattern": "^[ims]*$", "default": ""},
        "separator": {"type": "string", "default": ","},
        "items": {"type": "array", "items": {"type": "string"}},
        "start": {"type": "integer", "default": 0},
        "end": {"type": "integer"},
        "count": {"type": "integer", "minimum": 0},
        "length": {"type": "integer"},
        "fill": {"type": "string", "minLength": 1, "maxLength": 1, "default": " "},
    },
    config_example={
        "operation": "replace",
        "text": "{{input.內容}}",
        "search": "，",
        "replacement": ",",
    },
)


def component(workers: WorkerPool) -> Component:
    """Return the component; searches that may take long are made by a worker."""
    others = off_loop(run, parameters_of(CONTRACT))

    async def component(given: JsonObject, invocation: Invocation) -> Any:
        name = given.get("operation", given.get("op"))
        if isinstance(name, str) and name in regexes.OPERATIONS:
            return await regexes.run(name, given, invocation, workers)
        return await others(given, invocation)

    return component


async def run(given: JsonObject, _invocation: Invocation) -> Any:
    """Run the operation.

    Example:
        >>> import asyncio
        >>> given = {"operation": "split", "text": "甲、乙", "separator": "、"}
        >>> asyncio.run(run(given, None))["data"]["result"]
        ['甲', '乙']
    """
    return run_operation(OPERATIONS, given)
