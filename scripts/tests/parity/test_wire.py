import base64
import io
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from scripts.parity import parts
from scripts.parity.wire import UnfitReport, compare_report, requests_of

KEY = ["x-arcrun-api-key", "‹api_key›"]
KIND = ["content-type", "application/json"]


def exchange(
    method: str, target: str, *headers: list[str], body: Any = "", place: str = "engine"
) -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    request = {"method": method, "target": target, "headers": list(headers), "body": text}
    return {"place": place, "request": request}


def cell(sdk: str, traffic: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    return {
        "scenario": "push",
        "sdk": sdk,
        "outcome": "passed",
        "reason": "",
        "traffic": traffic,
    } | changes


def report(*cells: dict[str, Any]) -> dict[str, Any]:
    return {
        "interrupted": False,
        "sdks": [{"name": each["sdk"], "started": True} for each in cells],
        "scenarios": [{"id": "push"}],
        "cells": list(cells),
    }


def sealed(run: int, iv: str) -> dict[str, str]:
    return {
        "name": f"arcconf_{run:08x}_{run}_權杖",
        "encrypted": f"{run:032d}",
        "iv": iv * 16,
        "service": "notion",
    }


def python_side() -> list[dict[str, Any]]:
    agent = ["user-agent", "arcrun-python/0.1.0"]
    push = exchange(
        "POST", "/credentials", agent, KIND, KEY, ["host", "127.0.0.1:1"], body=sealed(7, "A")
    )
    search = "/search?limit=2&q=%E7%9C%8B"
    return [push, push, exchange("GET", search, agent, ["host", "a"], place="standin")]


def typescript_side() -> list[dict[str, Any]]:
    agent = ["User-Agent", "arcrun-js/0.1.0"]
    push = exchange(
        "POST", "/credentials", KEY, KIND, agent, ["sec-fetch-mode", "cors"], body=sealed(9, "B")
    )
    search = "/search?q=%e7%9c%8b&limit=2"
    return [
        push,
        deepcopy(push),
        exchange("GET", search, agent, ["connection", "x"], place="standin"),
    ]


def against_python(traffic: list[dict[str, Any]]) -> list[str]:
    found = compare_report(report(cell("python-sync", python_side()), cell("node24-esm", traffic)))
    return [str(difference) for difference in found.differences]


def test_what_is_new_each_time_or_the_runtimes_own_is_no_difference() -> None:
    assert against_python(typescript_side()) == []


def test_the_figures_say_what_was_compared() -> None:
    found = compare_report(
        report(cell("a", python_side()), cell("b", python_side()), cell("c", python_side()))
    )
    assert (found.sdks, found.scenarios, found.requests) == (["a", "b", "c"], 1, 6)


SENT = "push, node24-esm:"
FIRST, AGAIN = "(new value 1)", "(new value 3)"
PUSH = f"{SENT} request 1, POST /credentials (engine)"


def change_body(traffic: list[dict[str, Any]], number: int, **changes: Any) -> None:
    request = traffic[number]["request"]
    request["body"] = json.dumps({**json.loads(request["body"]), **changes})


def drop_header(traffic: list[dict[str, Any]]) -> None:
    traffic[0]["request"]["headers"].remove(KIND)


def rename_agent(traffic: list[dict[str, Any]]) -> None:
    traffic[0]["request"]["headers"][2] = ["User-Agent", "node"]


def drop_retry(traffic: list[dict[str, Any]]) -> None:
    del traffic[1]


def ask_twice(traffic: list[dict[str, Any]]) -> None:
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
    ("change", "told"),
    [
        (drop_header, f'{PUSH}, header.content-type: nothing instead of "application/json"'),
        (rename_agent, f'{PUSH}, header.user-agent: "node" instead of "arcrun-SDK/VERSION"'),
        (drop_retry, f"{SENT} POST /credentials (engine): sent 1 times instead of 2"),
        (ask_twice, f"{SENT} GET /health (engine): sent 1 times instead of 0"),
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
def test_what_is_sent_otherwise_is_told_with_scenario_sdk_request_and_field(
    change: Any, told: str
) -> None:
    traffic = typescript_side()
    change(traffic)
    assert f"{told} (against python-sync)" in against_python(traffic)


def jwt(**claims: Any) -> str:
    header = {"alg": "RS256", "typ": "JWT"}
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in (header, claims)
    ]
    return ".".join([*parts, "c2lnbmF0dXJl"])


def token_request(**claims: Any) -> list[dict[str, Any]]:
    form = ["Content-Type", "application/x-www-form-urlencoded"]
    return [exchange("POST", "/token", form, body=f"assertion={jwt(**claims)}", place="standin")]


def test_a_signed_assertion_is_compared_by_what_it_says() -> None:
    one = cell("a", token_request(iss="我", aud="http://127.0.0.1:5/token", iat=100, exp=3700))
    same = cell("b", token_request(exp=3900, iat=300, aud="http://127.0.0.1:6/token", iss="我"))
    other = cell("c", token_request(iss="我", aud="http://127.0.0.1:7/token", iat=100, exp=7300))
    assert compare_report(report(one, same)).differences == []
    (difference,) = compare_report(report(one, other)).differences
    assert str(difference) == (
        "push, c: request 1, POST /token (standin), "
        "body.assertion.claims.exp: 7200 instead of 3600 (against a)"
    )


CHECKS = [
    {"id": "shape", "outcome": "passed", "message": ""},
    {"id": "count", "outcome": "failed", "message": "又來一次\n而且"},
]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"outcome": "failed"}, "push, b: not compared, failed: see the report"),
        ({"outcome": "failed", "checks": CHECKS}, "push, b: not compared, failed: count: 又來一次"),
        ({"outcome": "skipped", "reason": "lacks x"}, "push, b: not compared, skipped: lacks x"),
        ({"scenario": "another"}, "push, b: not compared, missing: no cell in the report"),
    ],
)
def test_an_sdk_that_could_not_be_compared_differs(changes: dict[str, Any], told: str) -> None:
    cells = [cell("a", python_side()), cell("b", [], **changes), cell("c", python_side())]
    assert [str(each) for each in compare_report(report(*cells)).differences] == [told]


