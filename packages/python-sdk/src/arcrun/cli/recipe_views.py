"""What a person reads of recipes: texts, prompts with the origin of each range, tests, comparisons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .console import Style, as_yaml, cell
from .messages import text as message
from .terminal import escaped, steers
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
    about = message("version {version}", version=result.get("version", "?"))
    if labels:
        about += message(", labels: {labels}", labels=cell(labels))
    yield style(f"# {about}", "dim")
    source = result.get("source") or ""
    # What is in quotes nowhere has no escapes in YAML: then the recipe is written anew, and can still be pushed again.
    is_plain = source and not any(map(steers, source.splitlines()))
    yield from safe_lines(source if is_plain else as_yaml(result["recipe"]))


def pushed(result: Result, style: Style) -> Iterator[str]:
    """Show which version a push made, or what a check found."""
    if result.get("dry_run"):
        yield from tests(result, style)
        yield style(message("nothing was stored (--dry-run)"), "dim")
        return
    name = result.get("id") or result.get("name")
    version = message("version {version}", version=result["version"])
    yield f"{style('✓', 'green')} {cell(name)}  {version}"


def prompt(result: Result, style: Style) -> Iterator[str]:
    """Show a prompt, with colours by where each range comes from, and below it the origins."""
    origins: dict[tuple[str, str, str], None] = {}
    for part in result["messages"]:
        yield style(f"── {part['role']} ──", "bold")
        yield from "".join(_ranges(part, style, origins)).split("\n")
        yield ""
    if origins:
        yield style(message("where it comes from"), "bold")
        rows = columns((name, source) for _, name, source in origins)
        for (kind, _, _), row in zip(origins, rows, strict=True):
            yield f"  {style(kind.ljust(_KIND_WIDTH), *_colour(kind))}  {row}"
    yield style(message("about {count} tokens", count=result.get("estimated_tokens")), "dim")


def _ranges(
    part: Mapping[str, Any], style: Style, origins: dict[tuple[str, str, str], None]
) -> Iterator[str]:
    """Yield the text of a message, range by range, and note the origins."""
    content, end = part["content"], 0
    for each in part.get("ranges") or []:
        origin = each["origin"]
        kind = str(origin.get("kind"))
        origins[kind, cell(origin.get("var", origin.get("part"))), _source_of(origin)] = None
        yield _coloured(content[end : each["start"]], style)
        yield _coloured(content[each["start"] : each["end"]], style, *_colour(kind))
        end = each["end"]
    yield _coloured(content[end:], style)


def _coloured(text: str, style: Style, *names: str) -> str:
    """Return text in a colour that ends with each line, so that a pager keeps it."""
    lines = [escaped(line) for line in text.split("\n")]
    return "\n".join(style(line, *names) if names and line else line for line in lines)


def _colour(kind: str) -> tuple[str, ...]:
    colour = _ORIGINS.get(kind)
    return (colour,) if colour else ()


def _source_of(origin: Mapping[str, Any]) -> str:
    """Return where a text comes from: a path of the context, a recipe's version, a block."""
    if "from" in origin:
        return cell(origin["from"])
    if "recipe" in origin:
        version = message("version {version}", version=cell(origin.get("version")))
        return f"{cell(origin['recipe'])} {version}"
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
        yield message("the recipe has no tests: write them under `tests:`")
        return
    total = len(result["tests"])
    yield style(message("{passed} of {total} tests passed", passed=passed, total=total), "dim")


def diff(result: Result, style: Style) -> Iterator[str]:
    """Show a unified diff."""
    if not result["diff"]:
        yield message(
            "versions {one} and {other} are the same", one=result["from"], other=result["to"]
        )
    yield from diff_lines(result["diff"], style)


def diff_lines(text: str, style: Style) -> Iterator[str]:
    """Yield the lines of a unified diff in their colours."""
    for line in safe_lines(text):
        colour = _LINE_COLOURS.get(line[:1])
        yield style(line, colour) if colour else line


def backtest(result: Result, style: Style) -> Iterator[str]:
    """Show what a version would change of the prompts of real runs."""
    version = result.get("version")
    of = (
        message("version {version}", version=version)
        if version is not None
        else message("this text")
    )
    counts = [
        f"{result[name]} {message(name)}"
        for name in ("changed", "unchanged", "failed", "skipped")
        if result.get(name)
    ]
    yield message(
        "{version} against {count} prompts of runs: {result}",
        version=style(of, "bold"),
        count=result["count"],
        result=", ".join(counts) or message("none"),
    )
    for run in result["runs"]:
        if run["status"] == "unchanged":
            continue
        yield ""
        about = message(
            "run {run}, node {node}, version {version}",
            run=cell(run.get("run_id")),
            node=cell(run["node"]),
            version=run["version"],
        )
        yield f"{style(message(run['status']), 'yellow')}  {style(about, 'dim')}"
        if run.get("error"):
            yield style(f"  {cell(run['error'])}", "red")
        for part in run.get("messages", []):
            yield f"  {part['role']}"
            yield from (f"    {line}" for line in diff_lines(part["diff"], style))
        answer = run.get("answer") or {}
        if answer:
            said = f"{cell(answer['status'])} {cell(answer.get('error'))}".rstrip()
            yield "  " + message("answer: {status}", status=said)
            yield from (f"    {line}" for line in diff_lines(answer.get("diff", ""), style))
