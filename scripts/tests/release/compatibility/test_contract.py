"""Each rule by which a contract breaks clients, on a small one."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from scripts.release.compatibility.contract import CONTRACT as FILE
from scripts.release.compatibility.contract import compare, differences
from scripts.release.compatibility.differences import Difference
from scripts.release.compatibility.reading import PartUnreadable

CONTRACT: dict[str, Any] = {
    "security": [],
    "paths": {
        "/runs": {
            "parameters": [{"$ref": "#/components/parameters/Trace"}],
            "get": {
                "operationId": "listRuns",
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 200}},
                    {"name": "page", "in": "query", "required": True, "schema": {"type": "string"}},
                ],
                "responses": {
                    "200": {
                        "headers": {"X-Id": {"required": True, "schema": {"type": "string"}}},
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["runs"],
                                    "properties": {
                                        "runs": {
                                            "type": "array",
                                            "items": {"$ref": "#/components/schemas/Run"},
                                        },
                                        "next": {"type": ["string", "null"]},
                                    },
                                }
                            }
                        },
                    },
                    "404": {"$ref": "#/components/responses/Missing"},
                },
            },
            "post": {
                "operationId": "pushRun",
                "security": [{"key": []}, {"cookie": []}],
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Push"}},
                        "text/plain": {},
                    }
                },
                "responses": {"201": {"description": "kept"}},
            },
        }
    },
    "components": {
        "parameters": {"Trace": {"name": "X-Trace", "in": "header", "schema": {"type": "string"}}},
        "responses": {"Missing": {"headers": {"X-Why": {"schema": {"enum": ["gone", "never"]}}}}},
        "schemas": {
            "Run": {
                "allOf": [
                    {"$ref": "#/components/schemas/Named"},
                    {
                        "type": "object",
                        "required": ["status"],
                        "properties": {
                            "status": {"enum": ["queued", "failed"]},
                            "of": {"$ref": "#/components/schemas/Run"},
                            "result": {"oneOf": [{"type": "string"}, {"$ref": "#/components/schemas/Named"}]},
                            "seconds": {"type": "number", "minimum": 0},
                        },
                    },
                ]
            },
            "Named": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string", "maxLength": 10, "pattern": "^a"}},
            },
            "Push": {
                "type": "object",
                "required": ["name"],
                "additionalProperties": {"type": ["string", "integer"]},
                "properties": {
                    "name": {"type": "string", "minLength": 1, "maxLength": 10, "pattern": "^a"},
                    "kind": {"enum": ["one", "two"]},
                    "free": {},
                    "size": {"type": ["integer", "null"]},
                    "tags": {"type": "array", "items": {"type": "string", "maxLength": 9}},
                    "graph": {"oneOf": [{"title": "Graph", "type": "object"}, {"title": "Text", "type": "string"}]},
                },
            },
        },
    },
}  # fmt: skip
GET, POST = "paths./runs.get", "paths./runs.post"
OK = f"{GET}.responses.200"
BODY = f"{OK}.content.application/json.schema"
RUN = "components.schemas.Run.allOf.1.properties"
PUSH = "components.schemas.Push.properties"
REMOVED = object()


def found(path: str, value: Any) -> list[Difference]:
    """Return the differences after one node of the contract was replaced, added or removed."""
    return compare(CONTRACT, changed(path, value))


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the contract after one node was replaced, added or removed."""
    new = copy.deepcopy(CONTRACT)
    node: Any = new
    *way, last = path.split(".")
    for part in way:
        node = node[int(part) if isinstance(node, list) else part]
    if value is REMOVED:
        del node[int(last) if isinstance(node, list) else last]
    elif isinstance(node, list):
        node[int(last)] = value
    else:
        node[last] = value
    return new


def written(root: Path, document: dict[str, Any] | bytes) -> Path:
    """Write a contract, which as JSON is YAML too, into a checkout of its own."""
    path = root / FILE
    path.parent.mkdir(parents=True)
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    path.write_bytes(text)
    return root


