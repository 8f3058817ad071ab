"""The exchanges on the page: those that a check is about are open, all are numbered, and findings lead to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from page_in_browser import CHROMIUM, page_of
from report_document import cell, check

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


def sent(number: int, step: str = "set-up", target: str = "", **more: Any) -> dict[str, Any]:
    request = {"method": "GET", "target": target or f"/{number}", "headers": [], "body": ""}
    answer = {"status": 200, "headers": [], "body": ""}
    made = {"number": number, "place": "engine", "step": step, "request": request, "answer": answer}
    made |= {"started": number / 10, "seconds": 0.01, "fault": None, "problem": ""}
    return made | {"further_page": False} | more


def failing(said: str, traffic: list[int], *exchanges: dict[str, Any]) -> dict[str, Any]:
    found = {**check("a", "failed", said), "traffic": traffic}
    return cell("one", "js", "failed", found, traffic=list(exchanges))


def test_only_the_exchange_of_the_finding_is_open(tmp_path: Path) -> None:
    exchanges = [sent(number) for number in (1, 2, 3, 4, 5)]
    broken = failing("request 4 (GET /4).query: expected 1, got 2", [4], *exchanges)
    page = page_of(tmp_path, cells=[broken, cell("one", "py", "passed", traffic=exchanges)])
    titles = page.texts("summary")
    assert "3 other exchanges, request 1 to 3 of js" in titles
    assert "request 4 · GET /4 · engine · step set-up · the same" in titles
    opened = [found for name, found, _ in page.elements if name == "details" and "open" in found]
    assert [found["data-requests"] for found in opened] == ["4", "1 2 3 4 5"]


def test_of_the_exchanges_of_a_check_the_one_that_was_too_early_is_open(tmp_path: Path) -> None:
    said = "pause before request 2: expected at least 0.95, got 0.1"
    page = page_of(tmp_path, cells=[failing(said, [1, 2], sent(1), sent(2))])
    opened = [found for name, found, _ in page.elements if name == "details" and "open" in found]
    assert [found["data-requests"] for found in opened] == ["2", "1 2"]


def test_of_requests_that_are_too_many_those_that_the_other_did_not_send_are_open(
    tmp_path: Path,
) -> None:
    said = "number of requests: expected 1, got 2"
    broken = failing(said, [1, 2], sent(1), sent(2, target="/1"))
    page = page_of(tmp_path, cells=[broken, cell("one", "py", "passed", traffic=[sent(1)])])
    opened = [found for name, found, _ in page.elements if name == "details" and "open" in found]
    assert [found["data-requests"] for found in opened] == ["2", "1 2"]


def test_of_requests_that_are_too_few_the_one_that_was_not_sent_is_open(tmp_path: Path) -> None:
    others = [sent(number) for number in (2, 3, 4)]
    said = "number of requests: expected 2, got 1"
    broken = failing(said, [1], sent(1, target="/arcconf_0a1b2c3d_x"), *others)
    again = sent(5, target="/arcconf_4e5f6a7b_x")
    passed = {**check("a", "passed"), "traffic": [1, 5]}
    passing = cell(
        "one",
        "py",
        "passed",
        passed,
        traffic=[sent(1, target="/arcconf_4e5f6a7b_x"), *others, again],
    )
    page = page_of(tmp_path, cells=[broken, passing])
    titles = page.texts("summary")
    assert "3 other exchanges, request 2 to 4 of js" in titles
    assert (
        "py, request 5 · GET /arcconf_4e5f6a7b_x · engine · step set-up · only sent by py" in titles
    )
    assert page.texts("b")[-2:] == ["js, not sent", "py, request 5"]


def test_what_is_folded_says_how_much_of_it_was_not_sent(tmp_path: Path) -> None:
    said = "request 2 (GET /2).query: expected 1, got 2"
    broken = failing(said, [2], sent(2), sent(5))
    passing = cell("one", "py", "passed", traffic=[sent(2), sent(3), sent(4), sent(5)])
    titles = page_of(tmp_path, cells=[broken, passing]).texts("summary")
    assert "3 other exchanges, request 5 of js, 2 of them not sent by js" in titles


def test_a_step_that_fails_is_about_what_it_sent(tmp_path: Path) -> None:
    broken = failing("expected 1, got 2", [], sent(1), sent(2, "a"), sent(3))
    page = page_of(tmp_path, cells=[broken])
    opened = [found for name, found, _ in page.elements if name == "details" and "open" in found]
    assert [found["data-requests"] for found in opened] == ["2", "1 2 3"]


def test_how_far_the_clock_was_moved_on_before_a_step_is_said(tmp_path: Path) -> None:
    source = "steps:\n  - {id: first, call: health}\n  - {id: a, advance: 31, call: health}\n"
    broken = failing("expected 1, got 2", [], sent(1, "first"), sent(2, "a"), sent(3, "a"))
    broken["steps"] = [
        {"id": step, "command": {"command": "x"}, "answer": {}, "seconds": 0.1}
        for step in ("first", "a")
    ]
    scenarios = [{"id": "one", "title": "", "spec": [], "source": source}]
    page = page_of(tmp_path, "#cell=one/js", cells=[broken], scenarios=scenarios)
    titles = page.texts("summary")
    assert "first · x · 100 ms" in titles
    assert "✗ a · x · 100 ms · the clock was moved on by 31 s before" in titles
    moved = "sent after request 1, and after the scenario had moved the clock on by 31 s"
    about = [text for text in page.texts("p") if text.startswith("sent ")]
    assert f"{moved} · took 10 ms" in about
    assert not [
        text for text in about if text.startswith(("sent after request 2, and", "sent first, and"))
    ]


def test_a_request_that_a_finding_names_is_a_link(tmp_path: Path) -> None:
    said = "request 2 (GET /2).query: expected 1, got 2\nrequest 9: expected 1, got 2"
    page = page_of(tmp_path, cells=[failing(said, [2], sent(1), sent(2))])
    assert page.texts("button", **{"class": "link"}) == ["request 2"]


def test_an_exchange_says_how_long_after_the_one_before_it_was_sent(tmp_path: Path) -> None:
    exchanges = [sent(1), sent(2, started=0.219), sent(3, started=0.22)]
    broken = failing("number of requests: expected 1, got 3", [1, 2, 3], *exchanges)
    page = page_of(tmp_path, cells=[broken])
    assert [text for text in page.texts("p", **{"class": "soft"}) if "sent " in text] == [
        "sent first · took 10 ms",
        "sent 0.109 s after request 1 had ended · took 10 ms",
        "sent while request 2 was under way · took 10 ms",
    ]


def test_the_further_checks_of_a_cause_are_listed_in_its_card(tmp_path: Path) -> None:
    said = "waited[0]: expected {0}0, got {0}"
    cells = [
        cell(scenario, "js", "failed", check("a", "failed", said.format(length)))
        for scenario, length in (("one", 1), ("two", 2))
    ]
    page = page_of(tmp_path, cells=cells)
    (card,) = page.texts("article")
    assert card.startswith("2 scenarios: waits are 0.1 times as long as expected")
    assert "1 further check with the same likely cause" in page.texts("summary")


def test_the_colours_of_a_comparison_are_explained(tmp_path: Path) -> None:
    broken = failing("request 1: expected 1, got 2", [1], sent(1))
    page = page_of(tmp_path, cells=[broken, cell("one", "py", "passed", traffic=[sent(1)])])
    (legend,) = page.texts("p", **{"class": "soft legend"})
    assert "with the stand-in of a service" in legend
    assert "only js only py" in legend


SOURCE = """
clock: "2026-01-01T00:00:00Z"
steps: [{id: a, waited: [60]}]
"""


def test_a_wrong_wait_opens_the_exchange_before_it_and_says_both_waits(tmp_path: Path) -> None:
    refused = {"status": 503, "headers": [["Retry-After", "60"]], "body": ""}
    exchanges = [sent(1), sent(2, "a", "/x", answer=refused), sent(3, "a", "/x")]
    step = {"id": "a", "command": {}, "answer": {}, "seconds": 0}
    broken = failing("waited[0]: expected 60, got 0.0004", [], *exchanges)
    broken["steps"] = [step | {"waited": [0.0004]}]
    steps = [step | {"waited": [60]}]
    passing = cell("one", "py", "passed", check("a", "passed"), traffic=exchanges, steps=steps)
    scenarios = [{"id": "one", "title": "", "source": SOURCE}]
    page = page_of(tmp_path, cells=[broken, passing], scenarios=scenarios)
    opened = [found for name, found, _ in page.elements if name == "details" and "open" in found]
    assert [found["data-requests"] for found in opened] == ["2", "1 2 3"]
    assert page.texts("p", **{"class": "waited"}) == [
        "Then js waited 0.0004 s, py waited 60 s (virtual clock)."
    ]
    rows = page.texts("code", **{"class": "same"})
    assert "retry-after: 60" in rows


def test_the_request_of_a_verdict_is_open_and_a_link(tmp_path: Path) -> None:
    mine = [sent(1, "a"), sent(2, "a", "/x?c=a+")]
    theirs = [sent(1, "a"), sent(2, "a", "/x?c=a%2B")]
    broken = failing("expected a result, got the SDK error network: x", [], *mine)
    broken["steps"] = [{"id": "a", "command": {}, "answer": {}, "seconds": 0}]
    page = page_of(tmp_path, cells=[broken, cell("one", "py", "passed", traffic=theirs)])
    opened = [found for name, found, _ in page.elements if name == "details" and "open" in found]
    assert [found["data-requests"] for found in opened] == ["2", "1 2"]
    assert page.texts("button", **{"class": "link"}) == ["request 2"]
    assert page.texts("mark") == ["+", "%2B"]


def test_headers_that_are_the_same_are_folded(tmp_path: Path) -> None:
    request = {"method": "GET", "target": "/x", "headers": [["a", "b"]], "body": ""}
    exchanges = [sent(1, request=request)]
    broken = failing("request 1: expected 1, got 2", [1], *exchanges)
    page = page_of(tmp_path, cells=[broken, cell("one", "py", "passed", traffic=exchanges)])
    assert "1 header the same" in page.texts("summary")
    assert "a: b" not in page.texts("code")
