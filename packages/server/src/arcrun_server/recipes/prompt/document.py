"""Reading the text of a recipe: YAML or JSON, with the place of everything in it.

What is read is what JSON can hold, so a recipe means the same however it is sent. Of YAML 1.2's core
schema: `yes` and `2026-11-30` are texts. Anchors, tags and merge keys are refused, and so is a key
that stands twice.

The parser is driven event by event and without recursion, so depth and number of values are bounded
before anything large is built.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from arcrun_server.engine import Problem
from arcrun_server.engine.characters import no_character

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from yaml.error import Mark

Path = tuple["str | int", ...]

MAX_CHARACTERS = 256 * 1024
MAX_VALUES = 10_000
MAX_DEPTH = 32

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_JSON_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
# What YAML wants escaped (YAML 1.2, 5.1).
_NOT_PRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Place:
    """Where something stands in the text of a recipe: line and column, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class _Scalar:
    start: int
    end: int
    line: int
    is_literal: bool


@dataclass(frozen=True)
class Document:
    """What a recipe says, and where.

    Attributes:
        value: The recipe as a JSON value.
        text: What was read, or None if the recipe was given as a value.
        values: The places of the values, by path.
        keys: The places of the keys, by path.
        scalars: The extent of the scalars, by path.
    """

    value: Any
    text: str | None = None
    values: Mapping[Path, Place] = field(default_factory=dict, repr=False)
    keys: Mapping[Path, Place] = field(default_factory=dict, repr=False)
    scalars: Mapping[Path, _Scalar] = field(default_factory=dict, repr=False)

    def problem(
        self,
        message: str,
        path: Path,
        *,
        suggestion: str | None = None,
        at_key: bool = False,
        written: str | None = None,
        number: int = 0,
    ) -> Problem:
        """Return a problem with its place.

        Args:
            message: What is wrong, and what to do about it.
            path: Of which value.
            suggestion: The nearest known name.
            at_key: Whether the key is wrong, not its value.
            written: What is wrong within a text.
            number: Which occurrence of it, from 0.
        """
        place = self.place(path, at_key=at_key, written=written, number=number)
        return Problem(
            message,
            line=place.line if place else None,
            column=place.column if place else None,
            path=path_text(path),
            suggestion=suggestion,
            code="invalid_recipe",
        )

    def place(
        self, path: Path, *, at_key: bool = False, written: str | None = None, number: int = 0
    ) -> Place | None:
        """Return where a value, its key, or something written in it stands; None if there is no text.

        What is written in a scalar in another way, as with escapes, has the place of the scalar.
        """
        if self.text is None:
            return None
        scalar = self.scalars.get(path)
        if written is not None and scalar is not None:
            index = scalar.start - 1
            for _ in range(number + 1):
                index = self.text.find(written, index + 1, scalar.end)
                if index < 0:
                    break
            else:
                return _place_of(self.text, index)
        return (self.keys if at_key else self.values).get(path) or self.values.get(path)

    def text_start(self, path: Path) -> tuple[int, bool] | None:
        """Return the line in which a text begins, and whether its line breaks are those of the document.

        They are in a literal block (`|`); in the other scalars, folding joins lines. None if the
        document was given as a value.
        """
        scalar = self.scalars.get(path)
        if scalar is None:
            return None
        return (scalar.line + 1, True) if scalar.is_literal else (scalar.line, False)


