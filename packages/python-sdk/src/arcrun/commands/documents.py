"""YAML and JSON documents that people write, with the place of each key and value: errors point there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from arcrun._core.config import PARSER_ERRORS

from .errors import CommandError
from .sentences import sentence

if TYPE_CHECKING:
    import yaml

# More values than this, aliases written out, are refused: a document of a few lines can stand for billions.
MOST_VALUES = 100_000
DEEPEST = 100
_MOST_FAULTS = 20
_TOO_DEEP = f"here it is nested more than {DEEPEST} deep; do aliases (*name) repeat?"

Path = tuple["str | int", ...]
LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # as YAML counts lines
_FULL_WIDTH_COLON = re.compile(r"^(\s*(?:- +)?[\w.-]+)：", re.MULTILINE)
_FULL_WIDTH_QUOTES = frozenset("“”‘’＂＇")
_TAB = re.compile(r"^ *\t", re.MULTILINE)
_OPEN_BRACES = re.compile(r"^\s*(?:- +)?(?:[^\s'\"{\[][^'\"]*?: +)?(\{\{)")
# What PyYAML says, and what it usually means. `{0}` is the part that the expression captures.
_PROBLEMS = (
    (
        r"mapping values are not allowed",
        "a text that holds `: ` must be in quotes; or is the indentation right?",
    ),
    (
        r"could not find expected ':'",
        "this is no `key: value`: a colon and a space must follow the key",
    ),
    (r"expected <block end>", "the indentation does not fit the lines above"),
    (r"character '(.+)' that cannot start", "a text can't begin with `{0}`: put it into quotes"),
    (r"found unexpected end of stream", "the quotation mark that opens here is not closed"),
    (r"found undefined alias '?(.*?)'?$", "`*{0}` is an alias in YAML: put the text into quotes"),
    (r"constructor for the tag '(.+)'", "`{0}` is a tag in YAML: put the text into quotes"),
    (r"expected ',' or '([\]}}])'", "a comma or `{0}` is missing here"),
)


class Place(NamedTuple):
    """A place in a text; both count from 1."""

    line: int
    column: int


class Nodes:
    """What a parser found: values, and the keys of those that are in a mapping, by their paths."""

    def __init__(self) -> None:
        self.values: dict[Path, yaml.Node] = {}
        self.keys: dict[Path, yaml.Node] = {}


class Document:
    """A parsed document.

    Attributes:
        value: the mapping.
        text: the text that it was read from, without a byte order mark.
    """

    def __init__(self, value: dict[str, Any], text: str, nodes: Nodes) -> None:
        self.value = value
        self.text = text
        self._nodes = nodes.values
        self._keys = nodes.keys

    def place_of(self, path: Sequence[str | int], part: str = "") -> Place | None:
        """Return the place of a value, or that of the nearest one around it that is in the document.

        Args:
            path: keys and positions, from the outermost.
            part: a part of the value, which is a text: then its first occurrence.
        """
        steps = tuple(path)
        while steps:
            if steps in self._nodes:
                return self._place_with(steps, part)
            steps = steps[:-1]
        return None

    def _place_with(self, path: Path, part: str) -> Place:
        """Return the place of a value, of the text in it that has `part`, or of the key of a block."""
        if part:
            for inner, node in self._nodes.items():
                if (
                    inner[: len(path)] == path
                    and isinstance(node.value, str)
                    and part in node.value
                ):
                    return self._place_in(node, node.value.find(part))
        node = self._nodes[path]
        is_block = not isinstance(node.value, str) and not getattr(node, "flow_style", True)
        return _place(self._keys[path] if is_block and path in self._keys else node)

    def place_within(self, path: Sequence[str | int], offset: int) -> Place | None:
        """Return the place of a character of a text: quotes, escapes and folded lines are counted.

        Args:
            path: the text's.
            offset: the number of the character, from 0.
        """
        node = self._nodes.get(tuple(path))
        return None if node is None else self._place_in(node, offset)

    def has(self, path: Sequence[str | int]) -> bool:
        """Tell whether there is a value at a path."""
        return tuple(path) in self._nodes

    def warnings(self) -> Iterator[dict[str, Any]]:
        """Yield what is valid, and most likely not meant: full-width quotation marks around a text."""
        import yaml

        for path, node in self._nodes.items():
            if not isinstance(node, yaml.ScalarNode) or node.style or not node.value:
                continue
            ends = {node.value[0], node.value[-1]}
            if len(node.value) > 1 and ends <= _FULL_WIDTH_QUOTES:
                name = ".".join(map(str, path))
                message = (
                    f"the full-width quotation marks {node.value[0]} {node.value[-1]} are part of this text; "
                    "YAML quotes by \" or '"
                )
                yield {"message": message, "path": name, **_place(node)._asdict()}

    def _place_in(self, node: yaml.Node, offset: int) -> Place:
        start = node.start_mark.index
        if not offset and not getattr(node, "style", None):
            return _place(node)
        raw = self.text[start : node.end_mark.index]
        found = _index_in(raw, str(node.value), offset) if isinstance(node.value, str) else None
        return _place(node) if found is None else place_at(self.text, start + found)


def _index_in(raw: str, value: str, offset: int) -> int | None:
    """Return where a character of a text stands in what was written; None if it was written as an escape."""
    index = 0
    if raw[:1] in {"|", ">"}:  # a block: its first line says how it is folded
        header = LINE_END.search(raw)
        index = header.end() if header else len(raw)
    for number, character in enumerate(value):
        if not character.isspace():
            while index < len(raw) and raw[index] != character:
                if not (raw[index].isspace() or raw[index] in "\\\"'"):
                    return None
                index += 1
        if index >= len(raw):
            return None
        if number == offset:
            return index
        if not character.isspace() or raw[index].isspace():
            index += 1
    return index if offset >= len(value) else None


def parse_document(text: str, what: str = sentence("the document")) -> Document:
    """Parse YAML, of which JSON is a part.

    Args:
        text: the document's text.
        what: names it in errors.

    Raises:
        CommandError: `invalid_yaml`, with the places, if it is not YAML of one mapping, or names a key twice.

    Example:
        >>> parse_document("name: greet").place_of(["name"])
        Place(line=1, column=7)
    """
    import yaml

    text = text.removeprefix("\ufeff")
    nodes = Nodes()
    try:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            if node is not None:
                faults = list(islice(_read(node, (), nodes, [MOST_VALUES], 0), _MOST_FAULTS))
                if faults:
                    raise _invalid(what, faults)
            value = None if node is None else _constructed(loader, node, nodes, what)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise _invalid(what, [_fault_of(error, text)]) from None
    except yaml.reader.ReaderError as error:
        message = (
            f"the character U+{_code_point(error.character):04X} is not allowed here: remove it"
        )
        place = place_at(text, error.position)
        raise _invalid(what, [{"message": message, **place._asdict()}]) from None
    except RecursionError:
        raise _invalid(what, [_too_deep(text)]) from None
    except (yaml.YAMLError, *PARSER_ERRORS):
        raise _invalid(what, [{"message": "it can't be read", "line": 1, "column": 1}]) from None
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return Document(value, text, nodes)
    raise _invalid(what, [_no_mapping(text, value)])


def _constructed(loader: yaml.SafeLoader, node: yaml.Node, nodes: Nodes, what: str) -> Any:
    """Return the value of a document.

    Raises:
        CommandError: a text without quotes looks like a number or a date, but can't be read as one.
    """
    import yaml

    try:
        return loader.construct_document(node)
    except PARSER_ERRORS:
        for each in nodes.values.values():
            try:
                if isinstance(each, yaml.ScalarNode):
                    yaml.SafeLoader("").construct_object(each)
            except PARSER_ERRORS:
                shown = each.value if len(each.value) <= 20 else f"{each.value[:20]}…"
                kind = str(each.tag).rpartition(":")[2]
                named = {"int": "a number", "float": "a number", "timestamp": "a date"}.get(
                    kind, kind
                )
                message = f"`{shown}` can't be read as {named}: put it into quotes if it is a text"
                fault = {"message": message, **_place(each)._asdict()}
                raise _invalid(what, [fault]) from None
        raise


def _too_deep(text: str) -> dict[str, Any]:
    """Return where a document that is nested too deeply is so."""
    import yaml

    depth = 0
    place = Place(1, 1)
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if event.start_mark:
                place = Place(event.start_mark.line + 1, event.start_mark.column + 1)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            break
    return {"message": _TOO_DEEP, **place._asdict()}


def _code_point(character: int | str | bytes) -> int:
    return character if isinstance(character, int) else ord(character)


def _no_mapping(text: str, value: object) -> dict[str, Any]:
    """Return why a document is no mapping from texts."""
    if value is None:
        return {"message": "it is empty; it must be a mapping, lines of `key: value`"}
    colon = _FULL_WIDTH_COLON.search(text)
    if colon:
        return _full_width_colon(text, colon)
    if isinstance(value, dict):
        key = next(key for key in value if not isinstance(key, str))
        return {
            "message": f"the key {key!r} is no text: put it into quotes",
            "line": 1,
            "column": 1,
        }
    found = "a list" if isinstance(value, list) else "a single value"
    return {
        "message": f"it is {found}; it must be a mapping, lines of `key: value`",
        "line": 1,
        "column": 1,
    }


def _read(
    node: yaml.Node, path: Path, nodes: Nodes, left: list[int], depth: int
) -> Iterator[dict[str, Any]]:
    """Note a node and what is in it; yield the keys that are named twice."""
    import yaml

    left[0] -= 1
    if left[0] < 0:
        message = f"with this it has more than {MOST_VALUES:,} values; do aliases (*name) repeat?"
        yield {"message": message, **_place(node)._asdict()}
    if depth > DEEPEST:
        yield {"message": _TOO_DEEP, **_place(node)._asdict()}
    if left[0] < 0 or depth > DEEPEST:
        return
    nodes.values.setdefault(path, node)
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _read(item, (*path, number), nodes, left, depth + 1)
    elif isinstance(node, yaml.MappingNode):
        seen: dict[str, Place] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in seen and key.tag != "tag:yaml.org,2002:merge":
                message = f"the key {name!r} stands here a second time; the first is on line {seen[name].line}"
                yield {"message": message, **_place(key)._asdict()}
            seen.setdefault(name, _place(key))
            nodes.keys.setdefault((*path, name), key)
            yield from _read(value, (*path, name), nodes, left, depth + 1)


def _place(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _fault_of(error: yaml.MarkedYAMLError, text: str) -> dict[str, Any]:
    """Return what is wrong with a text that is no YAML, in words that name the usual mistakes."""
    mark = error.problem_mark or error.context_mark
    problem = str(error.problem or "it is not YAML")
    if "unexpected end of stream" in problem and error.context_mark:
        mark = error.context_mark
    place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
    tab, colon = _TAB.search(text), _FULL_WIDTH_COLON.search(text)
    if tab and "\\t" in problem:
        message = "a tab can't indent YAML; use spaces"
        return {"message": message, **place_at(text, tab.end() - 1)._asdict()}
    if colon and place_at(text, colon.end() - 1).line <= place.line:
        return _full_width_colon(text, colon)
    lines = LINE_END.split(text)
    braces = _OPEN_BRACES.match(lines[place.line - 1]) if place.line <= len(lines) else None
    if braces:
        message = 'a text that begins with `{{` must be in quotes: "{{…}}"'
        return {"message": message, "line": place.line, "column": braces.start(1) + 1}
    return {"message": _in_our_words(problem), **place._asdict()}


def _in_our_words(problem: str) -> str:
    for pattern, words in _PROBLEMS:
        found = re.search(pattern, problem)
        if found:
            return words.replace("{0}", found[1]) if found.groups() else words
    return problem.replace("\\n", "line end")


def _full_width_colon(text: str, found: re.Match[str]) -> dict[str, Any]:
    message = "this is a full-width colon `：`; YAML needs `: `, a colon and a space"
    return {"message": message, **place_at(text, found.end() - 1)._asdict()}


def place_at(text: str, index: int) -> Place:
    """Return the line and column of a character."""
    ends = [found.end() for found in LINE_END.finditer(text, 0, index)]
    return Place(len(ends) + 1, index - (ends[-1] if ends else 0) + 1)


def _invalid(what: str, faults: list[dict[str, Any]]) -> CommandError:
    return CommandError(
        "invalid_yaml",
        sentence("{what} is not valid YAML: {problem}", what=what, problem=summary_of(faults)),
        details=faults,
    )


def summary_of(faults: Sequence[dict[str, Any]]) -> str:
    """Return the first of the faults with its place, and how many others there are."""
    first = faults[0]
    has_place = "line" in first and "column" in first
    where = f"line {first['line']}, column {first['column']}: " if has_place else ""
    more = f" (and {len(faults) - 1} more, see details)" if len(faults) > 1 else ""
    return f"{where}{first.get('message', '')}{more}"
