"""Requests that try to make the engine work as long as they can, each of about two mebibytes."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

SIZE = 2 * 1024 * 1024 - 1024
# A little below the number of values that a body may have.
VALUES = 99_000


class Hostile(NamedTuple):
    """A request: what is hostile about it, where it goes, and its body."""

    kind: str
    path: str
    body: bytes


def hostile_requests() -> list[Hostile]:
    """Return one request of every kind."""
    return [Hostile(kind, path, body[:SIZE]) for kind, path, body in _made()]


def _graph(component: str, context: Any, **data: Any) -> bytes:
    node = {"id": "a", "type": "Component", "componentId": component, "data": data}
    run = {"graph": {"nodes": [node], "edges": []}, "context": context}
    return json.dumps(run, separators=(",", ":")).encode()


def _doubled(levels: int) -> dict[str, Any]:
    definitions: dict[str, Any] = {
        f"s{n}": {"anyOf": [{"$ref": f"#/$defs/s{n + 1}"}] * 2} for n in range(levels)
    }
    return {"$ref": "#/$defs/s0", "$defs": {**definitions, f"s{levels}": {"type": "string"}}}


def _made() -> list[tuple[str, str, bytes]]:
    ids = [f"{n:04}{'x' * 200}" for n in range(900)]
    edges = [{"from": f"y{n}{'x' * 200}", "to": ids[n % 900], "type": "PIPEE"} for n in range(4500)]
    nodes = [{"id": name, "type": "Component", "componentId": "hashh"} for name in ids]
    secrets = b'{"nodes":[{"id":"a","type":"Component","componentId":"hash","data":{"v":"'
    numbers = [n + 0.1234567 for n in range(VALUES)]
    return [
        (
            "empty objects",
            "/validate",
            b'{"nodes":[' + b"{}," * (SIZE // 3 - 10) + b'{}],"edges":[]}',
        ),
        ("empty lists", "/validate", b"[" + b"[]," * (SIZE // 3) + b"[]]"),
        ("fields", "/validate", b"{" + b",".join(b'"k%d":1' % n for n in range(VALUES)) + b"}"),
        ("depth", "/validate", b"[" * (SIZE // 2) + b"]" * (SIZE // 2)),
        (
            "placeholders",
            "/validate",
            secrets + b"{{secret.x y}}" * (SIZE // 15) + b'"}}],"edges":[]}',
        ),
        (
            "braces and spaces",
            "/validate",
            secrets + b"{{" + b" " * (SIZE - 200) + b'}"}}],"edges":[]}',
        ),
        ("names to compare", "/validate", json.dumps({"nodes": nodes, "edges": edges}).encode()),
        ("numbers to sort", "/execute", _graph("array_ops", {"items": numbers}, operation="sort")),
        (
            "objects to merge",
            "/execute",
            _graph("merge", {"sources": [{str(n): n} for n in range(VALUES // 2)]}, mode="deep"),
        ),
        (
            "a context repeated",
            "/execute",
            _graph("set", {"n": numbers}, values={f"v{n}": "{{ctx}}" for n in range(99)}),
        ),
        (
            "placeholders to look up",
            "/execute",
            _graph("hash", {"a": 1}, text="{{ctx.a}}" * 90_000),
        ),
        (
            "a schema that doubles",
            "/execute",
            _graph("validate_json", {}, data=1, schema=_doubled(24)),
        ),
        (
            "an expression",
            "/execute",
            _graph(
                "string_ops",
                {"text": "a" * 1_000_000},
                operation="regex_replace",
                pattern="(a*)*b",
                replacement="",
            ),
        ),
        (
            "a text to split",
            "/execute",
            _graph("string_ops", {"text": "ab" * 900_000}, operation="split", separator=""),
        ),
    ]
