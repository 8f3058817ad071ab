"""Assembling a prompt: templates are filled with values (docs/prompt-recipes.md#assembly).

There are two kinds of text, which never mix. *Templates* are trusted: the recipe's own two, and the
fragments. *Values* are data: what inputs yield. A template is parsed; a value is put in as it is and
never looked at again, so that a draft that says `{{schema}}` stays that text.

Everything comes in from outside (the fragments' texts, the look-up of paths), so that the same code
serves a run, `render`, the tests in a recipe and a backtest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from arcrun_server.engine.characters import no_character
from arcrun_server.engine.nearest import nearest
from arcrun_server.engine.placeholders import Placeholder, escaped_pieces, pieces
from arcrun_server.engine.templates import MISSING

from .transforms import (
    EmptyListError,
    InvalidTextError,
    TransformError,
    as_text,
    kind_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from arcrun_server.engine import JsonObject

    from .record import Input, PromptRecipe

MAX_CHARACTERS = 4_000_000
"""How long the messages of a prompt may be together, and the templates that are read for them."""

MAX_PIECES = 20_000
"""How many pieces a prompt may be put together of: fragments in fragments multiply."""

MAX_DEPTH = 32
"""How deep fragments may hold fragments."""

SEPARATOR = "\n\n--- USER ---\n\n"
"""Stands between the two messages for a model that takes one text."""

LookUp: TypeAlias = "Callable[[str], tuple[bool, Any]]"
"""Finds a dotted path in a run's context: whether it was found, and the value."""


@dataclass(frozen=True)
class FragmentText:
    """The text of a fragment, as it was fetched.

    Attributes:
        text: The text: a template.
        origin: Where it is from, as `{"block_id": …, "version": 3}`.
        name: The same for messages, as `block 'schema', version 3`.
    """

    text: str
    origin: JsonObject
    name: str


@dataclass(frozen=True)
class ResolvedRecipe:
    """A recipe with the texts of all its fragments.

    Attributes:
        recipe: The recipe.
        version: Its version; 0 if it is shipped, None if it has none yet.
        fragments: The texts by variable. A fragment of the source `recipe` is another recipe. One that could
            not be fetched is the error, which is raised where a template uses it.
    """

    recipe: PromptRecipe
    version: int | None
    fragments: Mapping[str, FragmentText | ResolvedRecipe | AssemblyError] = field(
        default_factory=dict
    )

    @property
    def name(self) -> str:
        """Return its name with the version, for messages."""
        return f"{self.recipe.id}@{self.version}" if self.version else self.recipe.id


@dataclass(frozen=True)
class Range:
    """Where a range of a message's characters is from.

    Attributes:
        start: The first character, from 0.
        end: The one behind the last.
        origin: `{"kind": "template", "recipe", "version", "part", "line"}`,
            `{"kind": "fragment", "var", …, "line"}` or `{"kind": "value", "var", "from"}`.
    """

    start: int
    end: int
    origin: JsonObject


@dataclass(frozen=True)
class Message:
    """One message of a prompt.

    Attributes:
        role: `system` or `user`.
        content: Its text.
        ranges: Where each character is from, without gaps.
    """

    role: str
    content: str
    ranges: tuple[Range, ...] = ()


@dataclass(frozen=True)
class Prompt:
    """An assembled prompt.

    Attributes:
        messages: The messages, the system's first.
        values: What the inputs yielded before their transforms, by variable.
        warnings: What is declared and not used.
    """

    messages: tuple[Message, ...]
    values: JsonObject
    warnings: tuple[str, ...] = ()

    def one_text(self) -> str:
        """Return the messages as one text, for a model that takes no messages."""
        return SEPARATOR.join(message.content for message in self.messages)


