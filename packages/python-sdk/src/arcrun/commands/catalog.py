"""What nodes can be made of: components, recipes, services."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, cast

from arcrun import Arcrun
from arcrun._core.types import Component, ComponentResult

from .errors import Next
from .found import naming
from .result_types import FoundComponents, ListedServices, Service
from .results import check_limit, first

_WORDS = 12  # of a sentence, which are looked for one by one
_SHORT = 3  # letters: `the`, `of`


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
        return [each["canonical_id"] for each in client.components.list()]

    with naming(id, names, Next("search by what it does", "components search", ("QUERY",))):
        return client.components.get(id)


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
