"""What a component says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable

    from arcrun_server.engine import Component, JsonObject


class _ContractRequired(TypedDict):
    canonical_id: str
    display_name: str
    category: Literal["logic", "data", "api", "auth"]
    version: str
    description: str
    input_schema: JsonObject
    output_schema: JsonObject
    config_example: JsonObject


class ComponentContract(_ContractRequired, total=False):
    """An entry of the component catalog (CONTRACT.md §9)."""

    branches: list[str]


def component(contract: ComponentContract) -> Callable[[Component], Component]:
    """Tie a component to its contract."""
    raise NotImplementedError