class AssemblyError(ValueError):
    """A prompt that can't be assembled.

    Attributes:
        recipe: The recipe and its version, as `prompt_recipe:wiki_synthesis@3`.
        variable: The variable that it is about.
        place: Where in the template.
        code: `invalid_recipe`, `missing_fragment`, `missing_value`, `invalid_value`, `invalid_text` or `prompt_too_large`.
        suggestion: The nearest known name.
    """

    def __init__(
        self,
        message: str,
        recipe: str,
        *,
        code: str,
        variable: str | None = None,
        place: str | None = None,
        suggestion: str | None = None,
    ) -> None:
        where = f"{recipe}: {place}: " if place else f"{recipe}: "
        hint = f"; did you mean '{suggestion}'?" if suggestion else ""
        super().__init__(f"{where}{message}{hint}")
        self.recipe = recipe
        self.variable = variable
        self.place = place
        self.code = code
        self.suggestion = suggestion


def assemble(
    resolved: ResolvedRecipe,
    look_up: LookUp,
    given: Mapping[str, Any] | None = None,
) -> Prompt:
    """Assemble a prompt.

    Args:
        resolved: The recipe with its fragments.
        look_up: Finds the paths of the inputs.
        given: Values by variable, which count instead of what the paths lead to.

    Raises:
        AssemblyError: A value is missing or of the wrong kind, a template is wrong, the fragments
            hold each other, or the prompt is too large.

    Example:
        >>> from arcrun_server.recipes.prompt.reading import read_recipe
        >>> recipe, _ = read_recipe({
        ...     "name": "greet",
        ...     "inputs": [{"var": "who", "from": "input.name"}],
        ...     "prompt_assembly": {"system": "Be kind.", "user": "Greet {{who}}."},
        ... })
        >>> prompt = assemble(ResolvedRecipe(recipe, 1), lambda path: (True, "{{secret.x}} 小明"))
        >>> [message.content for message in prompt.messages]
        ['Be kind.', 'Greet {{secret.x}} 小明.']
    """
    size = _Size(resolved.name)
    scope = _Scope(resolved, look_up, size, given or {})
    messages = []
    for role, template in resolved.recipe.templates.items():
        writer = _Writer(size)
        source = _Template(
            template,
            {
                "kind": "template",
                "recipe": resolved.recipe.id,
                "version": resolved.version,
                "part": role,
            },
            f"the {role} template",
            resolved.recipe,
            role,
        )
        scope.write(source, writer, ())
        messages.append(writer.message(role))
    if not messages[-1].content.strip():
        raise AssemblyError("the user message is empty", resolved.name, code="invalid_value")
    return Prompt(tuple(messages), scope.yielded, scope.unused())


@dataclass
class _Size:
    """What one prompt may use, over all its messages and recipes."""

    recipe: str
    characters: int = 0
    pieces: int = 0

    def take(self, characters: int) -> None:
        self.characters += characters
        self.pieces += 1
        if self.characters > MAX_CHARACTERS:
            raise AssemblyError(
                f"the prompt is longer than {MAX_CHARACTERS:,} characters",
                self.recipe,
                code="prompt_too_large",
            )
        if self.pieces > MAX_PIECES:
            raise AssemblyError(
                f"the prompt is put together of more than {MAX_PIECES:,} pieces; "
                "fragments that hold fragments multiply",
                self.recipe,
                code="prompt_too_large",
            )


class _Writer:
    """Collects the text of one message and where it is from."""

    def __init__(self, size: _Size) -> None:
        self._size = size
        self._pieces: list[str] = []
        self._ranges: list[Range] = []
        self._length = 0

    def put(self, text: str, origin: JsonObject) -> None:
        self._size.take(len(text))
        if not text:
            return
        start, end = self._length, self._length + len(text)
        if self._ranges and self._ranges[-1].origin == origin:
            start = self._ranges.pop().start
        self._pieces.append(text)
        self._ranges.append(Range(start, end, origin))
        self._length = end

    def message(self, role: str) -> Message:
        return Message(role, "".join(self._pieces), tuple(self._ranges))


