"""What nodes can be made of: components, recipes, services."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, cast

from arcrun import Arcrun
from arcrun._core.errors import NotFoundError
from arcrun._core.types import Component, ComponentResult

from .errors import Next
from .found import naming
from .result_types import FoundComponents, ListedServices, Service
from .results import check_limit, first

_WORDS = 12  # of a sentence, which are looked for one by one
_SHORT = 3  # letters: `the`, `of`

_TEXT = {"type": "string"}
# Built-ins of every engine (docs/contract.md#components) that its catalog doesn't list: what each returns.
BUILT_INS: dict[str, tuple[str, dict[str, Any]]] = {
    "comp_passthrough": ("Returns the context, unchanged.", {}),
    "comp_uppercase": (
        "Returns the context with `text` in upper case. string_ops does more with texts.", {"text": _TEXT}
    ),
    "comp_counter": ("Returns the context with `count` one higher.", {"count": {"type": "number"}}),
    "trigger_workflow": (
        "Runs another workflow, and returns success, triggered_workflow, status and sub_result.",
        {"workflow_name": _TEXT, "input": {"type": "object"}},
    ),
}  # fmt: skip


def list_components(client: Arcrun, *, limit: int = 50) -> dict[str, Any]:
    """List the components.

    Args:
        limit: how many at most
    """
    found = [
        {
            "canonical_id": each["canonical_id"],
            "display_name": each.get("display_name"),
            "category": each.get("category"),
            "description": each.get("description"),
        }
        for each in client.components.list()
    ]
    return {"components": first(found, limit), "total": len(found)}


def search_components(client: Arcrun, query: str, *, limit: int = 10) -> FoundComponents:
    """Search components and recipes of all kinds by what they do.

    Args:
        query: words, Chinese or English
        limit: how many at most
    """
    check_limit(limit)
    found = client.components.search(query) or _with_most_words(client, query)
    return {"results": first(found, limit), "total": len(found)}


def _with_most_words(client: Arcrun, query: str) -> list[ComponentResult]:
    """Return what has some words of a query that nothing has all words of; the most words come first."""
    words = [word for word in re.findall(r"\w+", query) if len(word) > _SHORT or not word.isascii()]
    results: dict[str, ComponentResult] = {}
    counts: Counter[str] = Counter()
    for word in dict.fromkeys(words[:_WORDS]) if len(words) > 1 else ():
        for each in client.components.search(word):
            results[each["canonical_id"]] = each
            counts[each["canonical_id"]] += 1
    return [results[name] for name, _ in counts.most_common()]


def get_component(client: Arcrun, id: str) -> Component:  # noqa: A002 - the contract's word
    """Show a component: its parameters, its result, its branches, an example.

    Args:
        id: its canonical_id
    """

    def names() -> list[str]:
        return [*(each["canonical_id"] for each in client.components.list()), *BUILT_INS]

    with naming(
        id,
        names,
        Next("search by what it does", "components search", ("QUERY",)),
        "component_not_found",
    ):
        try:
            return client.components.get(id)
        except NotFoundError:
            if id not in BUILT_INS:
                raise
            return _built_in(id)


def _built_in(name: str) -> Component:
    """Return what is known of a built-in, in the form of an entry of the catalog."""
    about, parameters = BUILT_INS[name]
    return {
        "canonical_id": name,
        "display_name": "built-in, without an entry in the catalog",
        "description": about,
        "input_schema": {"type": "object", "properties": parameters},
        "config_example": {},
    }


def list_services(client: Arcrun, *, limit: int = 50) -> ListedServices:
    """List the services that have an auth recipe, with the secrets that each needs.

    Args:
        limit: how many at most
    """
    keys = ("service", "display_name", "category", "primitive", "base_url")
    services: list[dict[str, Any]] = [{**each} for each in client.auth.list_services()]
    found = [
        {
            **{key: each[key] for key in keys if key in each},
            "required_secrets": [secret["key"] for secret in each.get("required_secrets", [])],
        }
        for each in services
    ]
    shown = cast("list[Service]", first(found, limit))
    return {"services": shown, "total": len(found)}