def test_a_contract_that_is_the_same_has_no_difference() -> None:
    assert compare(CONTRACT, copy.deepcopy(CONTRACT)) == []


@pytest.mark.parametrize(
    ("path", "value", "names", "what"),
    [
        # operations
        ("paths./runs", REMOVED, ("GET /runs",), "was removed"),
        (POST, REMOVED, ("POST /runs",), "was removed"),
        (f"{GET}.operationId", "runs", ("GET /runs",), "has the operationId"),
        (f"{GET}.security", [{"key": []}], ("GET /runs",), "can no longer be called without a key"),
        (f"{POST}.security", [{"key": []}], ("POST /runs",), "can no longer be called with cookie"),
        # parameters
        (f"{GET}.parameters.0", REMOVED, ("GET /runs", "limit"), "was removed from the query"),
        ("paths./runs.parameters", [], ("GET /runs", "x-trace"), "was removed from the header"),
        (f"{GET}.parameters.0.required", True, ("GET /runs", "limit"), "became required"),
        (f"{GET}.parameters.0.schema.maximum", 100, ("GET /runs", "limit"), "a tighter `maximum`"),
        ("components.parameters.Trace.required", True, ("Trace",), "became required"),
        (
            "paths./runs.parameters",
            [{"$ref": "#/components/parameters/Trace"}, {"name": "q", "in": "query", "required": True}],
            ("GET /runs", "q"),
            "was added to the query and is required",
        ),
        # bodies
        (f"{POST}.requestBody", REMOVED, ("POST /runs",), "has no body any more"),
        (f"{GET}.requestBody", {"required": True, "content": {}}, ("GET /runs",), "has a body"),
        (f"{POST}.requestBody.required", True, ("POST /runs",), "needs a body now"),
        (f"{POST}.requestBody.content.text/plain", REMOVED, ("POST /runs", "text/plain"), "removed"),
        # statuses, headers and kinds of content
        (f"{GET}.responses.404", REMOVED, ("GET /runs", "404"), "is no status of it any more"),
        (f"{OK}.headers.X-Id", REMOVED, ("GET /runs", "200.X-Id"), "was removed"),
        (f"{OK}.headers.X-Id.required", False, ("GET /runs", "200.X-Id"), "may be missing now"),
        (f"{OK}.content.application/json", REMOVED, ("GET /runs", "200.application/json"), "removed"),
        ("components.responses.Missing.headers.X-Why.schema.enum", ["gone"], ("Missing", "X-Why.never"), "is no value"),
        # what clients write
        ("components.schemas.Push.required", ["name", "kind"], ("Push", "kind"), "became required"),
        ("components.schemas.Push.required", ["name", "new"], ("Push", "new"), "became required"),
        (f"{PUSH}.kind", REMOVED, ("Push", "kind"), "was removed"),
        (f"{PUSH}.kind.enum", ["one"], ("Push", "kind.two"), "is no value any more"),
        (f"{PUSH}.free.enum", ["one"], ("Push", "free"), "takes listed values only"),
        (f"{PUSH}.free.const", "one", ("Push", "free"), "takes listed values only"),
        (f"{PUSH}.size.type", "integer", ("Push", "size"), "has a narrower type"),
        (f"{PUSH}.free.type", "string", ("Push", "free"), "has a narrower type"),
        (f"{PUSH}.size.type", "string", ("Push", "size"), "has another type"),
        (f"{PUSH}.size.type", ["integer", "string"], ("Push", "size"), "has another type"),
        (f"{PUSH}.name.minLength", 2, ("Push", "name"), "has a tighter `minLength`"),
        (f"{PUSH}.name.maxLength", 9, ("Push", "name"), "has a tighter `maxLength`"),
        (f"{PUSH}.tags.maxItems", 9, ("Push", "tags"), "has a tighter `maxItems`"),
        (f"{PUSH}.tags.items.maxLength", 8, ("Push", "tags"), "has a tighter `maxLength`"),
        (f"{PUSH}.tags.uniqueItems", True, ("Push", "tags"), "has a `uniqueItems`"),
        (f"{PUSH}.name.pattern", "^b", ("Push", "name"), "has another `pattern`"),
        (f"{PUSH}.free.not", {"const": 1}, ("Push", "free"), "has a `not`"),
        ("components.schemas.Push.additionalProperties", False, ("Push",), "takes no other fields"),
        ("components.schemas.Push.additionalProperties.type", "string", ("Push", "*"), "a narrower type"),
        (f"{PUSH}.graph.oneOf.1", REMOVED, ("Push", "graph"), "has no variant `Text` any more"),
        (f"{PUSH}.graph.type", "object", ("Push", "graph"), "has no variant `Text` any more"),
        # what clients read
        (f"{BODY}.properties.next", REMOVED, ("GET /runs", "200.next"), "was removed"),
        (f"{BODY}.required", [], ("GET /runs", "200.runs"), "may be missing now"),
        (f"{RUN}.status", REMOVED, ("Run", "status"), "was removed"),
        (f"{RUN}.status.enum", ["queued", "failed", "new"], ("Run", "status.new"), "is a new value"),
        (f"{RUN}.status.enum", ["queued"], ("Run", "status.failed"), "is no value any more"),
        (f"{RUN}.status", {}, ("Run", "status"), "takes values that are not listed"),
        (f"{RUN}.seconds.type", ["number", "null"], ("Run", "seconds"), "has a wider type"),
        (f"{RUN}.seconds.minimum", -1, ("Run", "seconds"), "has a wider `minimum`"),
        (f"{RUN}.seconds.minimum", REMOVED, ("Run", "seconds"), "has a wider `minimum`"),
        (f"{RUN}.result.oneOf", [{"type": "string"}, {"$ref": "#/components/schemas/Named"}, {"type": "null"}], ("Run", "result"), "has the new variant"),
        ("components.schemas.Named.properties.name.pattern", REMOVED, ("Run", "name"), "has no `pattern` any more"),
    ],
)  # fmt: skip
def test_what_clients_can_no_longer_send_or_rely_on_breaks(
    path: str, value: Any, names: tuple[str, ...], what: str
) -> None:
    breaking = [each for each in found(path, value) if each.breaking]
    assert any(each.names == names and what in each.what for each in breaking), breaking


