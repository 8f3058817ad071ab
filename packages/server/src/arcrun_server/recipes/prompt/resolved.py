"""A recipe with what was fetched for it, and what may be wrong with that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from arcrun_server.engine.placeholders import Placeholder, escaped_pieces, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from arcrun_server.engine import JsonObject

    from .record import PromptRecipe


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


@dataclass(frozen=True)
class Template:
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
