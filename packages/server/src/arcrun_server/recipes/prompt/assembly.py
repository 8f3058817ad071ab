"""Assembling a prompt: templates are filled with values (docs/prompt-recipes.md#assembly).

There are two kinds of text, which never mix. *Templates* are trusted: the recipe's own two, and the
fragments. *Values* are data: what inputs yield. A template is parsed; a value is put in as it is and
never looked at again, so that a draft that says `{{schema}}` stays that text.

Everything comes in from outside (the fragments' texts, the look-up of paths), so that the same code
serves a run, `render`, the tests in a recipe and a backtest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from arcrun_server.engine.characters import no_character
from arcrun_server.engine.nearest import nearest
from arcrun_server.engine.templates import MISSING

from .resolved import AssemblyError, FragmentText, ResolvedRecipe, Template
from .transforms import (
    EmptyListError,
    InvalidTextError,
    TransformError,
    as_text,
    kind_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from arcrun_server.engine import JsonObject
    from arcrun_server.engine.placeholders import Placeholder

    from .record import Input

__all__ = ["AssemblyError", "FragmentText", "LookUp", "Prompt", "ResolvedRecipe", "assemble"]

MAX_CHARACTERS = 4_000_000
"""How long the messages of a prompt may be together, and the templates that are read for them."""

MAX_PIECES = 20_000
"""How many pieces a prompt may be put together of: fragments in fragments multiply."""

BLOCKS_PER_PIECE = 10
"""Of how many blocks of a page a piece may be, without counting for more than one."""

MAX_DEPTH = 32
"""How deep fragments may hold fragments."""

MAX_RECIPES = 8
"""How deep recipes may take each other's texts as fragments."""

SEPARATOR = "\n\n--- USER ---\n\n"
"""Stands between the two messages for a model that takes one text."""

LookUp: TypeAlias = "Callable[[str], tuple[bool, Any]]"
"""Finds a dotted path in a run's context: whether it was found, and the value."""


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
    scopes: dict[int, _Scope] = {}
    scope = _Scope(resolved, look_up, size, given or {}, scopes)
    messages = []
    for role, template in resolved.recipe.templates.items():
        writer = _Writer(size)
        source = Template(
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
        scope.write(source, writer, (), (resolved.recipe.name,))
        messages.append(writer.message(role))
    if not messages[-1].content.strip():
        raise AssemblyError("the user message is empty", resolved.name, code="invalid_value")
    unused = [warning for one in (scope, *scopes.values()) for warning in one.unused()]
    return Prompt(tuple(messages), scope.yielded, tuple(dict.fromkeys(unused)))


@dataclass
class _Size:
    """What one prompt may use, over all its messages and recipes."""

    recipe: str
    characters: int = 0
    pieces: int = 0

    def take(self, characters: int, pieces: int = 1) -> None:
        self.characters += characters
        self.pieces += pieces
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
        # Each range names all blocks of the page that its text is from.
        self._size.take(len(text), 1 + len(origin.get("blocks", ())) // BLOCKS_PER_PIECE)
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


class _Scope:
    """The variables of one recipe, while a prompt is assembled.

    Args:
        resolved: The recipe with its fragments.
        look_up: Finds the paths of the inputs.
        size: What the prompt may use.
        given: Values by variable.
        scopes: The scopes of the recipes in it, by the ids of the recipes: wherever one stands, its texts are the same.
    """

    def __init__(
        self,
        resolved: ResolvedRecipe,
        look_up: LookUp,
        size: _Size,
        given: Mapping[str, Any],
        scopes: dict[int, _Scope],
    ) -> None:
        self._resolved = resolved
        self._look_up = look_up
        self._size = size
        self._given = given
        self._inputs = {item.var: item for item in resolved.recipe.inputs}
        self._texts: dict[str, str] = {}
        self._scopes = scopes
        self._used: set[str] = set()
        self.yielded: dict[str, Any] = {}

    def write(
        self, template: Template, writer: _Writer, inside: tuple[str, ...], recipes: tuple[str, ...]
    ) -> None:
        """Write a template, filled.

        Args:
            template: The template.
            writer: Where it goes.
            inside: The fragments of the recipe that it stands in, outermost first.
            recipes: The names of the recipes that it stands in, outermost first.
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
                self._write_fragment(part.name, writer, inside, recipes)
            else:
                raise self._undeclared(part, template, line)

    def unused(self) -> list[str]:
        """Return a warning for each variable that nothing used."""
        return [
            f"nothing uses the variable '{var}'"
            for var in self._resolved.recipe.variables
            if var not in self._used
        ]

    def _write_fragment(
        self, var: str, writer: _Writer, inside: tuple[str, ...], recipes: tuple[str, ...]
    ) -> None:
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
            template = Template(fragment.text, origin, name, self._resolved.recipe)
            self.write(template, writer, (*inside, var), recipes)
        else:
            self._write_recipe(var, fragment, writer, recipes)

    def _write_recipe(
        self, var: str, inner: ResolvedRecipe, writer: _Writer, recipes: tuple[str, ...]
    ) -> None:
        recipe = inner.recipe
        if recipe.name in recipes:
            cycle = " → ".join((*recipes[recipes.index(recipe.name) :], recipe.name))
            raise self._held_wrongly(var, f"the recipes hold each other: {cycle}")
        if len(recipes) == MAX_RECIPES:
            raise self._held_wrongly(var, f"recipes are nested deeper than {MAX_RECIPES} levels")
        scope = self._scopes.get(id(inner))
        if scope is None:
            scope = _Scope(inner, self._look_up, self._size, {}, self._scopes)
            self._scopes[id(inner)] = scope
        origin = {"kind": "fragment", "var": var, "recipe": recipe.id, "version": inner.version}
        template = Template(recipe.user, origin, "the user template", recipe, "user")
        scope.write(template, writer, (), (*recipes, recipe.name))
        self.yielded |= {f"{var}.{name}": value for name, value in scope.yielded.items()}

    def _held_wrongly(self, var: str, reason: str) -> AssemblyError:
        return self._error(f"the fragment '{var}': {reason}", code="missing_fragment", variable=var)

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

    def _undeclared(self, placeholder: Placeholder, template: Template, line: int) -> AssemblyError:
        return self._error(
            f"`{{{{{placeholder.name[:60]}}}}}` is no variable of the recipe",
            code="invalid_recipe",
            variable=placeholder.name[:60],
            place=f"{template.name}, line {line}",
            suggestion=nearest(placeholder.name, self._resolved.recipe.variables),
        )

    def _error(self, message: str, **more: Any) -> AssemblyError:
        return AssemblyError(message, self._resolved.name, **more)


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