@pytest.mark.parametrize(
    ("path", "value", "names"),
    [
        ("paths./new", {"get": {"responses": {}}}, ("GET /new",)),
        (f"{POST}.security", [{"key": []}, {"cookie": []}, {}], ("POST /runs",)),
        (f"{GET}.parameters.1.required", False, ("GET /runs", "page")),
        (f"{GET}.parameters.0.schema.maximum", 500, ("GET /runs", "limit")),
        (f"{GET}.requestBody", {"content": {}}, ("GET /runs",)),
        (f"{GET}.responses.403", {}, ("GET /runs", "403")),
        (f"{OK}.headers.X-New", {}, ("GET /runs", "200.X-New")),
        (f"{OK}.content.text/html", {}, ("GET /runs", "200.text/html")),
        ("components.schemas.Push.required", [], ("Push", "name")),
        (f"{PUSH}.new", {"type": "string"}, ("Push", "new")),
        (f"{PUSH}.kind.enum", ["one", "two", "three"], ("Push", "kind.three")),
        (f"{PUSH}.kind", {}, ("Push", "kind")),
        (f"{PUSH}.size.type", ["integer", "null", "string"], ("Push", "size")),
        (f"{PUSH}.name.maxLength", REMOVED, ("Push", "name")),
        (f"{PUSH}.name.pattern", REMOVED, ("Push", "name")),
        ("components.schemas.Push.additionalProperties", REMOVED, ("Push", "*")),
        (f"{BODY}.properties.new", {}, ("GET /runs", "200.new")),
        (f"{BODY}.required", ["runs", "next"], ("GET /runs", "200.next")),
        (f"{BODY}.properties.next.type", "string", ("GET /runs", "200.next")),
        (f"{RUN}.result.oneOf.0", REMOVED, ("Run", "result")),
    ],
)
def test_what_clients_need_not_know_breaks_nobody(
    path: str, value: Any, names: tuple[str, ...]
) -> None:
    assert [(each.names, each.breaking) for each in found(path, value)] == [(names, False)]


