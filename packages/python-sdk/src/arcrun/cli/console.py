"""What `acr` prints: the result on stdout and nothing else there; progress and errors on stderr."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from arcrun.commands.errors import CommandError, Next

from .failures import OutputClosedError
from .messages import language, translated
from .messages import text as message
from .source import Source, width
from .terminal import escaped, escaped_json, shown, steers, styled

# Returns text in a style, such as "green", or as it is where there are no colours.
Style = Callable[..., str]
# Returns the lines that a person reads of a result.
View = Callable[[Mapping[str, Any], Style], Iterable[str]]

_PLACED = re.compile(r"line (\d+), column (\d+): (.*)", re.DOTALL)
_ASCII = {"✓": "ok", "✗": "x", "…": "...", "→": "->", "·": "-"}
_SIGNS_IN_ASCII = str.maketrans(_ASCII)
_STYLES = {
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
    "bold": "1",
    "dim": "2",
}


class Console:
    """The terminal of one call.

    Args:
        as_json: Whether results and errors are JSON.
        has_output: Whether there is a standard output.
    """

    def __init__(self, *, as_json: bool, has_output: bool = True) -> None:
        self.as_json = as_json
        self.has_output = has_output
        self._held: list[str] = []

    def result(
        self,
        result: Mapping[str, Any],
        columns: Sequence[str] = (),
        source: Source | None = None,
        view: View | None = None,
    ) -> None:
        """Print a command's result: by `view`, as a table of the list that `columns` names first, else as YAML.

        What it warns of goes to stderr, with the lines of `source` that are meant.

        Raises:
            OutputClosedError: who read it has gone away.
        """
        found = dict(result)
        if not self.as_json:
            for warning in found.pop("warnings", ()):
                self._fault("warning", "yellow", _fault_of(warning), "", source)
        if self.as_json:
            lines = [as_json(found, sys.stdout, indent=2)]
        elif view is not None:
            lines = list(view(found, self.style_of_result))
        elif columns and columns[0] in found:
            lines = self._table(found, columns)
        else:
            lines = as_yaml(found).splitlines()
        self._results(lines)
        self._held_warnings()

    def item(self, item: Mapping[str, Any], view: View | None) -> None:
        """Print an object of a result that comes piece by piece: in JSON, each on a line of its own.

        Raises:
            OutputClosedError: who read it has gone away.
        """
        if self.as_json or view is None:
            self._results([as_json(item, sys.stdout)])
        else:
            self._results(list(view(item, self.style_of_result)))

    def _results(self, lines: Sequence[str]) -> None:
        """Print lines on stdout, the only place where that is done: nothing of an unfinished result goes out."""
        if not self.has_output:
            raise CommandError(
                "output_failed", message("there is no standard output: it is closed")
            )
        plain = not self.as_json and not can_show("✓✗", sys.stdout)
        with _output():
            for line in lines:
                print(shown(line.translate(_SIGNS_IN_ASCII) if plain else line))

    def style_of_result(self, text: str, *names: str) -> str:
        """Return text in a style, where stdout shows colours."""
        return self.style(text, *names, stream=sys.stdout)

    def progress(self, text: str) -> None:
        """Print a line of progress; nothing where errors are JSON, and alone on stderr."""
        if not self.as_json:
            self._line(text)

    def question(self, text: str) -> None:
        """Print on stderr what a person has to do now."""
        self._line(text)

    def notice(self, fields: Mapping[str, Any]) -> None:
        """Print on stderr, as a line of JSON, what has to be done now: a program may show it to a person."""
        self._line(as_json(fields, sys.stderr))

    def usage(self, text: str) -> None:
        """Print how a group of commands is used, as an error."""
        if self.as_json:
            self.failure(CommandError("invalid_argument", message("a command is missing")))
        else:
            self._line(text)

    def warning(self, warning: Warning | str) -> None:
        """Print a warning of the SDK; where errors are JSON, after the result or as part of the error."""
        if self.as_json:
            self._held.append(str(warning))
        else:
            self._labelled("warning", "yellow", str(warning), "")

    def _held_warnings(self) -> None:
        for warning in self._held:
            self._line(message("warning: {text}", text=warning))
        self._held.clear()

    def failure(self, error: CommandError, source: Source | None = None) -> None:
        """Print an error; with `source`, the lines of the file that it means."""
        steps = [next_command(step) for step in error.next]
        if self.as_json:
            failed: dict[str, Any] = {"code": error.code, "message": error.message, "next": steps}
            if error.details:
                failed["details"] = error.details
            if self._held:
                failed["warnings"] = self._held
            self._line(as_json(failed, sys.stderr))
            return
        if error.code == "output_closed":
            return
        if error.code == "interrupted":  # by the person, who knows: that is how `acr dev` ends
            self._line(f"\n{self.style(error.message, 'dim')}")
            return
        faults = error.details
        if not source or not any(map(source.has, faults)):
            self._labelled("error", "red", translated(error.message), error.code)
            faults = [each for each in faults if str(each.get("message")) not in error.message]
        for fault in faults:
            self._fault("error", "red", fault, error.code, source)
        if language() == "zh":
            self._explained(error.code)
        for step in steps:
            arrow = self.style(self.sign("→"), "cyan")
            self._line(f"  {arrow} {cell(step)}")

    def _fault(
        self, label: str, colour: str, fault: Mapping[str, Any], code: str, source: Source | None
    ) -> None:
        place = "" if source and source.has(fault) else fault.get("path", "")
        said = translated(fault.get("message", ""))
        text = f"{place}: {said}" if place else said
        self._labelled(label, colour, text, code)
        columns = shutil.get_terminal_size((100, 24)).columns
        for line in source.excerpt(fault, columns) if source else ():
            self._line(line if self.sign("…") == "…" else line.replace("…", "~"))

    def _explained(self, code: str) -> None:
        """Print what a code means: engines write their messages in English."""
        from arcrun.commands.explanations import meaning_of

        meaning = meaning_of(code, "zh")
        if meaning:
            self._line(f"  {meaning}")

    def _labelled(self, label: str, colour: str, text: str, code: str) -> None:
        head = self.style(message(label) + (f"[{cell(code)}]" if code else ""), colour, "bold")
        self._line(f"{head}: {text}")

    def sign(self, sign: str, stream: TextIO | None = None) -> str:
        """Return a sign such as ✓, or one of ASCII where the stream can't show it."""
        return sign if can_show(sign, stream or sys.stderr) else _ASCII.get(sign, "?")

    @staticmethod
    def _line(text: str) -> None:
        """Print on stderr, the only place where that is done; the exit code stays if it can't be written."""
        with suppress(OSError):
            print(shown(text), file=sys.stderr, flush=True)

    def style(self, text: str, *names: str, stream: TextIO | None = None) -> str:
        """Return text in a style, where the stream shows colours."""
        if not has_colour(stream or sys.stderr):
            return text
        codes = ";".join(_STYLES[name] for name in names)
        return styled(text, codes)

    def _table(self, result: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
        """Return the lines of a table, and say on stderr what it leaves out."""
        field, *names = columns
        rows = [[cell(item.get(name)) for name in names] for item in result[field]]
        if not rows:
            self.progress(message("no {field}", field=message(field)))
            return []
        if result.get("total", 0) > len(rows):
            self.progress(
                message(
                    "{shown} of {total}; --limit shows more", shown=len(rows), total=result["total"]
                )
            )
        return table(names, rows, shutil.get_terminal_size((100, 24)).columns)


def _fault_of(warning: Mapping[str, Any] | str) -> Mapping[str, Any]:
    """Return a warning with its place, which some are preceded by: `line 7, column 11: …`."""
    if not isinstance(warning, str):
        return warning
    placed = _PLACED.match(warning)
    if placed is None:
        return {"message": warning}
    return {"message": placed[3], "line": int(placed[1]), "column": int(placed[2])}


def next_command(step: Next) -> str:
    """Return what can be done next, in the words of the command line."""
    if not step.command:
        return message(step.text)
    options = [
        word
        for name, value in step.named
        for word in (f"--{name.replace('_', '-')}", *([] if value is True else [str(value)]))
    ]
    words = " ".join((step.command, *map(shlex.quote, (*step.arguments, *options))))
    return f"{message(step.text)}: acr {words}"


def has_colour(stream: TextIO | None) -> bool:
    """Tell whether a stream shows colours: a terminal, unless NO_COLOR, FORCE_COLOR or TERM say otherwise."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


@contextmanager
def _output() -> Generator[None, None, None]:
    """Let what is printed on stdout go out, or say why it does not.

    Raises:
        OutputClosedError: who read it has gone away.
        CommandError: it can't be written.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise OutputClosedError from None
    except OSError as error:
        raise CommandError(
            "output_failed",
            message("the result can't be written: {reason}", reason=error.strerror or error),
        ) from None


def as_yaml(value: object) -> str:
    """Return a result as YAML, texts of several lines as blocks, what steers a terminal as YAML's escapes."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def text(dumper: yaml.SafeDumper, found: str) -> yaml.Node:
        style = '"' if steers(found) else "|" if "\n" in found else None  # only `"` has escapes
        return dumper.represent_scalar("tag:yaml.org,2002:str", found, style=style)

    Dumper.add_representer(str, text)
    shows_all = can_show("✓天", sys.stdout)  # otherwise YAML's own escapes
    text_of_all = yaml.dump(
        value, Dumper=Dumper, allow_unicode=shows_all, sort_keys=False, width=1000
    )
    return escaped(text_of_all)


def as_json(value: Mapping[str, Any], stream: TextIO, *, indent: int | None = None) -> str:
    """Return JSON, with escapes for what the stream can't show, and for what steers a terminal."""
    text = json.dumps(value, ensure_ascii=not can_show("✓天", stream), indent=indent)
    return escaped_json(text)


def can_show(text: str, stream: TextIO) -> bool:
    """Tell whether the encoding of a stream has these characters."""
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def cell(value: object) -> str:
    """Return a value for a table: on one line, with escapes for what would steer a terminal."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(cell, value))
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return escaped(" ".join(text.split()))


def table(names: Sequence[str], rows: Sequence[Sequence[str]], columns: int) -> list[str]:
    """Return the lines of a table; only the last column is cut to fit, and then it says so by `…`.

    Args:
        names: the heads of the columns.
        rows: the cells.
        columns: the width of the terminal.
    """
    heads = [message(name.replace("_", " ").upper()) for name in names]
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
