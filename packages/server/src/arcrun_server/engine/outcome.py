"""Interpreting a node's result: is it a failure, which branch does it take, which list does it hold."""

from __future__ import annotations

from typing import Any

from .labels import DEFAULT_ITERATOR
from .templates import MISSING

_MAX_NAMES = 20
_KINDS = {str: "text", bool: "true or false", list: "a list", dict: "an object"}


def is_failure(result: Any) -> bool:
    """Tell whether a result is a failure: `success: false`, or an `error` that says something.

    `false`, `""` and `[]` say as little as null: services write them for "no error".

    Example:
        >>> is_failure({"success": False}), is_failure({"error": "壞了"}), is_failure({"error": False})
        (True, True, False)
    """
    if not isinstance(result, dict):
        return False
    error = result.get("error")
    nothing = error is None or error is False or error in ("", [])
    return result.get("success") is False or not nothing


def failure_reason(result: dict[str, Any]) -> str:
    """Return in one line why a node failed."""
    error = result.get("error")
    return error if isinstance(error, str) and error else "its result says success: false"


def read_branch(result: Any) -> str | None:
    """Return which branch a result takes: `data.branch`, `branch`, or a boolean `result`.

    Returns:
        The branch's name (`true` and `false` for booleans), or None if none can be read.

    Example:
        >>> read_branch({"success": True, "data": {"branch": "急件"}}), read_branch({"result": True})
        ('急件', 'true')
    """
    if not isinstance(result, dict):
        return None
    data = result.get("data")
    layers = [data, result] if isinstance(data, dict) else [result]
    for layer in layers:
        branch = layer.get("branch")
        if isinstance(branch, bool):
            return "true" if branch else "false"
        if isinstance(branch, str) and branch:
            return branch
    for layer in layers:
        if isinstance(layer.get("result"), bool):
            return "true" if layer["result"] else "false"
    return None


def find_list(result: Any, context: dict[str, Any], iterator: str) -> Any:
    """Find the list that a FOREACH iterates over.

    The list's name is the iterator or a plural of it, in the result, one level down in it, or in
    the context. A result that is itself a list needs no name; nor does the only list of a result
    if the flow names no iterator.

    Returns:
        The list, or MISSING.

    Example:
        >>> find_list({"data": {"stories": ["甲", "乙"]}}, {}, "story")
        ['甲', '乙']
    """
    names = [iterator, *plurals(iterator)]
    for layer in [*_layers(result), context]:
        for name in names:
            if isinstance(layer.get(name), list):
                return layer[name]
    if isinstance(result, list):
        return result
    if iterator == DEFAULT_ITERATOR:
        for layer in _layers(result):
            lists = [value for value in layer.values() if isinstance(value, list)]
            if len(lists) == 1:
                return lists[0]
    return MISSING


def plurals(word: str) -> list[str]:
    """Return the plural forms that may name a list of such elements."""
    forms = [word + "s", word + "es", word + "_list", word + "列表", word + "們"]
    if word.endswith("y"):
        forms.insert(0, word[:-1] + "ies")
    return forms


def no_list(result: Any, iterator: str) -> str:
    """Return the error for a result in which `find_list` found nothing: what there is instead."""
    if is_failure(result):
        return failure_reason(result)
    names = [iterator, *plurals(iterator)]
    if not isinstance(result, dict):
        return f"FOREACH {iterator} needs a list, but its result is {_kind(result)}"
    for layer in _layers(result):
        for name in names:
            if name in layer:
                return f"FOREACH {iterator} needs a list, but '{name}' in its result is {_kind(layer[name])}"
    found = ", ".join([*result][:_MAX_NAMES]) or "nothing"
    lists = [name for name, value in result.items() if isinstance(value, list)]
    hint = f"; name the list, as in `FOREACH {lists[0]}`" if lists else ""
    return f"FOREACH {iterator} finds no list '{names[0]}' or '{names[1]}' in its result, which has: {found}{hint}"


def _kind(value: Any) -> str:
    """Return what a value is, in the words of JSON."""
    if value is None:
        return "null"
    return _KINDS.get(type(value), "a number")


def awaited_task(result: Any) -> str | None:
    """Return the task that a result waits for: `{"pending": true, "task_id": …}`."""
    if not isinstance(result, dict) or result.get("pending") is not True:
        return None
    task_id = result.get("task_id")
    return task_id if isinstance(task_id, str) else None


def _layers(result: Any) -> list[dict[str, Any]]:
    if not isinstance(result, dict):
        return []
    return [result, *(value for value in result.values() if isinstance(value, dict))]
