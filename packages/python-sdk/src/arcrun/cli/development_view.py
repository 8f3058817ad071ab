"""What a person reads of `acr dev`: an event after the other."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from .console import Style, cell
from .messages import text as message
from .source import Source
from .views import (
    SIGNS,
    Result,
    indented,
    milliseconds,
    node_line,
    safe_lines,
    status_text,
    warning_line,
)

_PROMPT_LINES = 20  # of a prompt; `acr recipe render` shows all of it


def event(item: Result, style: Style) -> Iterator[str]:
    """Show an event."""
    yield from _EVENTS[item["type"]](item, style)


def _engine(item: Result, style: Style) -> Iterator[str]:
    serving = message("engine at {url}", url=style(item["url"], "bold"))
    yield f"{style('✓', 'green')} {serving}  {style(message('Ctrl-C ends it'), 'dim')}"
    yield style("  " + message("in another terminal:"), "dim")
    set_variable = "set" if os.name == "nt" else "export"
    yield f"    {set_variable} ARCRUN_BASE_URL={item['url']}"
    yield f"    {set_variable} ARCRUN_API_KEY={item['key']}"
    yield ""


def _deleted(item: Result, style: Style) -> Iterator[str]:
    yield f"{style('-', 'yellow')} {item['file']}  {style(message('deleted here; the engine keeps it'), 'dim')}"


def _recipe(item: Result, style: Style) -> Iterator[str]:
    sign, colour = SIGNS["ok" if item.get("passed", True) else "fail"]
    tests = item.get("tests", [])
    passed = sum(test["passed"] for test in tests)
    counted = (
        message("{passed} of {total} tests passed", passed=passed, total=len(tests))
        if tests
        else message("no tests")
    )
    version = message("version {version}", version=item["version"])
    about = f"{item['kind']}:{cell(item['name'])} {version}, {counted}"
    yield f"{style(sign, colour)} {item['file']}  {style(about, 'dim')}"
    for test in tests:
        if not test["passed"]:
            yield f"  {style('✗', 'red')} {cell(test['name'])}"
            for failure in test["failures"]:
                yield from (f"      {line}" for line in safe_lines(failure))


def _prompt(item: Result, style: Style) -> Iterator[str]:
    lines = []
    for part in item["messages"]:
        first, *rest = safe_lines(part["content"]) or [""]
        lines += [f"    {style(part['role'].ljust(9), 'cyan')} {first}"]
        lines += [f"    {' ' * 9} {line}" for line in rest]
    about = message(
        "the prompt of test {test}, about {count} tokens",
        test=repr(cell(item["test"])),
        count=item["estimated_tokens"],
    )
    yield style(f"  {about}", "dim")
    yield from lines[:_PROMPT_LINES]
    if len(lines) > _PROMPT_LINES:
        more = len(lines) - _PROMPT_LINES
        command = f"acr recipe render {cell(item['name'])}"
        rest_of_it = message("… {count} more lines: {command}", count=more, command=command)
        yield style(f"    {rest_of_it}", "dim")


def _workflow(item: Result, style: Style) -> Iterator[str]:
    pushed = message("pushed as {name}", name=cell(item["name"]))
    yield f"{style('✓', 'green')} {item['file']}  {style(pushed, 'dim')}"
    for warning in item["warnings"]:
        yield "  " + warning_line(warning.get("message", warning), style)


def _run(item: Result, style: Style) -> Iterator[str]:
    stem = Path(item["file"]).stem
    given = item["input"] or message("{}; inputs/{name}.json would be its input", name=stem)
    about = message("run {run} with {given}", run=item["run_id"], given=given)
    yield style(f"  {about}", "dim")


def _node(item: Result, style: Style) -> Iterator[str]:
    yield f"  {node_line(item, style)}"


def _ended(item: Result, style: Style) -> Iterator[str]:
    spent = style(milliseconds(item.get("duration_ms")), "dim")
    yield f"  {status_text(item['status'], style)}  {spent}"
    if item.get("data") is not None:
        yield from indented(item["data"], 4)
    for warning in item["warnings"]:
        yield f"  {style(message('warning'), 'yellow', 'bold')}: {cell(warning['message'])}"
        yield from _excerpts(item, [{**warning, "message": ""}])
    if item.get("task_id"):
        command = f"acr runs resume {cell(item['task_id'])} KEY=VALUE"
        yield "  " + message("it waits; go on with: {command}", command=command)


def _superseded(item: Result, style: Style) -> Iterator[str]:
    about = message("a file was saved, so run {run} was cancelled", run=item["run_id"])
    yield style(f"  {about}", "yellow")


def _error(item: Result, style: Style) -> Iterator[str]:
    yield f"{style('✗', 'red')} {item['file']}"
    excerpts = list(_excerpts(item, item["details"]))
    if not excerpts:
        yield f"  {style(message('error'), 'red', 'bold')}: {cell(item['message'])}"
    yield from excerpts


def _excerpts(item: Result, faults: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of the file that faults mean, with a caret; nothing for those without a place."""
    source = _source_of(item)
    if source is not None:
        columns = shutil.get_terminal_size((100, 24)).columns - 2
        for fault in faults:
            yield from (f"  {line}" for line in source.excerpt(fault, columns))


def _source_of(item: Result) -> Source | None:
    """Return the file that an error is about, to show the places in it; None if it can't be read."""
    try:
        return Source(item["file"], Path(item["path"]).read_bytes().decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        return None


def _watching(item: Result, style: Style) -> Iterator[str]:
    del item
    now = f"{datetime.now().astimezone():%H:%M:%S}"
    yield style(f"{now}  {message('waiting for a save')}", "dim")
    yield ""


_EVENTS: dict[str, Callable[[Result, Style], Iterator[str]]] = {
    "engine": _engine,
    "deleted": _deleted,
    "recipe": _recipe,
    "prompt": _prompt,
    "workflow": _workflow,
    "run": _run,
    "node": _node,
    "ended": _ended,
    "superseded": _superseded,
    "error": _error,
    "watching": _watching,
}
