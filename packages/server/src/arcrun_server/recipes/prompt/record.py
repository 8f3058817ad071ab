"""What a prompt recipe is: its fields, read once and checked (docs/prompt-recipes.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from arcrun_server.engine.templates import MISSING

from .document import Document
from .reference import PREFIX

if TYPE_CHECKING:
    from arcrun_server.engine import JsonObject, Problem
    from arcrun_server.recipes.reference import Reference

    from .document import Path
    from .transforms import Transform

MAX_REPAIRS = 5
MAX_VARIABLES = 64
MAX_TESTS = 50


@dataclass(frozen=True)
class Fragment:
    """Trusted text that is fetched when the prompt is assembled.

    Attributes:
        var: The variable that stands for it in templates.
        source: `kbdb_block`, `kv` or `recipe`.
        block_id: Of a block.
        block_page_name: Of the page, if the block is named by it.
        field: Which field of the block.
        key: Of an entry in the account's own key-value store.
        recipe: The recipe whose user text this is.
        version: The version of the block that is taken; None for the newest.
        pin: Whether the version is fixed when the recipe is pushed.
    """

    var: str
    source: str
    block_id: str | None = None
    block_page_name: str | None = None
    field: str = "content"
    key: str | None = None
    recipe: Reference | None = None
    version: int | None = None
    pin: bool = False


@dataclass(frozen=True)
class Input:
    """A value from the run's context.

    Attributes:
        var: The variable that stands for it in templates.
        path: The dotted path, as it was written.
        transform: How it becomes text; None for texts as they are and JSON of all else.
        default: What counts where nothing is found at the path; MISSING for an error.
    """

    var: str
    path: str
    transform: Transform | None = None
    default: Any = MISSING


@dataclass(frozen=True)
class Output:
    """What is expected of the model.

    Attributes:
        format: `json` or `text`.
        schema: JSON Schema of the answer.
        repair: How often an answer that does not fit is asked for again.
    """

    format: str = "text"
    schema: JsonObject | bool | None = None
    repair: int = 0


@dataclass(frozen=True)
class RecipeTest:
    """A test that a recipe brings with it.

    Attributes:
        name: Its name.
        values: The values of the inputs, by variable.
        context: Or the context in which their paths are looked up.
        fragments: The texts of fragments, by variable; others are fetched.
        messages: What the messages must be, by role.
        contains: Texts that the messages must hold.
        output: What must be read from `reply`.
        reply: What the model is taken to have answered.
        expects_output: Whether `output` was given; it may be null.
    """

    name: str
    values: JsonObject | None = None
    context: JsonObject | None = None
    fragments: dict[str, str] = field(default_factory=dict)
    messages: dict[str, str] | None = None
    contains: tuple[str, ...] = ()
    output: Any = None
    expects_output: bool = False
    reply: str | None = None


@dataclass(frozen=True, eq=False)
class PromptRecipe:
    """A prompt recipe.

    Attributes:
        name: Its name, without the prefix `prompt_recipe:`.
        user: Template of the user's message.
        system: Template of the system's message; None for no such message.
        model: `haiku`, `sonnet`, `opus` or a model id; None where the node says it.
        document: What it was read from, for the places of problems.
        template_paths: Where in the document the two templates are.
        fragments, inputs, output, tests, description: As in the record.
    """

    name: str
    user: str
    system: str | None = None
    description: str = ""
    model: str | None = None
    fragments: tuple[Fragment, ...] = ()
    inputs: tuple[Input, ...] = ()
    output: Output = Output()
    tests: tuple[RecipeTest, ...] = ()
    document: Document = field(default_factory=lambda: Document(None), repr=False)
    template_paths: dict[str, Path] = field(
        default_factory=lambda: {
            "system": ("prompt_assembly", "system"),
            "user": ("prompt_assembly", "user"),
        },
        repr=False,
    )

    @property
    def id(self) -> str:
        """Return the name with its prefix."""
        return PREFIX + self.name

    @property
    def variables(self) -> list[str]:
        """Return the names that templates may use, in the order of the record."""
        return [one.var for one in self.fragments] + [one.var for one in self.inputs]

    @property
    def templates(self) -> dict[str, str]:
        """Return the templates by role, the system's first."""
        system = {} if self.system is None else {"system": self.system}
        return {**system, "user": self.user}


class RecipeError(ValueError):
    """A recipe that can't be used as it is.

    Attributes:
        problems: Everything that is wrong, with places; never empty.
    """

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