class DocumentError(ValueError):
    """A text that can't be read.

    Attributes:
        problem: What is wrong, and where.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def document_of(value: Any) -> Document:
    """Return the document of a recipe that was given as a value.

    Raises:
        DocumentError: It is too large, or holds what no text can.
    """
    _check_value(value)
    return Document(value)


def path_text(path: Path) -> str | None:
    """Return a path as it is written in problems.

    Example:
        >>> path_text(("inputs", 0, "from"))
        'inputs[0].from'
    """
    written = ""
    for step in path:
        written += f"[{step}]" if isinstance(step, int) else f".{step}" if written else step
    return written or None


def read_document(text: str) -> Document:
    r"""Read a text in YAML or JSON.

    Args:
        text: The text, at most `MAX_CHARACTERS` long.

    Raises:
        DocumentError: It is not valid, too large, or uses what recipes can't.

    Example:
        >>> document = read_document("name: 摘要\nversion: 2\n")
        >>> document.value, document.place(("version",))
        ({'name': '摘要', 'version': 2}, Place(line=2, column=10))
    """
    if len(text) > MAX_CHARACTERS:
        raise _too_long()
    bad = no_character(text)
    if bad:
        raise DocumentError(_no_text(bad[0], _place_of(text, bad.start())))
    try:
        return _read_yaml(text)
    except _NoYamlError as error:
        # Some JSON is no YAML for this parser: surrogate pairs as escapes, and some control characters.
        document = _read_json(text)
        if document is None:
            raise DocumentError(error.problem) from None
        return document


class _NoYamlError(DocumentError):
    """A text that the YAML parser does not read."""


def _read_yaml(text: str) -> Document:
    builder = _Builder()
    try:
        for event in _events(text):
            builder.add(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = " ".join(filter(None, [error.context, error.problem]))
        raise _NoYamlError(
            _problem(f"not valid YAML: {reason}", _at(mark) if mark else None)
        ) from None
    except yaml.reader.ReaderError:
        found = _NOT_PRINTABLE.search(text)
        place = _place_of(text, found.start()) if found else None
        raise _NoYamlError(
            _problem("not valid YAML: it has a control character; write it as an escape", place)
        ) from None
    return builder.document(text)


def _read_json(text: str) -> Document | None:
    """Read JSON without places; return None for other texts."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        value = json.loads(text, object_pairs_hook=_json_object, parse_constant=_no_constant)
    except (json.JSONDecodeError, RecursionError):
        return None
    _check_value(value)
    return Document(value)


def _json_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for key, item in pairs:
        if key in value:
            raise DocumentError(_problem(f"the key '{key}' stands twice in one object", None))
        value[key] = item
    return value


def _no_constant(name: str) -> Any:
    raise DocumentError(_problem(f"JSON has no number {name}", None))


def _check_value(value: Any) -> None:
    """Check a value that came without places for what the events are checked for.

    Raises:
        DocumentError: It is nested too deeply, too large, or has what is no character.
    """
    count = characters = 0
    waiting: list[tuple[Any, Path]] = [(value, ())]
    while waiting:
        item, path = waiting.pop()
        count += 1
        if count > MAX_VALUES:
            raise DocumentError(_problem(f"the recipe has more than {MAX_VALUES:,} values", None))
        if isinstance(item, (dict, list)) and len(path) == MAX_DEPTH:
            raise DocumentError(_problem(f"nested deeper than {MAX_DEPTH} levels", None))
        if isinstance(item, str):
            characters += len(item)
            if characters > MAX_CHARACTERS:
                raise _too_long()
            bad = no_character(item)
            if bad:
                raise DocumentError(_no_text(bad[0], None))
        elif isinstance(item, dict):
            waiting += [(key, path) for key in item]
            waiting += [(inner, (*path, key)) for key, inner in item.items()]
        elif isinstance(item, list):
            waiting += [(inner, (*path, number)) for number, inner in enumerate(item)]


def _too_long() -> DocumentError:
    return DocumentError(_problem(f"the recipe is longer than {MAX_CHARACTERS:,} characters", None))