@dataclass(frozen=True)
class _Template:
    """A trusted text and where it is from; `role` is set for those that stand in the recipe itself."""

    text: str
    origin: JsonObject
    name: str
    recipe: PromptRecipe
    role: str | None = None

    def parts(self) -> Iterator[tuple[str | Placeholder, int]]:
        """Yield plain texts and placeholders, each with its line.

        Nothing is parsed ahead, so whoever reads can stop a text that makes too many pieces.
        """
        line, counts = self._first_line()
        for piece, is_literal in escaped_pieces(self.text):
            for part in (piece,) if is_literal else pieces(piece):
                yield part, line
                if counts:
                    line += (part if isinstance(part, str) else part.source).count("\n")

    def _first_line(self) -> tuple[int, bool]:
        """Return the line in which the text begins, and whether its line breaks count."""
        if self.role is not None:
            start = self.recipe.document.text_start(self.recipe.template_paths[self.role])
            if start is not None:
                return start
        return 1, True


class _Scope:
    """The variables of one recipe, while a prompt is assembled."""

    def __init__(
        self,
        resolved: ResolvedRecipe,
        look_up: LookUp,
        size: _Size,
        given: Mapping[str, Any],
    ) -> None:
        self._resolved = resolved
        self._look_up = look_up
        self._size = size
        self._given = given
        self._inputs = {item.var: item for item in resolved.recipe.inputs}
        self._texts: dict[str, str] = {}
        self._scopes: dict[str, _Scope] = {}
        self._used: set[str] = set()
        self.yielded: dict[str, Any] = {}

    def write(self, template: _Template, writer: _Writer, inside: tuple[str, ...]) -> None:
        """Write a template, filled.

        Args:
            template: The template.
            writer: Where it goes.
            inside: The fragments that it stands in, outermost first.
        """
        for part, line in template.parts():
            if isinstance(part, str):
                writer.put(part, {**template.origin, "line": line})
                continue
            self._size.take(len(part.source))
            self._used.add(part.name)
            if part.name in self._inputs:
                item = self._inputs[part.name]
                writer.put(
                    self._text_of(item), {"kind": "value", "var": item.var, "from": item.path}
                )
            elif part.name in self._resolved.fragments:
                self._write_fragment(part.name, writer, inside)
            else:
                raise self._undeclared(part, template, line)

    def unused(self) -> tuple[str, ...]:
        """Return a warning for each variable that nothing used."""
        own = [
            f"nothing uses the variable '{var}'"
            for var in self._resolved.recipe.variables
            if var not in self._used
        ]
        inner = [warning for scope in self._scopes.values() for warning in scope.unused()]
        return (*own, *inner)

    def _write_fragment(self, var: str, writer: _Writer, inside: tuple[str, ...]) -> None:
        if var in inside:
            cycle = " → ".join((*inside[inside.index(var) :], var))
            raise self._error(
                f"the fragments hold each other: {cycle}", code="invalid_recipe", variable=var
            )
        if len(inside) == MAX_DEPTH:
            raise self._error(
                f"fragments are nested deeper than {MAX_DEPTH} levels",
                code="invalid_recipe",
                variable=var,
            )
        fragment = self._resolved.fragments[var]
        if isinstance(fragment, AssemblyError):
            raise fragment
        if isinstance(fragment, FragmentText):
            origin = {"kind": "fragment", "var": var, **fragment.origin}
            name = f"the fragment '{var}' ({fragment.name})"
            template = _Template(fragment.text, origin, name, self._resolved.recipe)
            self.write(template, writer, (*inside, var))
            return
        inner = self._scopes.get(var)
        if inner is None:
            inner = _Scope(fragment, self._look_up, self._size, {})
            self._scopes[var] = inner
        origin = {
            "kind": "fragment",
            "var": var,
            "recipe": fragment.recipe.id,
            "version": fragment.version,
        }
        template = _Template(
            fragment.recipe.user, origin, "the user template", fragment.recipe, "user"
        )
        inner.write(template, writer, ())
        self.yielded |= {f"{var}.{name}": value for name, value in inner.yielded.items()}

    def _text_of(self, item: Input) -> str:
        text = self._texts.get(item.var)
        if text is None:
            text = self._texts[item.var] = self._transformed(item)
        return text

    def _transformed(self, item: Input) -> str:
        value = self._value_of(item)
        try:
            text = item.transform.apply(value) if item.transform else as_text(value)
        except EmptyListError as error:
            if item.default is MISSING:
                raise self._invalid(item, str(error)) from None
            value = item.default
            text = as_text(value)
        except InvalidTextError:
            raise self._invalid_text(item) from None
        except TransformError as error:
            raise self._invalid(item, str(error)) from None
        self.yielded[item.var] = value
        if no_character(text):
            raise self._invalid_text(item)
        return text

    def _invalid_text(self, item: Input) -> AssemblyError:
        what = "holds what is no character: NUL, or half of a surrogate pair"
        message = f"the value of '{item.var}' ({item.path}) {what}"
        return self._error(message, code="invalid_text", variable=item.var)

    def _value_of(self, item: Input) -> Any:
        if item.var in self._given:
            return self._given[item.var]
        found, value = self._look_up(item.path)
        if found:
            return value
        if item.default is not MISSING:
            return item.default
        raise self._error(
            f"'{item.var}' has no value: there is nothing at '{item.path}'{_there(item.path, self._look_up)}. "
            "Correct `from`, or give the input a `default`",
            code="missing_value",
            variable=item.var,
        )

    def _invalid(self, item: Input, reason: str) -> AssemblyError:
        return self._error(
            f"the value of '{item.var}' ({item.path}): {reason}",
            code="invalid_value",
            variable=item.var,
        )

    def _undeclared(
        self, placeholder: Placeholder, template: _Template, line: int
    ) -> AssemblyError:
        return self._error(
            f"`{{{{{placeholder.name[:60]}}}}}` is no variable of the recipe",
            code="invalid_recipe",
            variable=placeholder.name[:60],
            place=f"{template.name}, line {line}",
            suggestion=nearest(placeholder.name, self._resolved.recipe.variables),
        )

    def _error(self, message: str, **more: Any) -> AssemblyError:
        return AssemblyError(message, self._resolved.name, **more)


