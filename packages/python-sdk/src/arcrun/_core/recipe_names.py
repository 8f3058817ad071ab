"""The kinds of recipes, and how one of them and its version is named (docs/contract.md#versions-of-recipes)."""

from __future__ import annotations

import re
from urllib.parse import quote

from .advice import advised
from .errors import InvalidArgumentError
from .names import in_path
from .shapes import is_count, is_text

_LABEL = r"[A-Za-z_][A-Za-z0-9_.-]{0,63}"
_LARGEST_VERSION = 999_999_999


class Kind:
    """A kind of recipes.

    Args:
        name: the kind's own name, which stands before a recipe's name and `:`.
        path: where the engine has them.
        name_field: the field of a recipe that holds its name.
        pattern: what a name must be.
        rule: the same in words.
        capability: what an engine lists that has this kind in versions.
        what: what an engine without it has not got, in words.
    """

    __slots__ = ("capability", "name", "name_field", "path", "pattern", "rule", "what")

    def __init__(
        self,
        name: str,
        path: str,
        *,
        name_field: str,
        pattern: str,
        rule: str,
        capability: str = "recipe_versions",
        what: str = "versions of recipes of this kind",
    ) -> None:
        self.name = name
        self.path = path
        self.name_field = name_field
        self.pattern = pattern
        self.rule = rule
        self.capability = capability
        self.what = what

    @property
    def prefix(self) -> str:
        """Return what stands before the name of a recipe of this kind."""
        return f"{self.name}:"


PROMPT = Kind(
    "prompt_recipe",
    "/prompt-recipes",
    name_field="name",
    pattern=r"[a-z][a-z0-9_]{0,127}",
    rule="a lower-case letter, then lower-case letters, digits and _, at most 128",
    capability="prompt_recipes",
    what="prompt recipes",
)
API = Kind(
    "api_recipe",
    "/recipes",
    name_field="canonical_id",
    pattern=r"[A-Za-z][A-Za-z0-9_-]{0,127}",
    rule="a letter, then letters A-Z a-z, digits, _ and -, at most 128",
)
AUTH = Kind(
    "auth_recipe",
    "/auth-recipes",
    name_field="service",
    pattern=r"[a-z][a-z0-9_]{0,63}",
    rule="a lower-case letter, then lower-case letters, digits and _, at most 64",
)
KINDS = {kind.name: kind for kind in (PROMPT, API, AUTH)}


class Reference:
    """Which recipe, and which version of it: that of a number, of a label, or the one that a node takes."""

    __slots__ = ("kind", "label", "name", "version")

    def __init__(
        self,
        kind: Kind,
        name: str,
        version: int | None = None,
        label: str | None = None,
    ) -> None:
        self.kind = kind
        self.name = name
        self.version = version
        self.label = label

    @property
    def is_chosen(self) -> bool:
        """Tell whether a version is named, by its number or by a label."""
        return self.version is not None or self.label is not None

    @property
    def path(self) -> str:
        """Return the path of the recipe, whatever its version."""
        return f"{self.kind.path}/{in_path(self.name)}"

    @property
    def query(self) -> str:
        """Return the part of a path that chooses the version; "" if none is named."""
        if self.version is not None:
            return f"?version={self.version}"
        return f"?label={quote(self.label, safe='')}" if self.label is not None else ""


def reference(
    name: str,
    version: int | None = None,
    label: str | None = None,
) -> Reference:
    """Return which version of a recipe is meant.

    Args:
        name: as a node writes it: `greet`, `prompt_recipe:greet`, `greet@LABEL` or `greet@VERSION`. After
            `api_recipe:` or `auth_recipe:` it is that of a recipe of this kind.
        version: the version's number.
        label: a label that points to the version.

    Raises:
        InvalidArgumentError: a part of it is not valid, or there is more than one version.

    Example:
        >>> reference("prompt_recipe:greet@3").query, reference("api_recipe:weather_today").path
        ('?version=3', '/recipes/weather_today')
    """
    kind, rest = _kind_of(name)
    bare, at, chosen = rest.partition("@")
    named = [part for part in (at, version, label) if part not in (None, "")]
    if len(named) > 1:
        raise InvalidArgumentError("name one version of the recipe: by @, by version or by label")
    if re.fullmatch(r"[0-9]{1,9}", chosen):
        version = int(chosen)
    elif at:
        label = chosen
    if version is not None:
        check_version("version", version)
    if label is not None:
        check_label(label)
    if not re.fullmatch(kind.pattern, bare):
        problem = f"{shown(bare)} is not a valid recipe name: use {kind.rule}"
        error = InvalidArgumentError(f"{problem}; client.recipes.list() lists the recipes")
        raise advised(error, problem, "recipes.list")
    return Reference(kind, bare, version, label)


def check_whole(name: str) -> Reference:
    """Return which recipe is meant; refuse a name with a version."""
    found = reference(name)
    if found.is_chosen:
        raise advised(
            InvalidArgumentError(f"{name!r} names a version: this method is for the whole recipe"),
            f"{name!r} names a version, but this is for the whole recipe: write {found.name!r}",
        )
    return found


def check_prompt(name: str, version: int | None = None, label: str | None = None) -> Reference:
    """Return which version of a prompt recipe is meant; refuse recipes of other kinds."""
    found = reference(name, version, label)
    if found.kind is not PROMPT:
        raise InvalidArgumentError(f"{name!r} is no prompt recipe: only these become prompts")
    return found


def check_kind(kind: str) -> Kind:
    """Return the kind of this name if there is one."""
    if not is_text(kind) or kind not in KINDS:
        raise InvalidArgumentError(f"kind must be one of {', '.join(KINDS)}, not {shown(kind)}")
    return KINDS[kind]


def check_version(what: str, version: int, *, least: int = 1) -> int:
    """Return the number of a version if it is valid."""
    if not is_count(version) or not least <= version <= _LARGEST_VERSION:
        raise InvalidArgumentError(
            f"{what} must be a whole number from {least} to {_LARGEST_VERSION}, not {version!r}"
        )
    return version


def check_label(label: str) -> str:
    """Return the label if it is valid."""
    if not is_text(label) or not re.fullmatch(_LABEL, label):
        raise InvalidArgumentError(
            f"{shown(label)} is not a valid label: use a letter or _, then letters A-Z a-z, digits, _, . "
            "and -, at most 64"
        )
    return label


def _kind_of(name: object) -> tuple[Kind, str]:
    """Return the kind that a name stands for, and the name without it; a bare name is that of a prompt recipe."""
    if not is_text(name):
        raise InvalidArgumentError(f"{shown(name)} is not a valid recipe name")
    for kind in KINDS.values():
        if name.startswith(kind.prefix):
            return kind, name[len(kind.prefix) :]
    return PROMPT, name


def shown(name: object) -> str:
    """Return a name as an error message shows it."""
    if not isinstance(name, str):
        return f"a value of type {type(name).__name__}"
    return repr(name) if len(name) <= 80 else "a text of more than 80 characters"
