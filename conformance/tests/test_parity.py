"""Wire parity: what is the same, what differs, and what is explained."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_conformance.cli import COULD_NOT_RUN, FAILED, GO, main
from arcrun_conformance.parity import Explained, compare, idle

if TYPE_CHECKING:
    from pathlib import Path


def exchange(**request: Any) -> dict[str, Any]:
    made = {
        "method": "POST",
        "target": "/credentials?b=2&a=1",
        "headers": [["User-Agent", "arcrun-python/0.1.0"], ["Host", "127.0.0.1:1"]],
        "body": '{"name": "arcconf_0a1b2c3d_1_x", "iv": "AAAA", "encrypted": "BBBB"}',
    }
    more = {"number": 1, "place": "engine", "step": "s", "started": 0, "seconds": 0}
    return {"request": {**made, **request}, "answer": None, "fault": None, "problem": None, **more}


def report(mine: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> dict[str, Any]:
    cells = [
        {
            "scenario": "push",
            "sdk": sdk,
            "outcome": "passed",
            "reason": "",
            "seconds": 0,
            "checks": [],
            "steps": [],
            "traffic": traffic,
            "stderr": "",
        }
        for sdk, traffic in (("python", mine), ("js", theirs))
    ]
    return {
        "format": 1,
        "runner": "0.1.0",
        "run": "arcconf_0a1b2c3d",
        "started": "",
        "seconds": 0,
        "interrupted": False,
        "target": {"name": "t", "url": "u", "contract": None, "health": {}, "remote": False},
        "sdks": [{"name": "python", "started": True}, {"name": "js", "started": True}],
        "scenarios": [{"id": "push", "title": "t", "spec": []}],
        "cells": cells,
        "leftovers": {"created": 0, "problems": [], "left": []},
        "deviations": [],
        "gate": None,
    }


def texts(mine: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    return [difference.text for difference in compare(report([mine], [theirs]), [])]


@pytest.mark.parametrize(
    "same",
    [
        {},
        {"target": "/credentials?a=1&b=2"},
        {"headers": [["user-agent", "arcrun-js/0.1.0"], ["connection", "close"], ["host", "x"]]},
        {"body": '{"encrypted":"XX","iv":"YY","name":"arcconf_99999999_22_x"}'},
    ],
)
def test_what_differs_by_run_or_runtime_is_the_same(same: dict[str, Any]) -> None:
    assert texts(exchange(), exchange(**same)) == []


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"method": "PUT"}, "sends PUT /credentials?a=1&b=2 at the engine instead of POST"),
        ({"target": "/credentials?a=1"}, "sends POST /credentials?a=1 at the engine instead"),
        (
            {"headers": [["User-Agent", "arcrun-js/1"], ["Accept", "text/html"]]},
            'header accept: "text/html" instead of nothing',
        ),
        ({"headers": [["User-Agent", "undici"]]}, 'header user-agent: "undici" instead of'),
        ({"body": '{"name": "arcconf_0a1b2c3d_1_x", "iv": "A"}'}, "body: "),
        ({"body": '{"name": "arcconf_0a1b2c3d_1_y", "iv": "", "encrypted": ""}'}, "RUN_y"),
    ],
)
def test_what_the_sdk_decides_is_told(other: dict[str, Any], expected: str) -> None:
    (text,) = texts(exchange(), exchange(**other))
    assert expected in text


def test_the_fields_of_a_form_may_come_in_any_order() -> None:
    one, two = exchange(body="grant_type=x&scope=a+b"), exchange(body="scope=a+b&grant_type=x")
    assert texts(one, two) == []
    assert texts(one, exchange(body="scope=a&grant_type=x")) != []


def test_a_fresh_header_must_be_there_but_need_not_be_the_same() -> None:
    agent = ["User-Agent", "arcrun-python/1"]
    one = exchange(headers=[agent, ["Idempotency-Key", "1"]])
    two = exchange(headers=[agent, ["idempotency-key", "2"]])
    assert texts(one, two) == []
    assert "idempotency-key" in texts(one, exchange(headers=[agent]))[0]


def test_one_request_more_is_a_difference() -> None:
    (difference,) = compare(report([exchange()], [exchange(), exchange()]), [])
    assert difference.text.startswith("sends POST")


def test_what_did_not_pass_is_not_compared() -> None:
    failed = report([exchange()], [])
    failed["cells"][1]["outcome"] = "failed"
    assert compare(failed, []) == []


def test_an_explained_difference_keeps_its_reason() -> None:
    other = exchange(headers=[["User-Agent", "arcrun-js/1"], ["Accept", "*/*"]])
    explained = [Explained("fetch always sends it", sdk="js", header="accept")]
    (difference,) = compare(report([exchange()], [other]), explained)
    assert difference.reason == "fetch always sends it"
    (other_sdk,) = compare(report([exchange()], [other]), [Explained("r", sdk="deno")])
    assert other_sdk.reason == ""


def test_a_reason_holds_on_whichever_side_its_sdk_stands() -> None:
    mine = exchange(headers=[["User-Agent", "arcrun-js/1"], ["Sec-CH-UA-Mobile", "?0"]])
    explained = [Explained("a browser's", sdk="python", header="sec-ch-ua*")]
    (difference,) = compare(report([mine], [exchange()]), explained)
    assert (difference.sdk, difference.against, difference.reason) == (
        "js",
        "python",
        "a browser's",
    )


@pytest.mark.parametrize("header", ["sec-ch", "sec-ch-ua-m", "*-ua", "user-agent"])
def test_a_reason_explains_no_other_header(header: str) -> None:
    other = exchange(headers=[["User-Agent", "arcrun-js/1"], ["Sec-CH-UA-Mobile", "?0: x"]])
    explained = [Explained("r", header=header)]
    (difference,) = compare(report([exchange()], [other]), explained)
    assert difference.reason == ""


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"sdk": "js", "header": "accept"}, False),
        ({"sdk": "js", "header": "origin"}, True),
        ({"header": "origin"}, True),
        ({"sdk": "deno", "header": "origin"}, False),
        ({"scenario": "push"}, False),
        ({"scenario": "pull"}, False),
        ({"scenario": "push", "header": "origin"}, True),
    ],
)
def test_a_reason_for_what_is_not_different_any_more_is_told(
    entry: dict[str, str], expected: bool
) -> None:
    other = exchange(headers=[["User-Agent", "arcrun-js/1"], ["Accept", "*/*"]])
    both = report([exchange()], [other])
    explained = [Explained("r", **entry)]
    assert idle(both, explained, compare(both, explained)) == (explained if expected else [])


def test_the_command_counts_what_is_explained_and_fails_for_idle_reasons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = exchange(headers=[["User-Agent", "arcrun-js/1"], ["Accept", "*/*"]])
    path, reasons = tmp_path / "conformance.json", tmp_path / "parity.yaml"
    path.write_text(json.dumps(report([exchange(), exchange()], [other, other])))
    entry = "differences:\n- {sdk: js, header: accept, reason: fetch sends it}\n"
    reasons.write_text(entry)
    assert main(["parity", str(path), "--explained", str(reasons)]) == GO
    assert "js: 2 explained: fetch sends it" in capsys.readouterr().out
    reasons.write_text(f"{entry}- {{sdk: js, header: origin, reason: old}}\n")
    assert main(["parity", str(path), "--explained", str(reasons)]) == FAILED
    assert "explains nothing, remove it: js, origin, old" in capsys.readouterr().out


def test_the_command_says_how_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "conformance.json"
    equal, unequal = report([exchange()], [exchange()]), report([exchange()], [])
    path.write_text(json.dumps(equal))
    assert main(["parity", str(path)]) == GO
    assert "0 unexplained differences on the wire between python, js" in capsys.readouterr().out
    path.write_text(json.dumps(unequal))
    assert main(["parity", str(tmp_path)]) == FAILED
    assert "push, js against python: sends nothing" in capsys.readouterr().out
    alone = copy.deepcopy(equal)
    del alone["sdks"][1]
    path.write_text(json.dumps(alone))
    assert main(["parity", str(path)]) == COULD_NOT_RUN