def test_a_scenario_that_all_skipped_differs_nowhere() -> None:
    run = report(cell("a", python_side()), cell("b", python_side()))
    run["scenarios"].append({"id": "later"})
    run["cells"] += [
        cell(sdk, [], scenario="later", outcome="skipped", reason="the engine lacks it")
        for sdk in "ab"
    ]
    assert compare_report(run).differences == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"interrupted": True}, "the run was interrupted"),
        ({"sdks": [{"name": "a", "started": True}]}, "parity takes two SDKs"),
        (
            {"sdks": [{"name": "a", "started": True}, {"name": "b", "started": False}]},
            "b did not start",
        ),
        ({"cells": []}, "nothing was compared"),
    ],
)
def test_a_report_that_shows_nothing_is_refused(changes: dict[str, Any], told: str) -> None:
    run = report(cell("a", python_side()), cell("b", python_side()))
    with pytest.raises(UnfitReport, match=told):
        compare_report({**run, **changes})


def test_fresh_values_are_numbered_so_that_a_repetition_shows() -> None:
    first, again, _ = requests_of(cell("a", python_side()))
    assert first["body"] == again["body"]
    assert first["body"]["name"] == "RUN_權杖"


# ---- The step, from a report on disk to the verdict ----


def plan(tmp_path: Path, run: dict[str, Any], explained: str) -> parts.Plan:
    (tmp_path / "conformance.json").write_text(json.dumps(run), "utf-8")
    (tmp_path / "explained.yaml").write_text(explained, "utf-8")
    nowhere = Path("/nowhere")
    return parts.Plan(
        sdks=(),
        report=tmp_path,
        explained=tmp_path / "explained.yaml",
        adapters=nowhere,
        server_python=nowhere,
        adapter_python=nowhere,
        node="node",
        work=tmp_path,
    )


@pytest.fixture
def dropped() -> dict[str, Any]:
    """The report of a run in which one SDK left a header out."""
    traffic = typescript_side()
    drop_header(traffic)
    return report(cell("python-sync", python_side()), cell("node24-esm", traffic))


def test_a_header_that_one_sdk_drops_is_no_go(tmp_path: Path, dropped: dict[str, Any]) -> None:
    with pytest.raises(
        parts.ParityFailed, match=r"differs without a reason: .*header\.content-type"
    ):
        parts.wire(plan(tmp_path, dropped, "surface:\nwire:\n"), Console(quiet=True))


def test_a_difference_with_a_reason_is_shown_and_counted(
    tmp_path: Path, dropped: dict[str, Any]
) -> None:
    explained = (
        "surface:\nwire:\n- {reason: 只是測試, differences: ['push, *header.content-type: *']}\n"
    )
    console = Console(file=(printed := io.StringIO()))
    figures = parts.wire(plan(tmp_path, dropped, explained), console)
    assert figures["explained"] == 1
    assert "只是測試" in printed.getvalue()


def test_a_reason_for_nothing_is_no_go(tmp_path: Path) -> None:
    run = report(cell("python-sync", python_side()), cell("node24-esm", typescript_side()))
    explained = "surface:\nwire:\n- {reason: was so once, differences: ['push, *: gone']}\n"
    with pytest.raises(parts.ParityFailed, match=r"explains nothing, take it out: push, \*: gone"):
        parts.wire(plan(tmp_path, run, explained), Console(quiet=True))


def test_a_reason_about_an_sdk_that_did_not_run_is_not_judged(tmp_path: Path) -> None:
    run = report(cell("python-sync", python_side()), cell("node24-esm", typescript_side()))
    explained = (
        "surface:\nwire:\n- {reason: browsers, differences: ['*agent*'], sdks: [chromium]}\n"
    )
    figures = parts.wire(plan(tmp_path, run, explained), Console(quiet=True))
    assert figures["unexplained"] == 0