def fragment_warnings(resolved: ResolvedRecipe) -> list[str]:
    """Return what the texts of the fragments would make wrong, without any values.

    Args:
        resolved: The recipe with the fragments that could be fetched.
    """
    known = resolved.recipe.variables
    warnings = []
    for var, fragment in resolved.fragments.items():
        if not isinstance(fragment, FragmentText):
            continue
        template = _Template(fragment.text, {}, "", resolved.recipe)
        for part, line in islice(template.parts(), MAX_PIECES):
            if isinstance(part, Placeholder) and part.name not in known:
                near = nearest(part.name, known)
                hint = f"; did you mean '{near}'?" if near else ""
                warnings.append(
                    f"the fragment '{var}' ({fragment.name}), line {line}: "
                    f"`{{{{{part.name[:60]}}}}}` is no variable of the recipe{hint}"
                )
                break
    return warnings


def _there(path: str, look_up: LookUp) -> str:
    """Return what there is beside a path that leads nowhere: names only, no values."""
    steps = path.split(".")
    for length in range(len(steps) - 1, 0, -1):
        beside = ".".join(steps[:length])
        found, value = look_up(beside)
        if not found:
            continue
        if isinstance(value, dict):
            names = [name[:60] for name in list(value)[:10]]
            return f"; '{beside}' has: {', '.join(names)}" if names else f"; '{beside}' is empty"
        if isinstance(value, list):
            return f"; '{beside}' is a list of {len(value)}"
        return f"; '{beside}' is {kind_of(value)}"
    return ""
