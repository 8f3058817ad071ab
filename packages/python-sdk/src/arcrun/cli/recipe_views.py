"""What a person reads of recipes: texts, prompts with the origin of each range, tests, comparisons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .console import Style, as_yaml, cell
from .views import SIGNS, Result, columns, safe_lines

# The colour of a range by the kind of its origin.
_ORIGINS = {"template": "", "fragment": "blue", "value": "green"}
_KIND_WIDTH = max(map(len, _ORIGINS))
_LINE_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def recipe(result: Result, style: Style) -> Iterator[str]:
    """Show a recipe's text, as it was pushed; where it stands is a comment."""
    labels = [
        f"{name} → {label['version']}" for name, label in (result.get("labels") or {}).items()
    ]
    about = f"# version {result['version']}{f', labels: {cell(labels)}' if labels else ''}"
    yield style(about, "dim")
    yield from safe_lines(result.get("source") or as_yaml(result["recipe"]))


def pushed(result: Result, style: Style) -> Iterator[str]:
    """Show which version a push made, or what a check found."""
    if result.get("dry_run"):
        yield from tests(result, style)
        yield style("nothing was stored (--dry-run)", "dim")
        return
    name = result.get("id") or result.get("name")
    yield f"{style('✓', 'green')} {cell(name)}  version {result['version']}"
    for warning in result.get("warnings") or []:
        yield style(f"warning: {cell(warning)}", "yellow")


def prompt(result: Result, style: Style) -> Iterator[str]:
    """Show a prompt, with colours by where each range comes from, and below it the origins."""
    origins: dict[tuple[str, str, str], None] = {}
    for message in result["messages"]:
        yield style(f"── {message['role']} ──", "bold")
        yield from "".join(_ranges(message, style, origins)).split("\n")
        yield ""
    if origins:
        yield style("where it comes from", "bold")
        rows = columns((name, source) for _, name, source in origins)
        for (kind, _, _), row in zip(origins, rows, strict=True):
            yield f"  {style(kind.ljust(_KIND_WIDTH), *_colour(kind))}  {row}"
    yield style(f"about {result.get('estimated_tokens')} tokens", "dim")
    for warning in result.get("warnings") or []:
        yield style(f"warning: {cell(warning)}", "yellow")


def _ranges(
    message: Mapping[str, Any], style: Style, origins: dict[tuple[str, str, str], None]
) -> Iterator[str]:
    """Yield the text of a message, range by range, and note the origins."""
    content, end = message["content"], 0
    for each in message.get("ranges") or []:
        origin = each["origin"]
        kind = str(origin.get("kind"))
        origins[kind, cell(origin.get("var", origin.get("part"))), _source_of(origin)] = None
        yield _coloured(content[end : each["start"]], style)
        yield _coloured(content[each["start"] : each["end"]], style, *_colour(kind))
        end = each["end"]
    yield _coloured(content[end:], style)


def _coloured(text: str, style: Style, *names: str) -> str:
    """Return text in a colour that ends with each line, so that a pager keeps it."""
    lines = [safe_lines(line)[0] if line else "" for line in text.split("\n")]
    return "\n".join(style(line, *names) if names and line else line for line in lines)


def _colour(kind: str) -> tuple[str, ...]:
    colour = _ORIGINS.get(kind)
    return (colour,) if colour else ()


def _source_of(origin: Mapping[str, Any]) -> str:
    """Return where a text comes from: a path of the context, a recipe's version, a block."""
    if "from" in origin:
        return cell(origin["from"])
    if "recipe" in origin:
        return f"{cell(origin['recipe'])} version {cell(origin.get('version'))}"
    known = ("source", "block_page_name", "page_name", "block_id", "key")
    return " ".join(cell(origin[name]) for name in known if origin.get(name))


def tests(result: Result, style: Style) -> Iterator[str]:
    """Show each test of a recipe, and why it failed."""
    for test in result["tests"]:
        sign, colour = SIGNS["ok" if test["passed"] else "fail"]
        yield f"{style(sign, colour)} {cell(test['name'])}"
        for failure in test["failures"]:
            yield from (f"    {line}" for line in safe_lines(failure))
    passed = sum(test["passed"] for test in result["tests"])
    if not result["tests"]:
        yield "the recipe has no tests: write them under `tests:`"
        return
    yield style(f"{passed} of {len(result['tests'])} passed", "dim")


def diff(result: Result, style: Style) -> Iterator[str]:
    """Show a unified diff."""
    if not result["diff"]:
        yield f"versions {result['from']} and {result['to']} are the same"
    yield from diff_lines(result["diff"], style)


def diff_lines(text: str, style: Style) -> Iterator[str]:
    """Yield the lines of a unified diff in their colours."""
    for line in safe_lines(text):
        colour = _LINE_COLOURS.get(line[:1])
        yield style(line, colour) if colour else line


def backtest(result: Result, style: Style) -> Iterator[str]:
    """Show what a version would change of the prompts of real runs."""
    version = result.get("version")
    of = f"version {version}" if version is not None else "this text"
    counts = [
        f"{result[name]} {name}"
        for name in ("changed", "unchanged", "failed", "skipped")
        if result.get(name)
    ]
    yield f"{style(of, 'bold')} against {result['count']} prompts of runs: {', '.join(counts) or 'none'}"
    for run in result["runs"]:
        if run["status"] == "unchanged":
            continue
        yield ""
        about = f"run {cell(run.get('run_id'))}, node {cell(run['node'])}, version {run['version']}"
        yield f"{style(run['status'], 'yellow')}  {style(about, 'dim')}"
        if run.get("error"):
            yield style(f"  {cell(run['error'])}", "red")
        for message in run.get("messages", []):
            yield f"  {message['role']}"
            yield from (f"    {line}" for line in diff_lines(message["diff"], style))
        answer = run.get("answer") or {}
        if answer:
            yield f"  answer: {cell(answer['status'])} {cell(answer.get('error'))}".rstrip()
            yield from (f"    {line}" for line in diff_lines(answer.get("diff", ""), style))
