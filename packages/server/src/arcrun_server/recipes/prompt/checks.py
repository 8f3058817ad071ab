"""What may be wrong with a recipe and its fragments, found without any values."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from arcrun_server.engine.nearest import nearest
from arcrun_server.engine.placeholders import Placeholder

from .assembly import MAX_PIECES
from .resolved import AssemblyError, FragmentText, ResolvedRecipe, Template

if TYPE_CHECKING:
    from collections.abc import Iterator


def warnings_of(resolved: ResolvedRecipe) -> list[str]:
    """Return what the push of a recipe warns of: what assembling it may fail with.

    Args:
        resolved: The recipe with the fragments that could be fetched.
    """
    missing = [str(one) for one in resolved.fragments.values() if isinstance(one, AssemblyError)]
    return [
        *missing,
        *_cycle_warnings(resolved),
        *fragment_warnings(resolved),
        *_unused_warnings(resolved),
    ]


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
        template = Template(fragment.text, {}, "", resolved.recipe)
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


def _unused_warnings(resolved: ResolvedRecipe) -> list[str]:
    """Return a warning for each variable that no template uses, those of used fragments included.

    Of a recipe without fragments, its reader has warned. A fragment that could not be fetched may use anything.
    """
    recipe = resolved.recipe
    if not recipe.fragments:
        return []
    used: set[str] = set()
    waiting = [Template(text, {}, "", recipe) for text in recipe.templates.values()]
    while waiting:
        for name in _names_in(waiting.pop()) - used:
            used.add(name)
            fragment = resolved.fragments.get(name)
            if isinstance(fragment, AssemblyError):
                return []
            if isinstance(fragment, FragmentText):
                waiting.append(Template(fragment.text, {}, "", recipe))
    document = recipe.document
    declared = {
        "fragment": [fragment.var for fragment in recipe.fragments],
        "input": [given.var for given in recipe.inputs],
    }
    return [
        str(document.problem(f"nothing uses the {kind} '{var}'", (f"{kind}s", number, "var")))
        for kind, variables in declared.items()
        for number, var in enumerate(variables)
        if var not in used
    ]


def _names_in(template: Template) -> set[str]:
    parts = islice(template.parts(), MAX_PIECES)
    return {part.name for part, _ in parts if isinstance(part, Placeholder)}


def _cycle_warnings(resolved: ResolvedRecipe) -> list[str]:
    """Return a warning if a recipe is held by one that it holds."""
    names: dict[int, tuple[str, ...]] = {id(resolved): (resolved.recipe.name,)}
    waiting = deque([resolved])
    while waiting:
        holder = waiting.popleft()
        chain = names[id(holder)]
        for inner in _recipes_in(holder):
            if inner.recipe.name == resolved.recipe.name:
                return [f"the recipes hold each other: {' → '.join((*chain, inner.recipe.name))}"]
            if id(inner) not in names:
                names[id(inner)] = (*chain, inner.recipe.name)
                waiting.append(inner)
    return []


def _recipes_in(resolved: ResolvedRecipe) -> Iterator[ResolvedRecipe]:
    return (one for one in resolved.fragments.values() if isinstance(one, ResolvedRecipe))
