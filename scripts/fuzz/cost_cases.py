"""The requests whose cost is measured: for each operation, bodies that grow in length, depth, number and repetition."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpx

SIZES = (8, 64, 512, 1900)  # kibibytes
KIB = 1024


@dataclass(frozen=True)
class Case:
    """Requests of one kind.

    Args:
        operation: Method and path.
        kind: How they grow.
        body: Makes the body of a size; None sends none.
        sizes: The sizes, in ascending order.
        path: Makes the path of a size; by default, the operation's.
        may_fail: Whether 500 is an answer: a run that fails.
    """

    operation: str
    kind: str
    body: Callable[[int], Any] | None = None
    sizes: tuple[int, ...] = SIZES
    path: Callable[[int], str] | None = None
    may_fail: bool = False

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.operation.partition(" ")[0]

    def path_of(self, size: int) -> str:
        """Return the path for a size."""
        return self.operation.partition(" ")[2] if self.path is None else self.path(size)

    def content(self, size: int) -> bytes | None:
        """Return the body of a size."""
        if self.body is None:
            return None
        made = self.body(size)
        return made if isinstance(made, bytes) else json.dumps(made, ensure_ascii=False).encode()


def node(identity: str, component: str = "comp_passthrough", **data: Any) -> dict[str, Any]:
    """Return a node with a component."""
    made = {"id": identity, "type": "Component", "componentId": component}
    return made | ({"data": data} if data else {})


def graph(nodes: list[Any], edges: Sequence[tuple[str, str, str]] = ()) -> dict[str, Any]:
    """Return a graph."""
    return {
        "nodes": nodes,
        "edges": [{"from": one, "to": other, "type": kind} for one, other, kind in edges],
    }


def prepare(client: httpx.Client) -> None:
    """Push what the cases use: a workflow that runs its input through a FOREACH."""
    loop = graph(
        [{"id": "input", "type": "Input"}, node("each"), node("sink")],
        [("input", "each", "FOREACH"), ("each", "sink", "PIPE")],
    )
    pushed = {"name": "cost", "description": "cost", "graph": loop}
    client.post("/webhooks/named", json=pushed).raise_for_status()


def _numbered(kib: int, width: int) -> range:
    return range(kib * KIB // width)


# Bodies that fit no operation in particular: most are refused, and that must be quick too.
ANY_BODY: dict[str, Callable[[int], bytes]] = {
    "length": lambda kib: b'{"name":"' + b"x" * kib * KIB + b'"}',
    "depth": lambda kib: b"[" * (kib * KIB // 2) + b"]" * (kib * KIB // 2),
    "depth of objects": lambda kib: b'{"a":' * (kib * KIB // 6) + b"1" + b"}" * (kib * KIB // 6),
    "number of unknown fields": lambda kib: json.dumps(
        {f"k{n}": 1 for n in _numbered(kib, 13)}
    ).encode(),
    "repetition of lists": lambda kib: b"[" + b"[]," * (kib * KIB // 3) + b"[]]",
    "repetition of objects": lambda kib: b'{"graph":[' + b"{}," * (kib * KIB // 3) + b"{}]}",
    "repetition of numbers": lambda kib: (
        b'{"context":{"a":[' + b"1.5," * (kib * KIB // 4) + b"1]}}"
    ),
    "digits": lambda kib: b'{"n":' + b"1" * kib * KIB + b"}",
    "escapes": lambda kib: b'{"name":"' + b"\\u0041" * (kib * KIB // 6) + b'"}',
    "duplicate keys": lambda kib: b"{" + b'"a":1,' * (kib * KIB // 6) + b'"a":1}',
}
BODIES = (
    "POST /auth-recipes",
    "POST /credentials",
    "PUT /credentials/cost",
    "POST /webhooks/named",
    "POST /webhooks/named/cost/trigger",
    "POST /validate",
    "POST /cypher/search",
    "POST /execute",
    "POST /cypher/execute",
    "POST /recipes",
)
PATHS = (
    "GET /auth-recipes/{}",
    "DELETE /auth-recipes/{}",
    "GET /credentials/{}",
    "DELETE /credentials/{}",
    "DELETE /webhooks/named/{}",
    "GET /webhooks/named/{}/definition",
    "GET /workflows/{}/executions",
    "GET /recipes/{}",
    "DELETE /recipes/{}",
)
PATH_SIZES = (2, 8, 30)
QUERIES = ("GET /health", "GET /credentials", "GET /webhooks/named", "GET /auth-recipes")


def _unknown_ends(kib: int) -> Any:
    ids = [f"{n:03}{'x' * 100}" for n in range(min(1000, kib * KIB // 130))]
    ends = [f"{n}{'x' * 99}" for n in range(min(5000, kib * KIB // 250))]
    return graph([node(i) for i in ids], [(end, f"y{end}", "PIPEE") for end in ends])


def _unknown_components(kib: int) -> Any:
    return graph([node(str(n), f"string_op{n}") for n in range(min(1000, kib * KIB // 80))])


def _templates(kib: int) -> Any:
    return graph([node("a", v="{{" + " " * kib * (KIB // 4) + "}" + "{{secret.鑰}}" * kib * 20)])


def _deep_data(kib: int) -> Any:
    return graph([node("a", v=[[[1]] * 10] * (kib * KIB // 80))])


def _search(kib: int) -> Any:
    lines = min(1000, kib * 2)
    return {"triplets": [f"{n}{'a' * 400} >> 完成 >> b" for n in range(lines)]}


def _config(kib: int) -> Any:
    lines = [f"{n}{'a' * 100} >> 完成後 >> b" for n in range(min(1000, kib * 5))]
    return {"triplets": lines, "config": {f"x{n}{'a' * 99}": {} for n in range(kib * 5)}}


def _recipe(kib: int) -> Any:
    return {
        "service": "cost",
        "primitive": "static_key",
        "base_url": "https://example.com",
        "required_secrets": [{"key": "token", "label": "x", "help_url": "https://example.com"}],
        "inject": {"header": {"X": "{{secret.tokn}}" * (kib * 60) + "{{" + " " * kib * 100 + "}"}},
    }


def _each(kib: int) -> Any:
    return {"items": ["x" * 12] * min(4000, kib * 40), "large": "x" * kib * (KIB // 2)}


def _run(component: str, **data: Any) -> Callable[[int], Any]:
    """Return what makes an execution of one component on a context that grows."""

    def body(kib: int) -> Any:
        context = {"items": [f"{n:08}" for n in _numbered(kib, 14)]}
        return {"graph": graph([node("a", component, **data)]), "context": context}

    return body


# Values by the thousand, up to as many as a body may have.
THOUSANDS = (10, 50, 99)
VALUES: dict[str, Callable[[int], Any]] = {
    "numbers": lambda thousands: [n + 0.1234567890123 for n in range(thousands * 1000)],
    "texts": lambda thousands: ["x"] * (thousands * 1000),
    "lists": lambda thousands: [[]] * (thousands * 1000),
    "rows": lambda thousands: [{"id": n, "text": "x"} for n in range(thousands * 333)],
    "fields": lambda thousands: {f"k{n}": n for n in range(thousands * 1000)},
}


def _executed(component: str, items: Callable[[int], Any], **data: Any) -> Callable[[int], Any]:
    def body(thousands: int) -> Any:
        return {
            "graph": graph([node("a", component, **data), node("b")], [("a", "b", "PIPE")]),
            "context": {"items": items(thousands)},
        }

    return body


def _sources(kib: int) -> Any:
    sources = [{"deep": {str(n): n}} for n in _numbered(kib, 25)]
    return {"graph": graph([node("a", "merge", mode="deep")]), "context": {"sources": sources}}


def _doubled(levels: int) -> Any:
    definitions: dict[str, Any] = {
        f"s{n}": {"anyOf": [{"$ref": f"#/$defs/s{n + 1}"}] * 2} for n in range(levels)
    }
    schema = {"$ref": "#/$defs/s0", "$defs": {**definitions, f"s{levels}": {"type": "string"}}}
    return {"graph": graph([node("a", "validate_json", data=1, schema=schema)])}


def _text(**data: Any) -> Callable[[int], Any]:
    def body(kib: int) -> Any:
        made = node("a", "string_ops", **data)
        return {"graph": graph([made]), "context": {"text": "ab" * (kib * KIB // 2)}}

    return body


def _long_path(operation: str) -> Callable[[int], str]:
    template = operation.partition(" ")[2]
    return lambda kib: template.format("x" * kib * KIB)


def _long_query(operation: str) -> Callable[[int], str]:
    path = operation.partition(" ")[2]
    return lambda kib: f"{path}?limit={'9' * kib * KIB}"


CASES: tuple[Case, ...] = (
    *(
        Case(name, kind, body, may_fail="trigger" in name)
        for name in BODIES
        for kind, body in ANY_BODY.items()
    ),
    *(Case(name, "length of the path", None, PATH_SIZES, _long_path(name)) for name in PATHS),
    *(Case(name, "length of the query", None, PATH_SIZES, _long_query(name)) for name in QUERIES),
    Case("POST /validate", "edges to nodes that are not there", _unknown_ends),
    Case("POST /validate", "components that are not there", _unknown_components),
    Case("POST /validate", "templates", _templates),
    Case("POST /validate", "data in many lists", _deep_data),
    Case("POST /cypher/search", "labels that are wrong", _search),
    Case("POST /cypher/execute", "config of nodes not there", _config),
    Case("POST /auth-recipes", "placeholders that are wrong", _recipe),
    Case("POST /webhooks/named/cost/trigger", "elements and a large context", _each, may_fail=True),
    Case("POST /execute", "sort", _run("array_ops", operation="sort", by=""), may_fail=True),
    Case("POST /execute", "unique", _run("array_ops", operation="unique"), may_fail=True),
    Case(
        "POST /execute",
        "template of everything",
        _run("set", values={"v": "{{ctx}}"}),
        may_fail=True,
    ),
    Case("POST /execute", "merge of many", _sources, may_fail=True),
    *(
        Case(
            "POST /webhooks/named/cost/trigger",
            f"as many {kind} as may be",
            lambda thousands, values=values: {"values": values(thousands)},  # type: ignore[misc]
            THOUSANDS,
            may_fail=True,
        )
        for kind, values in VALUES.items()
    ),
    *(
        Case(
            "POST /execute",
            f"as many {kind} as may be",
            _executed(component, values, **data),
            THOUSANDS,
            may_fail=True,
        )
        for kind, values, component, data in (
            ("numbers to sort", VALUES["numbers"], "array_ops", {"operation": "sort"}),
            ("texts to compare", VALUES["texts"], "array_ops", {"operation": "unique"}),
            ("lists in chunks", VALUES["lists"], "array_ops", {"operation": "chunk", "size": 1}),
            ("rows to group", VALUES["rows"], "array_ops", {"operation": "group", "by": "text"}),
            ("fields in a text", VALUES["fields"], "set", {"values": {"v": "x {{ctx}}"}}),
        )
    ),
    Case("POST /execute", "schema that doubles", _doubled, (2, 8, 16), may_fail=True),
    Case(
        "POST /execute",
        "replace",
        _text(operation="replace", search="a", replacement="x" * 999),
        may_fail=True,
    ),
    Case("POST /execute", "split", _text(operation="split", separator=""), may_fail=True),
    Case(
        "POST /execute",
        "matches that each search to the end",
        _text(operation="regex_find_all", pattern="a.*c|a"),
        may_fail=True,
    ),
)
