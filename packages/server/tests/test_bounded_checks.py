"""What is wrong with a request is found in time that grows with its size only, however it is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter

from arcrun_server.engine import check_graph, compile_flow
from arcrun_server.engine.model import MAX_PROBLEMS, FlowError
from arcrun_server.engine.nearest import MAX_COMPARISONS, _Similarity
from arcrun_server.errors import ApiError
from arcrun_server.recipes.api.record import check_api_recipe
from arcrun_server.recipes.auth.record import check_auth_recipe
from arcrun_server.routes.schemas import EXECUTION
from arcrun_server.web.body import MAX_DETAILS, checked

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG_IDS = [f"{number:04}{'長' * 120}" for number in range(1000)]


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names that are compared."""
    names: list[str] = []
    ratio = _Similarity.ratio

    def counting(measure: _Similarity, other: str) -> float:
        names.append(other)
        return ratio(measure, other)

    monkeypatch.setattr(_Similarity, "ratio", counting)
    yield names
    assert len(names) <= MAX_COMPARISONS


def component(identity: str, component_id: str = "hash") -> dict[str, Any]:
    return {"id": identity, "type": "Component", "componentId": component_id}


def test_edges_between_unknown_nodes(compared: list[str]) -> None:
    nodes = [component(identity) for identity in LONG_IDS]
    edges = [{"from": f"x{identity}", "to": f"y{identity}", "type": "PIP"} for identity in LONG_IDS]
    problems = check_graph({"nodes": nodes, "edges": edges}, [])
    assert len(problems) == MAX_PROBLEMS
    assert problems[0].suggestion == LONG_IDS[0]
    assert compared


def test_unknown_components(compared: list[str]) -> None:
    nodes = [component(str(number), f"hash{number}x") for number in range(1000)]
    problems = check_graph({"nodes": nodes, "edges": []}, [f"hash{n:04}" for n in range(1000)])
    assert len(problems) == MAX_PROBLEMS
    assert problems[0].suggestion == "hash0000"
    assert compared


def test_nodes_that_all_have_the_same_id() -> None:
    nodes = [component("a")] * 1000
    assert len(check_graph({"nodes": nodes, "edges": []}, None)) == MAX_PROBLEMS


def test_placeholders_that_name_no_credential() -> None:
    node = component("a") | {"data": {"text": "{{secret.鑰}}" * 10_000}}
    assert len(check_graph({"nodes": [node], "edges": []}, None)) == MAX_PROBLEMS


def test_a_config_of_names_that_no_line_has(compared: list[str]) -> None:
    lines = [f"{identity} >> PIPE >> a" for identity in LONG_IDS]
    with pytest.raises(FlowError) as caught:
        compile_flow(lines, {f"x{identity}": {} for identity in LONG_IDS})
    assert len(caught.value.problems) == MAX_PROBLEMS
    assert compared


def test_unknown_fields_are_listed_up_to_a_number_and_the_schema_is_written_once(
    compared: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    write = TypeAdapter.json_schema

    def counting(adapter: TypeAdapter[Any], **options: Any) -> dict[str, Any]:
        written.append(adapter)
        return write(adapter, **options)

    monkeypatch.setattr(TypeAdapter, "json_schema", counting)
    with pytest.raises(ApiError) as caught:
        checked(EXECUTION, {"graph": {}} | {f"grap{identity}": 1 for identity in LONG_IDS})
    assert len(caught.value.details) == MAX_DETAILS
    assert caught.value.message.endswith("(and 999 more, see details)")
    assert len(written) <= 1
    assert not compared  # they are too long to be near


def test_recipes_full_of_wrong_placeholders(compared: list[str]) -> None:
    text = "{{secret.tokn}}" * 10_000
    recipe = {
        "service": "s",
        "primitive": "static_key",
        "base_url": "https://example.com",
        "required_secrets": [{"key": "token", "help_url": "https://example.com"}],
        "inject": {"header": {"X": text}},
    }
    problems = check_auth_recipe(recipe)
    assert len(problems) == MAX_PROBLEMS
    assert problems[0].suggestion == "secret.token"
    assert compared
    api_recipe = {"canonical_id": "a", "endpoint": "https://example.com/", "body_template": text}
    assert len(check_api_recipe(api_recipe)) == MAX_PROBLEMS