def _events(text: str) -> Iterator[Any]:
    loader = _Loader(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    finally:
        loader.dispose()


class _Builder:
    """Builds the value of a document from the parser's events."""

    def __init__(self) -> None:
        self.root: Any = None
        self.documents = 0
        self.count = 0
        self.values: dict[Path, Place] = {}
        self.keys: dict[Path, Place] = {}
        self.scalars: dict[Path, _Scalar] = {}
        # Each open list or object, its path, and for an object the key whose value comes next.
        self._open: list[tuple[Any, Path]] = []
        self._key: list[str | None] = []

    def add(self, event: Any) -> None:
        """Take the next event."""
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise _refused("a second document begins here; push one recipe at a time", event)
        elif isinstance(event, yaml.AliasEvent):
            raise _refused("recipes have no aliases (`*name`); write the value out", event)
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
            self._key.pop()

    def document(self, text: str) -> Document:
        """Return the whole document."""
        if not self.documents:
            raise DocumentError(_problem("the recipe is empty", None))
        return Document(self.root, text, self.values, self.keys, self.scalars)

    def _scalar(self, event: Any) -> None:
        self._check(event)
        if self._expects_key():
            self._take_key(event)
            return
        path = self._put(_resolved(event), event)
        mark = event.start_mark
        self.scalars[path] = _Scalar(
            mark.index, event.end_mark.index, mark.line + 1, event.style == "|"
        )

    def _begin(self, event: Any) -> None:
        self._check(event)
        if self._expects_key():
            raise _refused("a key must be a text", event)
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        path = self._put(value, event)
        if len(self._open) == MAX_DEPTH:
            raise _refused(f"nested deeper than {MAX_DEPTH} levels", event)
        self._open.append((value, path))
        self._key.append(None)

    def _expects_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1][0], dict) and self._key[-1] is None

    def _take_key(self, event: Any) -> None:
        container, path = self._open[-1]
        key = _resolved(event)
        if not isinstance(key, str):
            raise _refused("a key must be a text; put it in quotes", event)
        if key in container:
            raise _refused(f"the key '{key}' stands here twice", event)
        self._key[-1] = key
        place: Path = (*path, key)
        self.keys[place] = _at(event.start_mark)

    def _put(self, value: Any, event: Any) -> Path:
        """Put a value where it belongs; return its path."""
        path: Path = ()
        if not self._open:
            self.root = value
        else:
            container, above = self._open[-1]
            key = self._key[-1]
            if key is not None:
                container[key], path = value, (*above, key)
                self._key[-1] = None
            else:
                container.append(value)
                path = (*above, len(container) - 1)
        self.values[path] = _at(event.start_mark)
        return path

    def _check(self, event: Any) -> None:
        self.count += 1
        if self.count > MAX_VALUES:
            raise _refused(f"the recipe has more than {MAX_VALUES:,} values", event)
        if event.anchor is not None:
            raise _refused(
                "recipes have no anchors (`&name`); write the value where it is needed", event
            )
        if event.tag is not None and event.tag != "!":
            raise _refused("recipes have no tags (`!name`); put a text in quotes instead", event)


def _resolved(event: Any) -> Any:
    text: str = event.value
    bad = no_character(text)
    if bad:
        raise DocumentError(_no_text(bad[0], _at(event.start_mark)))
    if event.style:  # quoted, or a block
        return text
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NO_JSON_NUMBER.fullmatch(text):
        raise _refused(f"JSON has no number {text}; put it in quotes if it is a text", event)
    if _NUMBER.fullmatch(text):
        return _number(text, event)
    return text


def _number(text: str, event: Any) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _refused("this number is too large", event)
    return number


def _refused(message: str, event: Any) -> DocumentError:
    return DocumentError(_problem(message, _at(event.start_mark)))


def _no_text(character: str, place: Place | None) -> Problem:
    what = "the character NUL" if character == "\x00" else "half of a surrogate pair"
    return _problem(f"{what} can't stand in a recipe", place, code="invalid_text")


def _problem(message: str, place: Place | None, code: str = "invalid_recipe") -> Problem:
    return Problem(
        message,
        line=place.line if place else None,
        column=place.column if place else None,
        code=code,
    )


def _at(mark: Mark) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _place_of(text: str, index: int) -> Place:
    line = text.count("\n", 0, index)
    return Place(line + 1, index - text.rfind("\n", 0, index))