def test_texts_and_examples_are_no_difference() -> None:
    assert found(f"{PUSH}.name.description", "新") == []
    assert found(f"{BODY}.example", {"runs": []}) == []


def test_a_component_is_named_once_wherever_it_is_used() -> None:
    new = copy.deepcopy(CONTRACT)
    new["components"]["parameters"]["Trace"]["required"] = True
    new["components"]["schemas"]["Run"]["allOf"][1]["properties"]["status"] = {"type": "integer"}
    assert [each.symbol for each in compare(CONTRACT, new) if each.what.startswith("became")] == [
        "Trace"
    ]


def test_a_condition_beside_variants_is_not_overlooked() -> None:
    new = copy.deepcopy(CONTRACT)
    new["components"]["schemas"]["Push"]["properties"]["graph"]["required"] = ["id"]
    assert any(each.breaking for each in compare(CONTRACT, new))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"paths: {}\n- 1", "is not valid YAML: .* in line 2"),
        (b"\xff", "is not UTF-8: see its byte 0"),
        (b"- 1", r"has another form, at \$: \[1\] is not of type 'object'"),
        (b"paths: 5", r"at \$\.paths: 5 is not of type 'object'"),
        (b"info: {}", "'paths' is a required property"),
        (b"paths: {}\nday: 2026-13-45", "is not valid YAML: month must be in 1..12"),
        (b"paths: &a {/x: *a}", "is not valid YAML: Circular reference"),
        (b"paths: " + b"[" * 5000 + b"]" * 5000, "is nested too deeply"),
    ],
)
def test_a_file_that_is_no_contract_is_named_with_the_reason(
    tmp_path: Path, text: bytes, why: str
) -> None:
    old, new = written(tmp_path / "old", CONTRACT), written(tmp_path / "new", text)
    with pytest.raises(PartUnreadable, match=f"^openapi/arcrun.yaml .*{why}") as caught:
        differences(old, new)
    assert caught.value.root == new


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        (GET, 5, "5 is not of type 'object'"),
        (f"{GET}.parameters.0.name", REMOVED, "'name' is a required property"),
        (f"{GET}.security", {}, "{} is not of type 'array'"),
        (f"{OK}.content.application/json", [], r"\[\] is not of type 'object'"),
        (f"{PUSH}.name.maxLength", "10", "'10' is not of type 'number'"),
        (f"{PUSH}.kind.enum", "one", "'one' is not of type 'array'"),
        (f"{PUSH}.tags.items", [], r"\[\] is not of type 'object'"),
        (f"{PUSH}.free.$ref", "Run", "'Run' does not match"),
        (f"{PUSH}.free.$ref", "#/components/schemas/None", "refers to #/components/schemas/None"),
        ("components.schemas.Named.$ref", "#/components/schemas/Named", "contains itself"),
        ("components.schemas.Named.allOf", [{"$ref": "#/components/schemas/Run"}], "contains itself"),
        ("components.schemas.Named.oneOf", [{"$ref": "#/components/schemas/Named"}], "contains itself"),
    ],
)  # fmt: skip
def test_a_node_of_another_form_is_named(tmp_path: Path, path: str, value: Any, why: str) -> None:
    old, new = written(tmp_path / "old", CONTRACT), written(tmp_path / "new", changed(path, value))
    with pytest.raises(PartUnreadable, match=f"^openapi/arcrun.yaml .*{why}"):
        differences(old, new)


def test_a_contract_in_a_file_is_compared(tmp_path: Path) -> None:
    new = changed(f"{PUSH}.name.maxLength", 9)
    (difference,) = differences(written(tmp_path / "old", CONTRACT), written(tmp_path / "new", new))
    assert difference.names == ("Push", "name")


def test_a_contract_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(PartUnreadable, match=r"^openapi/arcrun.yaml can't be read: No such file"):
        differences(written(tmp_path / "old", CONTRACT), tmp_path)
