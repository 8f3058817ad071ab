"""Wire parity: what counts as the same request, what differs, and what is explained."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from parity_report import FORM, JSON, KEY, cell, exchange, report, texts_of

from arcrun_conformance.documents import DocumentError
from arcrun_conformance.gate import Unsupported
from arcrun_conformance.parity import (
    Explanation,
    NotComparable,
    compare,
    load,
    requests_of,
)
from arcrun_conformance.resources import data_directory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PARITY = data_directory() / "parity.yaml"


def sealed(run: int, iv: str) -> dict[str, str]:
    return {
        "name": f"arcconf_{run:08x}_{run}_權杖",
        "encrypted": f"{run:032d}",
        "iv": iv * 16,
        "service": "notion",
    }


def python_traffic() -> list[dict[str, Any]]:
    agent = ["user-agent", "arcrun-python/0.1.0"]
    push = exchange(
        "POST", "/credentials", agent, JSON, KEY, ["host", "127.0.0.1:1"], body=sealed(7, "A")
    )
    search = "/search?limit=2&q=%E7%9C%8B"
    return [push, push, exchange("GET", search, agent, ["host", "a"], place="standin")]


def typescript_traffic() -> list[dict[str, Any]]:
    agent = ["User-Agent", "arcrun-js/0.1.0"]
    push = exchange(
        "POST", "/credentials", KEY, JSON, agent, ["sec-fetch-mode", "cors"], body=sealed(9, "B")
    )
    search = "/search?q=%e7%9c%8b&limit=2"
    return [
        push,
        deepcopy(push),
        exchange("GET", search, agent, ["connection", "x"], place="standin"),
    ]


def against_python(traffic: list[dict[str, Any]]) -> list[str]:
    return texts_of(report(cell("python-sync", python_traffic()), cell("node24-esm", traffic)))


# ---- The same request ----


def test_what_differs_by_run_or_by_runtime_is_the_same() -> None:
    assert against_python(typescript_traffic()) == []


def test_an_sdk_of_any_language_names_itself() -> None:
    traffic = typescript_traffic()
    for each in traffic:
        each["request"]["headers"] = [
            ["User-Agent", "arcrun-go/2.0.0-rc.1"] if "User-Agent" in header else header
            for header in each["request"]["headers"]
        ]
    assert against_python(traffic) == []


def test_the_fields_of_a_form_may_come_in_any_order() -> None:
    one, two = (exchange("POST", "/token", FORM, body=body) for body in ("a=x&b=1", "b=1&a=x"))
    assert texts_of(report(cell("a", [one]), cell("b", [two]))) == []


def run_request(key: str | None) -> dict[str, Any]:
    headers = [] if key is None else [["Idempotency-Key", key]]
    return exchange("POST", "/webhooks/named/x/trigger", *headers)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("b" * 32, []),
        (None, ['header.idempotency-key: nothing instead of "(new value 1)"']),
        ("short", ['header.idempotency-key: "short" instead of "(new value 1)"']),
    ],
)
def test_an_idempotency_key_must_be_sent_but_is_new_each_time(
    key: str | None, expected: list[str]
) -> None:
    found = texts_of(report(cell("a", [run_request("a" * 32)]), cell("b", [run_request(key)])))
    assert [text.split("(engine), ")[1].removesuffix(" (against a)") for text in found] == expected


def test_new_values_are_numbered_so_that_a_repetition_shows() -> None:
    first, again, _ = requests_of(cell("a", python_traffic()))
    assert first["body"] == again["body"]
    assert first["body"]["name"] == "RUN_權杖"


def test_the_comparison_counts_scenarios_and_requests() -> None:
    found = compare(report(*(cell(sdk, python_traffic()) for sdk in "abc")))
    assert (found.sdks, found.compared, found.requests) == (
        ["a", "b", "c"],
        {"push": list("abc")},
        6,
    )


# ---- Differences ----


SENT = "push, node24-esm:"
FIRST, AGAIN = "(new value 1)", "(new value 3)"
PUSH = f"{SENT} request 1, POST /credentials (engine)"


def change_body(traffic: list[dict[str, Any]], number: int, **changes: Any) -> None:
    request = traffic[number]["request"]
    request["body"] = json.dumps({**json.loads(request["body"]), **changes})


def drop_header(traffic: list[dict[str, Any]]) -> None:
    traffic[0]["request"]["headers"].remove(JSON)


def rename_agent(traffic: list[dict[str, Any]]) -> None:
    traffic[0]["request"]["headers"][2] = ["User-Agent", "node"]


def add_header(traffic: list[dict[str, Any]]) -> None:
    traffic[0]["request"]["headers"].append(["CF-Worker", "worker.example.com"])


def drop_retry(traffic: list[dict[str, Any]]) -> None:
    del traffic[1]


def send_one_more(traffic: list[dict[str, Any]]) -> None:
    traffic.insert(0, exchange("GET", "/health"))


def swap(traffic: list[dict[str, Any]]) -> None:
    traffic.insert(0, traffic.pop())


def other_query(traffic: list[dict[str, Any]]) -> None:
    traffic[2]["request"]["target"] = "/search?q=%E7%9C%8B"


def other_service(traffic: list[dict[str, Any]]) -> None:
    change_body(traffic, 0, service="slack")


def short_iv(traffic: list[dict[str, Any]]) -> None:
    change_body(traffic, 0, iv="AAAA")


def sealed_anew(traffic: list[dict[str, Any]]) -> None:
    change_body(traffic, 1, iv="C" * 16)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (drop_header, f'{PUSH}, header.content-type: nothing instead of "application/json"'),
        (rename_agent, f'{PUSH}, header.user-agent: "node" instead of "arcrun-SDK/VERSION"'),
        (add_header, f'{PUSH}, header.cf-worker: "worker.example.com" instead of nothing'),
        (drop_retry, f"{SENT} POST /credentials (engine): sent 1 time instead of 2"),
        (send_one_more, f"{SENT} GET /health (engine): sent 1 time instead of 0"),
        (swap, f"{SENT} GET /search (standin): sent in another order"),
        (
            other_query,
            f'{SENT} request 3, GET /search (standin), query.limit: nothing instead of "2"',
        ),
        (other_service, f'{PUSH}, body.service: "slack" instead of "notion"'),
        (short_iv, f'{PUSH}, body.iv: "AAAA" instead of "{FIRST}"'),
        (
            sealed_anew,
            f'{SENT} request 2, POST /credentials (engine), body.iv: "{AGAIN}" instead of "{FIRST}"',
        ),
    ],
)
def test_a_difference_names_scenario_sdk_request_and_field(
    change: Callable[[list[dict[str, Any]]], None], expected: str
) -> None:
    traffic = typescript_traffic()
    change(traffic)
    assert f"{expected} (against python-sync)" in against_python(traffic)


CHECKS = [
    {"id": "shape", "outcome": "passed", "message": ""},
    {"id": "count", "outcome": "failed", "message": "又來一次\n而且"},  # "once more, and"
]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"outcome": "failed"}, "push, b: not compared, failed: see the report"),
        ({"outcome": "failed", "checks": CHECKS}, "push, b: not compared, failed: count: 又來一次"),
        ({"outcome": "skipped", "reason": "lacks x"}, "push, b: not compared, skipped: lacks x"),
        ({"scenario": "another"}, "push, b: not compared, missing: not in the report"),
    ],
)
def test_an_sdk_that_was_not_compared_differs(changes: dict[str, Any], expected: str) -> None:
    cells = [cell("a", python_traffic()), cell("b", [], **changes), cell("c", python_traffic())]
    assert texts_of(report(*cells)) == [expected]


def test_a_scenario_that_all_sdks_skipped_is_no_difference() -> None:
    run = report(cell("a", python_traffic()), cell("b", python_traffic()))
    run["scenarios"].append({"id": "later", "title": "t", "spec": []})
    run["cells"] += [
        cell(sdk, [], scenario="later", outcome="skipped", reason="the engine lacks it")
        for sdk in "ab"
    ]
    assert texts_of(run) == []


def test_a_scenario_that_an_sdk_may_skip_has_the_gates_reason() -> None:
    skipped = cell("b", [], outcome="skipped", reason="the adapter lacks x, y", lacks=["x", "y"])
    run = report(cell("a", python_traffic()), skipped, cell("c", python_traffic()))
    x, y = Unsupported("x", "no x there", sdk="b"), Unsupported("y", "no y there", sdk="b")
    of_another = Unsupported("y", "no y there", sdk="c")
    assert [each.reason for each in compare(run, (), [x, y]).differences] == [
        "no x there; no y there"
    ]
    assert not compare(run, (), [x]).go
    assert not compare(run, (), [x, of_another]).go


def test_the_requests_of_a_step_that_one_of_two_sdks_is_exempt_from_are_left_out() -> None:
    exempt = [{"id": "more", "outcome": "exempt", "message": "the adapter lacks x"}]
    more = exchange("GET", "/more") | {"step": "more"}
    without, also = cell("a", python_traffic(), checks=exempt), [*python_traffic(), more]
    assert texts_of(report(without, cell("b", also))) == []
    assert texts_of(report(cell("b", also), without)) == []
    assert texts_of(report(cell("a", python_traffic()), cell("b", also))) == [
        "push, b: GET /more (engine): sent 1 time instead of 0 (against a)"
    ]


def test_further_pages_of_the_engines_lists_are_left_out() -> None:
    further = exchange("GET", "/credentials?cursor=abc") | {"further_page": True}
    assert against_python([*typescript_traffic(), further]) == []


def test_an_explanation_of_what_differs_sometimes_may_explain_nothing() -> None:
    run = report(cell("a", python_traffic()), cell("b", python_traffic()))
    always = Explanation("a reason", ("POST *",))
    assert compare(run, [always]).unused == [always]
    assert compare(run, [replace(always, sometimes=True)]).go


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"interrupted": True}, "the run was interrupted"),
        ({"sdks": [{"name": "a", "started": True}]}, "parity needs two SDKs"),
        (
            {"sdks": [{"name": "a", "started": True}, {"name": "b", "started": False}]},
            "b did not start",
        ),
        ({"cells": []}, "nothing was compared"),
    ],
)
def test_a_report_that_shows_nothing_is_refused(changes: dict[str, Any], expected: str) -> None:
    run = report(cell("a", python_traffic()), cell("b", python_traffic()))
    with pytest.raises(NotComparable, match=expected):
        compare({**run, **changes})


# ---- Explanations ----


@pytest.fixture
def dropped() -> dict[str, Any]:
    """The report of a run in which node24-esm leaves a header out."""
    traffic = typescript_traffic()
    drop_header(traffic)
    return report(cell("python-sync", python_traffic()), cell("node24-esm", traffic))


DROPPED = "request 1, *, header.content-type: nothing instead of *"


@pytest.mark.parametrize("sdk", ["node24-esm", "python-sync"])
def test_an_explanation_holds_for_either_of_the_two_sdks(dropped: dict[str, Any], sdk: str) -> None:
    found = compare(dropped, [Explanation("為什麼", (DROPPED,), sdks=frozenset({sdk}))])
    assert [difference.reason for difference in found.differences] == ["為什麼"]
    assert found.go


@pytest.mark.parametrize(
    "other",
    [
        Explanation("r", ("request 1, *, header.content: *",)),
        Explanation("r", ("header.content-type: *",)),
        Explanation("r", (DROPPED,), sdks=frozenset({"deno"})),
        Explanation("r", (DROPPED,), scenario="pull"),
    ],
)
def test_an_explanation_explains_no_other_difference(
    dropped: dict[str, Any], other: Explanation
) -> None:
    found = compare(dropped, [other])
    assert len(found.unexplained) == 1
    assert not found.go


@pytest.mark.parametrize(
    ("scenario", "sdks", "unused"),
    [
        ("", {"node24-esm"}, True),
        ("", (), True),
        ("push", (), True),
        ("pull", (), False),
        ("", {"deno"}, False),
    ],
)
def test_an_explanation_of_nothing_is_reported_where_it_applies(
    dropped: dict[str, Any], scenario: str, sdks: set[str], unused: bool
) -> None:
    gone = Explanation("r", ("*header.origin: *",), scenario, frozenset(sdks))
    found = compare(dropped, [Explanation("r", (DROPPED,)), gone])
    assert found.unused == ([gone] if unused else [])
    assert found.go is not unused


@pytest.mark.parametrize(("known", "unused"), [("ab", 1), ("a", 0), ("", 0)])
def test_an_explanation_need_not_explain_anything_of_sdks_it_was_not_written_for(
    known: str, unused: int
) -> None:
    run = report(cell("a", python_traffic()), cell("b", python_traffic()))
    explanation = Explanation("r", ("*header.origin: *",), sdks=frozenset("a"))
    assert len(compare(run, [explanation], (), frozenset(known)).unused) == unused


def test_of_a_scenario_that_was_not_compared_no_explanation_is_reported() -> None:
    run = report(cell("a", []), cell("b", []), cell("c", [], outcome="skipped", reason="lacks x"))
    skipped = Explanation("r", ("not compared, skipped: lacks x",), sdks=frozenset({"c"}))
    header = Explanation("r", ("*header.origin: *",), sdks=frozenset({"c"}))
    found = compare(run, [skipped, header])
    assert found.go, found


def test_brackets_in_an_explanation_stand_for_themselves() -> None:
    one, two = (exchange("POST", "/x", JSON, body={"a": [number]}) for number in (1, 2))
    run = report(cell("a", [one]), cell("b", [two]))
    assert compare(run, [Explanation("r", ("*body.a[0]: 2 instead of 1",))]).go
    assert not compare(run, [Explanation("r", ("*body.[a]*: 2 instead of 1",))]).go


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("explained: [", "YAML"),
        ("differences: []", "explained"),
        ("explained:\n- {differences: [a]}", "reason"),
        ("explained:\n- {reason: so}", "differences"),
        ("explained:\n- {reason: so, differences: []}", "differences"),
        ("explained:\n- {reason: so, differences: ['* ']}", "would explain every difference"),
        ("explained:\n- {reason: so, differences: [a], sdks: deno}", "sdks"),
        ("explained:\n- {reason: so, differences: [a], header: x}", "unknown key header"),
    ],
)
def test_a_file_that_is_not_valid_says_where(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "parity.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(DocumentError, match=expected) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_our_explanations_name_scenarios_and_sdks_that_exist() -> None:
    scenarios = {path.stem for path in (data_directory() / "scenarios/sdk").glob("*.yaml")}
    adapters = yaml.safe_load((data_directory() / "adapters/adapters.yaml").read_text("utf-8"))
    names = {adapter["name"] for adapter in adapters["adapters"]}
    explanations = load(PARITY)
    assert {each.scenario for each in explanations} <= scenarios | {""}
    assert {sdk for each in explanations for sdk in each.sdks} <= names
