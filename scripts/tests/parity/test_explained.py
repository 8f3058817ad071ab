from pathlib import Path

import pytest

from scripts.parity.explained import Explanation, ExplanationError, judge, load
from scripts.parity.parts import EXPLAINED

SIGNAL = "parameter health.signal: missing in Python, optional in TypeScript"


def test_an_explained_difference_has_its_reason() -> None:
    verdict = judge([SIGNAL], [Explanation("parameter *.signal: missing in Python, *", "為什麼")])
    assert verdict.go
    assert verdict.explained == {"為什麼": [SIGNAL]}


def test_an_explanation_matches_the_whole_difference() -> None:
    verdict = judge([SIGNAL], [Explanation("parameter *.signal: missing in Python", "too short")])
    assert not verdict.go
    assert verdict.unexplained == [SIGNAL]


def test_brackets_and_braces_in_an_explanation_stand_for_themselves() -> None:
    line = "result of x: Callable[P, R] in Python, {{R}} in TypeScript"
    assert judge([line], [Explanation("result of x: Callable[*] in Python, {{R}} in *", "so")]).go
    assert not judge(
        ["result of x: C in Python"], [Explanation("result of x: [C] in Python", "no")]
    ).go


def test_an_explanation_of_nothing_is_reported() -> None:
    verdict = judge([SIGNAL], [Explanation("parameter *", "so"), Explanation("option gone: *", "")])
    assert verdict.unused == ["option gone: *"]
    assert not verdict.go


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("explained: [", "can't be read"),
        ("surface: []", "the only key at the top must be explained"),
        ("explained: []\nwire: []", "the only key at the top must be explained"),
        ("[]", "the only key at the top"),
        ("explained: [x]", "entry 1: the keys are"),
        ("explained:\n- {differences: [a]}", "entry 1: reason must be text"),
        ("explained:\n- {reason: so}", "entry 1: differences must be a list"),
        ("explained:\n- {reason: so, differences: []}", "differences must not be empty"),
        ("explained:\n- {reason: so, differences: ['*']}", "would explain every difference"),
        ("explained:\n- {reason: so, differences: [a], until: x}", "no others"),
    ],
)
def test_a_file_that_is_not_valid_says_where(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "explained.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ExplanationError) as caught:
        load(path)
    assert expected in str(caught.value)
    assert str(path) in str(caught.value)


def test_our_own_explanations_can_be_read() -> None:
    explained = load(EXPLAINED)
    assert all(each.reason for each in explained)
    assert len(explained) > 10
