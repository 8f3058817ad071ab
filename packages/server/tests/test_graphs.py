from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Api

GRAPH = {
    "nodes": [
        {"id": "input", "type": "Input"},
        {"id": "n", "type": "Component", "componentId": "comp_counter"},
    ],
    "edges": [{"from": "input", "to": "n", "type": "PIPE"}],
}


async def test_nodes_and_edges_of_a_valid_graph_are_counted(nobody: Api) -> None:
    response = await nobody("POST", "/validate", json=GRAPH)
    assert response.json() == {"valid": True, "nodeCount": 2, "edgeCount": 1}


@pytest.mark.parametrize(
    "change",
    [
        {"edges": [{"from": "input", "to": "m", "type": "PIPE"}]},
        {"nodes": []},
        {"nodes": [{"id": "", "type": "Input"}]},
        {"nodes": [{"id": "a", "type": "Inputt"}]},
        {"extra": 1},
        {"edges": None},
        {"id": 5},
        {"nodes": GRAPH["nodes"] * 600},
    ],
)
async def test_error_for_an_invalid_graph_says_what_is_wrong(
    nobody: Api, change: dict[str, Any]
) -> None:
    response = await nobody("POST", "/validate", json={**GRAPH, **change})
    body = response.json()
    assert response.status_code == 400
    assert (body["valid"], body["code"]) == (False, "invalid_graph")
    assert body["errors"]
    assert all(isinstance(error, str) and error for error in body["errors"])
    assert body["errors"][0].split(";")[0] in body["error"]


async def test_error_for_what_is_not_a_graph_has_the_same_shape(nobody: Api) -> None:
    for content in (b"[]", b"5", b"{", b""):
        response = await nobody(
            "POST", "/validate", content=content, headers={"Content-Type": "application/json"}
        )
        body = response.json()
        assert response.status_code == 400
        assert body["valid"] is False
        assert body["errors"] == [body["error"]] or body["details"]


async def test_lines_are_compiled(nobody: Api) -> None:
    lines = ["input >> 完成後 >> 翻譯", "翻譯 >> 失敗時 >> 通知"]
    response = await nobody("POST", "/cypher/search", json={"triplets": lines, "mode": "compile"})
    found = response.json()
    assert response.status_code == 200
    assert [(node["id"], node["type"]) for node in found["cypher"]["nodes"]] == [
        ("input", "Input"),
        ("翻譯", "Component"),
        ("通知", "Component"),
    ]
    assert [(edge["from"], edge["type"], edge["to"]) for edge in found["cypher"]["edges"]] == [
        ("input", "PIPE", "翻譯"),
        ("翻譯", "ON_FAIL", "通知"),
    ]
    assert found["missing"] == []


async def test_malformed_lines_are_named_by_line_and_column(nobody: Api) -> None:
    lines = ["input >> 完成後 >> 翻譯", "翻譯 >> 失敗是 >> 通知"]
    response = await nobody("POST", "/cypher/search", json={"triplets": lines})
    body = response.json()
    assert (response.status_code, body["code"]) == (400, "invalid_graph")
    assert (body["details"][0]["line"], body["details"][0]["column"]) == (2, 7)
    assert "失敗時" in body["details"][0]["suggestion"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"triplets": []},
        {"triplets": "a >> b >> c"},
        {"triplets": [1]},
        {"triplets": ["a >> b >> c"], "mode": "run"},
        {"triplets": ["a >> b >> c"], "modus": "compile"},
        {"triplets": ["x" * 1025]},
    ],
)
async def test_bad_searches_are_refused(nobody: Api, body: dict[str, Any]) -> None:
    response = await nobody("POST", "/cypher/search", json=body)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")
