"""What `acr` prints: the result on stdout and nothing else there; progress and errors on stderr."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from arcrun.commands.errors import CommandError, Next

_STYLES = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold": "1", "dim": "2"}


class Console:
    """The terminal of one call.

    Args:
        as_json: Whether results and errors are JSON.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def result(self, result: Mapping[str, Any], columns: Sequence[str] = ()) -> None:
        """Print a command's result: a table of the list that `columns` names first, else as YAML."""
        if self.as_json:
            print(json.dumps(result, ensure_ascii=False, indent=2))
        elif columns:
            self._table(result, columns)
        else:
            print(as_yaml(result), end="")

    def progress(self, text: str) -> None:
        """Print a line of progress."""
        print(text, file=sys.stderr, flush=True)

    def failure(self, error: CommandError, source: Source | None = None) -> None:
        """Print an error; with `source`, the lines of the file that it means."""
        steps = [next_command(step) for step in error.next]
        if self.as_json:
            shown: dict[str, Any] = {"code": error.code, "message": error.message, "next": steps}
            if error.details:
                shown["details"] = error.details
            print(json.dumps(shown, ensure_ascii=False), file=sys.stderr)
            return
        print(f"{self.style('error', 'red', 'bold')}: {error.message}", file=sys.stderr)
        if source:
            for detail in error.details:
                for line in source.excerpt(detail):
                    print(line, file=sys.stderr)
        for step in steps:
            print(f"  {self.style('→', 'cyan')} {step}", file=sys.stderr)

    def style(self, text: str, *names: str, stream: TextIO | None = None) -> str:
        """Return text in a style, where the stream shows colours."""
        if not has_colour(stream or sys.stderr):
            return text
        codes = ";".join(_STYLES[name] for name in names)
        return f"\x1b[{codes}m{text}\x1b[0m"

    def _table(self, result: Mapping[str, Any], columns: Sequence[str]) -> None:
        field, *names = columns
        rows = [[cell(item.get(name)) for name in names] for item in result[field]]
        if not rows:
            self.progress(f"no {field}")
            return
        for line in table(names, rows, shutil.get_terminal_size((100, 24)).columns):
            print(line)
        if result.get("total", 0) > len(rows):
            self.progress(f"{len(rows)} of {result['total']}; --limit shows more")


class Source:
    """A file that a command was given, to show the places of errors in it."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self._lines = text.splitlines()

    def excerpt(self, detail: Mapping[str, Any]) -> list[str]:
        """Return where a fault is, the line, and a caret below its column; nothing for one without a place."""
        line, column = detail.get("line"), detail.get("column")
        if not isinstance(line, int) or not 1 <= line <= len(self._lines):
            return []
        number = str(line)
        margin = " " * len(number)
        text = printable(self._lines[line - 1])
        place = column if isinstance(column, int) else 1
        before = "".join("\t" if each == "\t" else " " * width(each) for each in text[: place - 1])
        return [
            f"{margin}--> {self.path}:{line}:{place}",
            f"{margin} |",
            f"{number} | {text}",
            f"{margin} | {before}^ {detail.get('message', '')}",
        ]


def next_command(step: Next) -> str:
    """Return what can be done next, in the words of the command line."""
    if not step.command:
        return step.text
    return f"{step.text}: acr {' '.join((step.command, *map(shlex.quote, step.arguments)))}"


def has_colour(stream: TextIO) -> bool:
    """Tell whether a stream shows colours: a terminal, unless NO_COLOR says otherwise."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def as_yaml(value: Mapping[str, Any]) -> str:
    """Return a result as YAML, texts of several lines as blocks."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def text(dumper: yaml.SafeDumper, found: str) -> yaml.Node:
        style = "|" if "\n" in found else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", found, style=style)

    Dumper.add_representer(str, text)
    return yaml.dump(dict(value), Dumper=Dumper, allow_unicode=True, sort_keys=False, width=1000)


def cell(value: object) -> str:
    """Return a value for a table: on one line, without what would steer a terminal."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(cell, value))
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return printable(" ".join(text.split()))


def printable(text: str) -> str:
    """Return text without control characters and marks of direction, which could rewrite the terminal."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(each) in {"Cc", "Cf", "Cs"} and each != "\t"
        else each
        for each in text
    )


def width(text: str) -> int:
    """Return how many columns a text takes: a wide character, such as a Chinese one, takes two.

    Example:
        >>> width("天氣 ok")
        7
    """
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in text
    )


def table(names: Sequence[str], rows: Sequence[Sequence[str]], columns: int) -> list[str]:
    """Return the lines of a table; only the last column is cut to fit, and then it says so by `…`.

    Args:
        names: the heads of the columns.
        rows: the cells.
        columns: the width of the terminal.
    """
    heads = [name.replace("_", " ").upper() for name in names]
    widths = [max(map(width, each)) for each in zip(heads, *rows, strict=True)]
    lines = []
    for row in (heads, *rows):
        cells = [text + " " * (size - width(text)) for text, size in zip(row, widths, strict=True)]
        before = "  ".join(cells[:-1])
        room = max(columns - width(before) - 2, 12)
        lines.append(f"{before}  {_cut(row[-1], room)}".rstrip() if before else row[-1])
    return lines


def _cut(text: str, room: int) -> str:
    if width(text) <= room:
        return text
    kept = text
    while width(kept) > room - 1:
        kept = kept[:-1]
    return kept + "…"
