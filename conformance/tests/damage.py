"""Damages documents at random places, as people do who edit them, and tools that cut them."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

_REMOVED = object()
_VALUES = [
    _REMOVED,
    None,
    True,
    -1,
    0,
    1.5,
    99999,
    10**400,
    "",
    "a",
    "\ud800",
    "a\r\nb: c\n",
    "http://[",
    "http://a:99999999",
    "[" * 5000,
    [],
    ["a"],
    [[]],
    {},
    {"a": "b"},
]
# The same damage each time, and as much of it as takes seconds.
SETTINGS = settings(
    derandomize=True,
    deadline=None,
    max_examples=200,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def places_of(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the places of all values in a document."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    if isinstance(value, list):
        items = list(enumerate(value))
    return [
        found for key, item in items for found in [(*place, key), *places_of(item, (*place, key))]
    ]


def damages(document: Any) -> st.SearchStrategy[list[tuple[tuple[Any, ...], Any]]]:
    """Return a strategy of one to three damages: a place, and what stands there instead."""
    one = st.tuples(st.sampled_from(places_of(document)), st.sampled_from(_VALUES))
    return st.lists(one, min_size=1, max_size=3)


def damaged(document: Any, damages: list[tuple[tuple[Any, ...], Any]]) -> Any:
    """Return a copy with damages; one at a place that another has removed is none."""
    result = copy.deepcopy(document)
    for (*parents, last), value in damages:
        container = result
        try:
            for key in parents:
                container = container[key]
            if value is _REMOVED:
                del container[last]
            else:
                container[last] = value
        except (LookupError, TypeError):
            continue
    return result
