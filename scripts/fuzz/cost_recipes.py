"""The requests of recipes, blocks and searches whose cost is measured, up to their largest allowed size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scripts.fuzz.cost_cases import ANY_BODY, KIB, SIZES, Case, graph, node

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

# A recipe has at most 256 KiB, and so has a block.
TEXT_SIZES = (8, 64, 250)
BLOCKS = 2000
# With how many prompts a version is compared.
RUNS = (9, 50, 200)
# What becomes of a message of many lines.
BACKTESTED = {
    "lines in another order": "{{shuffled}}",
    "thirty times as many lines": "{{shuffled}}\n" * 30,
    "other lines in between": "{{shuffled}}{{sorted}}",
}
SEARCHED = "/kbdb/search?q="
FOUND = "/components/search?q="
# Characters: a query has at most so many.
_OF_BLOCKS = (50, 250, 1000)
_OF_COMPONENTS = (50, 100, 200)


def prepare(client: httpx.Client) -> None:
    """Push what the cases use: pairs of versions that differ in growing ways, blocks, and a recipe."""
    for kind, pair in VERSIONS.items():
        for kib in TEXT_SIZES:
            for lines in pair(kib):
                recipe = _recipe("\n".join(lines), name=f"{kind}_{kib}")
                _send(client, "/prompt-recipes", {"recipe": recipe})
    _send(client, "/prompt-recipes", {"recipe": _recipe("Hello", name="cost")})
    _record(client)
    texts = [f"今天的天氣很好,weather report no{number} a b c" for number in range(BLOCKS)]
    for begin in range(0, BLOCKS, 1000):
        _send(client, "/kbdb/blocks/ingest", {"page_name": "cost", "text": texts[begin:][:1000]})


def _record(client: httpx.Client) -> None:
    """Let as many prompts be recorded as are kept of a recipe, each as large as that: a node asks for each element."""
    _send(client, "/prompt-recipes", {"recipe": _of_recorded("{{sorted}}")})
    ordered = _lines(58, 60)  # as many as are compared each with each
    shuffled = sorted(ordered, key=lambda line: line[::-1])
    context = {"xs": list(range(RUNS[-1])), "a": "\n".join(ordered), "b": "\n".join(shuffled)}
    nodes = [{"id": "input", "type": "Input"}, node("ask", "claude_api", recipe="recorded")]
    edge = {"from": "input", "to": "ask", "type": "FOREACH", "iterator": "xs"}
    # No model is configured: each node fails, after its prompt was assembled.
    body = {"graph": {"nodes": nodes, "edges": [edge]}, "context": context}
    client.post("/execute", json=body)
    found = client.post("/prompt-recipes/recorded/backtest", json={"runs": RUNS[-1]}).json()
    if found["count"] != RUNS[-1]:
        raise RuntimeError(f"{found['count']} prompts were recorded, not {RUNS[-1]}")


def _of_recorded(user: str) -> dict[str, Any]:
    inputs = [{"var": "sorted", "from": "input.a"}, {"var": "shuffled", "from": "input.b"}]
    return _recipe(user, name="recorded", inputs=inputs)


def _backtested(user: str) -> Callable[[int], Any]:
    return lambda runs: {"runs": runs, "recipe": _of_recorded(user)}


def _send(client: httpx.Client, path: str, body: Any) -> None:
    client.post(path, json=body).raise_for_status()


def _recipe(user: str, **more: Any) -> dict[str, Any]:
    return {"name": "cost", "prompt_assembly": {"user": user}, **more}


def _lines(kib: int, width: int = 9) -> list[str]:
    return [f"{number:0{width - 1}}" for number in range(kib * KIB // width)]


def _shuffled(kib: int) -> tuple[list[str], list[str]]:
    lines = _lines(kib)
    return lines, sorted(lines, key=lambda line: line[::-1])


def _alternating(kib: int) -> tuple[list[str], list[str]]:
    return ["a", "b"] * (kib * KIB // 4), ["b", "a", "a"] * (kib * KIB // 6)


# Two versions of a recipe's text, by how they differ.
VERSIONS: dict[str, Callable[[int], tuple[list[str], list[str]]]] = {
    "other_lines": lambda kib: (_lines(kib), [f"x{line[1:]}" for line in _lines(kib)]),
    "shuffled_lines": _shuffled,
    "equal_lines": _alternating,
    "long_lines": lambda kib: (["ab" * kib * 400], ["ba" * kib * 400]),
}


def _pushed(recipe: Callable[[int], Any]) -> Callable[[int], Any]:
    return lambda kib: {"recipe": recipe(kib)}


def _with_fragments(kib: int) -> Any:
    """Return a recipe whose fragments hold each other: more pieces than a prompt may have."""
    del kib
    fragments = [{"var": f"f{n}", "source": "kv", "key": "k"} for n in range(20)]
    return _recipe("{{f0}}", fragments=fragments)


def _tests(kib: int) -> Any:
    tests = [
        {
            "name": f"t{n}",
            "inputs": {"v": "x" * (kib * KIB // 60)},
            "expect": {"contains": ["y" * (kib * KIB // 500)]},
        }
        for n in range(50)
    ]
    return _recipe("{{v}}" * 20, inputs=[_input()], tests=tests)


def _input(transform: str | None = None) -> dict[str, Any]:
    return {"var": "v", "from": "input.v"} | ({"transform": transform} if transform else {})


RECIPES: dict[str, Callable[[int], Any]] = {
    "a long template": lambda kib: _recipe("x" * kib * KIB),
    "variables that nothing declares": lambda kib: _recipe("{{vvv}}" * (kib * KIB // 7)),
    "different variables that nothing declares": lambda kib: _recipe(
        "".join(f"{{{{v{n:07}}}}}" for n in range(kib * KIB // 12))
    ),
    "places that are not closed": lambda kib: _recipe("{{ " * (kib * KIB // 3)),
    "escaped places": lambda kib: _recipe("\\{{" * (kib * KIB // 3)),
    "lines with places": lambda kib: _recipe("{{v}}\n" * (kib * KIB // 6), inputs=[_input()]),
    "a YAML text of many lines": lambda kib: (
        "name: cost\nprompt_assembly:\n  user: |\n" + "    a\n" * (kib * KIB // 6)
    ),
    "a YAML text of many lists": lambda kib: "name: cost\na: [" + "[], " * (kib * KIB // 4) + "]",
    "a YAML text of many keys": lambda kib: "\n".join(
        f"k{n:07}: 1" for n in range(kib * KIB // 12)
    ),
    "a YAML text of open brackets": lambda kib: "[" * kib * KIB,
    "a YAML text of quotation marks": lambda kib: "a: " + "'" * kib * KIB,
    "a YAML text of aliases": lambda kib: "a: &a 1\nb: [" + "*a, " * (kib * KIB // 4) + "]",
    "unknown transforms": lambda kib: _recipe(
        "{{v}}", inputs=[_input("extract_fild:" + "x" * (kib * KIB // 70))] * 64
    ),
    "a schema of many fields": lambda kib: _recipe(
        "x", output={"format": "json", "schema": _schema(min(3000, kib * KIB // 50))}
    ),
    "tests of large inputs": _tests,
}
# What the transforms make of a list that grows.
TRANSFORMS = (
    "json_array",
    "to_string",
    "join",
    "join:" + "-" * 90,
    "markdown_list",
    "extract_field:a",
    "extract_field:" + "a." * 40 + "a",
    "pluck_content",
    "first",
)


def _schema(fields: int) -> Any:
    return {"type": "object", "properties": {f"f{n}": {"type": "string"} for n in range(fields)}}


def _rendered(transform: str) -> Callable[[int], Any]:
    def body(kib: int) -> Any:
        items = [{"a": f"{n:09}", "content": "x" * 40} for n in range(kib * KIB // 74)]
        return {"recipe": _recipe("{{v}}", inputs=[_input(transform)]), "inputs": {"v": items}}

    return body


def _rendered_often(kib: int) -> Any:
    recipe = _recipe("{{v}} " * 1000, inputs=[_input()])
    return {"recipe": recipe, "inputs": {"v": "x" * min(3900, kib * KIB)}}


def _rendered_fragments(kib: int) -> Any:
    fragments = {f"f{n}": f"{{{{f{n + 1}}}}}" * 3 for n in range(19)}
    return {"recipe": _with_fragments(kib), "fragments": {**fragments, "f19": "x" * kib * KIB}}


# Contents of blocks, by kibibytes of characters.
CONTENTS: dict[str, Callable[[int], str]] = {
    "words": lambda kib: "ab " * (kib * KIB // 3),
    "different words": lambda kib: " ".join(_lines(kib)),
    "one word": lambda kib: "a" * kib * KIB,
    "Chinese characters": lambda kib: "天氣很好" * (kib * KIB // 4),
    "different Chinese characters": lambda kib: "".join(
        chr(0x4E00 + n * 7 % 20_000) for n in range(kib * KIB)
    ),
    "symbols": lambda kib: "+" * kib * KIB,
    "marks": lambda kib: "a" + "\u0300\u0327" * (kib * KIB // 2),
    "characters that stand for eighteen": lambda kib: "\ufdfa" * kib * KIB,
    "list items": lambda kib: "- a\n" * (kib * KIB // 4),
}
QUERIES: dict[str, Callable[[int], str]] = {
    "a long word": lambda characters: "x" * characters,
    "words of each": lambda characters: "+".join("abc"[n % 3] for n in range(characters // 2)),
    "different words": lambda characters: "+".join(f"w{n}" for n in range(characters // 6)),
    "a phrase that is nowhere": lambda characters: "天氣" * (characters // 2),
    "characters that stand for eighteen": lambda characters: "\ufdfa" * characters,
    "marks": lambda characters: "a" + "\u0300\u0327" * (characters // 2 - 1),
    "symbols": lambda characters: "%2B" * characters,
}
_LONG_PATHS = (2, 8, 30)


def _asked(path: str, query: Callable[[int], str]) -> Callable[[int], str]:
    return lambda characters: path + query(characters)


def _too_long(kib: int) -> str:
    return "x" * kib * KIB


def _read_page(kib: int) -> Any:
    """Return a run that writes a block and reads its page, which walks the list in it."""
    page = f"cost {kib}"
    write = node("w", "kbdb_ingest", page_name=page, text="- a\n" * (kib * KIB // 4))
    read = node("r", "kbdb_get", page_name=page)
    return {"graph": graph([write, read], [("w", "r", "PIPE")])}


def _diff_cases() -> list[Case]:
    return [
        Case(
            "GET /prompt-recipes/{name}/diff",
            f"of {kind.replace('_', ' ')}",
            None,
            TEXT_SIZES,
            lambda kib, kind=kind: f"/prompt-recipes/{kind}_{kib}/diff?from=1&to=2",  # type: ignore[misc]
        )
        for kind in VERSIONS
    ]


CASES: tuple[Case, ...] = (
    *(
        Case(operation, kind, body)
        for operation in (
            "POST /prompt-recipes",
            "POST /prompt-recipes/cost/render",
            "POST /prompt-recipes/cost/test",
            "POST /kbdb/blocks",
            "POST /kbdb/blocks/ingest",
        )
        for kind, body in ANY_BODY.items()
    ),
    *(
        Case("POST /prompt-recipes", kind, _pushed(recipe), TEXT_SIZES)
        for kind, recipe in RECIPES.items()
    ),
    *(
        Case("POST /prompt-recipes/cost/render", kind, _pushed(recipe), TEXT_SIZES)
        for kind, recipe in RECIPES.items()
    ),
    *(
        Case("POST /prompt-recipes/cost/render", f"list for {transform[:20]}", _rendered(transform))
        for transform in TRANSFORMS
    ),
    Case("POST /prompt-recipes/cost/render", "a value at 1,000 places", _rendered_often, (2, 3)),
    Case(
        "POST /prompt-recipes/cost/render",
        "fragments that multiply",
        _rendered_fragments,
        TEXT_SIZES,
    ),
    Case("POST /prompt-recipes/cost/test", "50 tests", _pushed(_tests), TEXT_SIZES),
    *_diff_cases(),
    *(
        Case("POST /prompt-recipes/recorded/backtest", kind, _backtested(user), RUNS)
        for kind, user in BACKTESTED.items()
    ),
    *(
        Case(
            "POST /kbdb/blocks",
            f"a block of {kind}",
            lambda kib, content=content: {"page_name": "cost", "content": content(kib)},  # type: ignore[misc]
            TEXT_SIZES,
        )
        for kind, content in CONTENTS.items()
    ),
    Case(
        "POST /kbdb/blocks/ingest",
        "1,000 texts that grow",
        lambda kib: {"page_name": "cost", "text": ["天氣 x" * (kib * KIB // 8000)] * 1000},
        SIZES,
    ),
    Case("POST /execute", "a page of many list items", _read_page, TEXT_SIZES, may_fail=True),
    *(
        # A search that takes longer than two seconds is ended with 503, and an account has one at a time.
        Case(operation, kind, None, sizes, _asked(path, query), may_fail="kbdb" in path)
        for operation, path, sizes in (
            ("GET /kbdb/search", SEARCHED, _OF_BLOCKS),
            ("GET /components/search", FOUND, _OF_COMPONENTS),
        )
        for kind, query in QUERIES.items()
    ),
    *(
        Case(operation, "a query that is too long", None, _LONG_PATHS, _asked(path, _too_long))
        for operation, path in (("GET /kbdb/search", SEARCHED), ("GET /components/search", FOUND))
    ),
)
