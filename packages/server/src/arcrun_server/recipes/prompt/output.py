"""Reading what a model answered (docs/prompt-recipes.md#output)."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

from arcrun_server.engine.characters import no_character, readable_characters
from arcrun_server.engine.json_numbers import JsonNumberError, finite_number, whole_number

if TYPE_CHECKING:
    from arcrun_server.engine import JsonObject

OUTPUT = "output"
"""The field of a node's result that holds the whole answer."""

_OF_THE_NODE = frozenset(
    {"success", "error", "branch", "pending", "task_id", "page_name", "raw_text", "llm", OUTPUT}
)
_ROOTS = frozenset({"input", "prev", "ctx", "loop", "credential", "secret"})
OPTIONS = frozenset(
    {
        "algorithm",
        "batch_size",
        "by",
        "cases",
        "code",
        "condition",
        "decimal_separator",
        "default_branch",
        "descending",
        "digits",
        "encoding",
        "expr",
        "flags",
        "group_separator",
        "limit",
        "limits",
        "milliseconds",
        "mode",
        "offset",
        "operation",
        "pattern",
        "replacement",
        "schema",
        "seconds",
        "separator",
        "timeout_seconds",
        "timezone",
        "values",
    }
)
"""Parameters that tell components how to work: a node that leaves one out would take it from the context."""

RESERVED = _OF_THE_NODE | _ROOTS | OPTIONS
"""Names that steer a run or belong to the node: the model's values of these names stand under `output` only."""

_FENCE = "```"
_LANGUAGE = re.compile(r"[A-Za-z]*[ \t]*\r?")
_MAX_DEPTH = 100
_LONG = 64 * 1024
_NO_TEXT = "the answer holds what is no character: NUL, or half of a surrogate pair"


class OutputError(ValueError):
    """An answer that is not what the recipe expects; the message is for the model as well.

    Attributes:
        is_repairable: Whether the model may be asked again.
    """

    def __init__(self, message: str, *, is_repairable: bool = True) -> None:
        super().__init__(readable_characters(message))
        self.is_repairable = is_repairable


def parse_json(text: str) -> Any:
    r"""Return the JSON value of an answer; a fence around all of it is removed.

    Raises:
        OutputError: It is not JSON; the message says where.

    Example:
        >>> parse_json('```json\n{"甲": 1}\n```')
        {'甲': 1}
    """
    body = _unfenced(text.strip())
    if not body.strip():
        raise OutputError("the answer is empty, but JSON is expected")
    try:
        value = json.loads(
            body,
            object_pairs_hook=_object,
            parse_constant=_no_number,
            parse_int=whole_number,
            parse_float=finite_number,
        )
    except json.JSONDecodeError as error:
        raise OutputError(
            f"the answer is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    except JsonNumberError as error:
        raise OutputError(f"the answer's JSON can't be used: {error}") from None
    except RecursionError:
        raise OutputError("the answer's JSON is nested too deeply") from None
    _check_texts(value)
    return value


async def parse_json_off_loop(text: str) -> Any:
    """Do the same as `parse_json`; a long answer is read in a thread."""
    return parse_json(text) if len(text) <= _LONG else await asyncio.to_thread(parse_json, text)


def parse_text(text: str) -> str:
    """Return an answer that is taken as it is.

    Raises:
        OutputError: It holds what is no character.
    """
    if no_character(text):
        raise OutputError(_NO_TEXT)
    return text


def _unfenced(text: str) -> str:
    """Return what stands in a code fence around all of a text; without one, the text."""
    # Not by one expression: where a fence never ends, it would look for the end from each white space on.
    if not (text.startswith(_FENCE) and text.endswith(_FENCE)):
        return text
    language, line_break, inside = text[len(_FENCE) : -len(_FENCE)].partition("\n")
    return inside if line_break and _LANGUAGE.fullmatch(language) else text


def node_result(value: Any) -> JsonObject:
    """Return the result of a node for a value: its keys, and all of it under `output`.

    Example:
        >>> node_result({"paragraphs": ["…"], "success": False})
        {'paragraphs': ['…'], 'success': True, 'output': {'paragraphs': ['…'], 'success': False}}
    """
    fields = value if isinstance(value, dict) else {}
    own = {name: item for name, item in fields.items() if not _steers(name, item)}
    return {**own, "success": True, OUTPUT: value}


def _steers(name: str, item: Any) -> bool:
    """Tell whether a field would steer the run: a branch is also read from `data` and from a boolean `result`."""
    if name == "data" and isinstance(item, dict):
        return "branch" in item or isinstance(item.get("result"), bool)
    return name in RESERVED or (name == "result" and isinstance(item, bool))


def failed_result(error: str, text: str) -> JsonObject:
    """Return the result of a node whose model answered something else than was expected."""
    return {"success": False, "error": error, "raw_text": readable_characters(text)}


def describe_violations(violations: list[JsonObject], most: int = 3) -> str:
    """Return what does not fit a schema, as a sentence.

    Example:
        >>> describe_violations([{"path": "", "message": '"entities" is a required property'}])
        'the answer does not fit the schema: "entities" is a required property'
    """
    shown = [
        f"{one['path']}: {one['message']}" if one["path"] else str(one["message"])
        for one in violations[:most]
    ]
    more = f" (and {len(violations) - most} more)" if len(violations) > most else ""
    return f"the answer does not fit the schema: {'; '.join(shown)}{more}"


def repair_messages(text: str, error: str) -> list[JsonObject]:
    """Return the messages that show the model its answer, and ask for it again.

    Services take no message that is empty or holds what is no character.
    """
    shown = readable_characters(text)
    return [
        {"role": "assistant", "content": shown if shown.strip() else "(nothing)"},
        {"role": "user", "content": _repair_request(error)},
    ]


def _repair_request(error: str) -> str:
    return (
        f"Your answer can't be used: {error}. Answer again, with nothing but the corrected JSON: "
        "no explanation, no code fence."
    )


def _object(pairs: list[tuple[str, Any]]) -> JsonObject:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise OutputError(
                    f"the answer's JSON has the key '{name[:60]}' twice in one object"
                )
            seen.add(name)
    return value


def _no_number(name: str) -> Any:
    raise OutputError(f"the answer is not JSON: there is no number {name}")


def _check_texts(value: Any) -> None:
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if depth > _MAX_DEPTH:
            raise OutputError("the answer's JSON is nested too deeply")
        if isinstance(item, str):
            if no_character(item):
                raise OutputError(_NO_TEXT)
        elif isinstance(item, dict):
            for key, inner in item.items():
                waiting += [(key, depth), (inner, depth + 1)]
        elif isinstance(item, list):
            waiting += [(inner, depth + 1) for inner in item]
