from pathlib import Path

import pytest

from scripts.parity import parts
from scripts.parity.explained import Explanation, ExplanationError, about, judge, load

SIGNAL = "parameter health.signal: missing in Python, optional in TypeScript"


def test_an_explained_difference_has_its_reason() -> None:
    verdict = judge([SIGNAL], [Explanation("parameter *.signal: missing in Python, *", "為什麼")])
    assert verdict.go
    assert verdict.explained == {"為什麼": [SIGNAL]}


def test_an_explanation_covers_the_whole_difference_or_none_of_it() -> None:
    verdict = judge([SIGNAL], [Explanation("parameter *.signal: missing in Python", "too short")])
    assert not verdict.go
    assert verdict.unexplained == [SIGNAL]


def test_brackets_and_braces_in_an_explanation_mean_themselves() -> None:
    line = "result of x: Callable[P, R] in Python, {{R}} in TypeScript"
    assert judge([line], [Explanation("result of x: Callable[*] in Python, {{R}} in *", "so")]).go
    assert not judge(
        ["result of x: C in Python"], [Explanation("result of x: [C] in Python", "no")]
    ).go


def test_an_explanation_of_nothing_is_stale() -> None:
    stale = Explanation("option gone: *", "was there once")
    verdict = judge([SIGNAL], [Explanation("parameter *", "so"), stale])
    assert verdict.stale == [stale]
    assert not verdict.go


def test_explanations_of_other_sdks_are_left_out() -> None:
    general, special = Explanation("a", "so"), Explanation("b", "so", frozenset({"deno"}))
    assert about([general, special], ["python-sync", "bun"]) == [general]
    assert about([general, special], ["python-sync", "deno"]) == [general, special]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("surface: [", "can't be read"),
        ("surface: []", "must have the sections surface, wire"),
        ("[]", "must have the sections"),
        ("surface:\nwire: [x]", "wire, entry 1: it takes"),
        ("surface:\nwire:\n- {differences: [a]}", "wire, entry 1: reason must be text"),
        ("surface:\n- {reason: so}\nwire:", "surface, entry 1: differences must be a list"),
        ("surface:\n- {reason: so, differences: []}\nwire:", "differences must be a list"),
        ("surface:\n- {reason: so, differences: ['*']}\nwire:", "would explain whatever comes"),
        ("surface:\n- {reason: so, differences: [a], sdks: deno}\nwire:", "sdks must be a list"),
        ("surface:\n- {reason: so, differences: [a], until: x}\nwire:", "nothing else"),
    ],
)
def test_a_malformed_file_says_where(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "explained.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ExplanationError) as caught:
        load(path)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)


def test_our_own_explanations_can_be_read() -> None:
    explained = load(parts.EXPLAINED)
    assert all(each.reason for section in explained.values() for each in section)
    assert len(explained["surface"]) > 10
