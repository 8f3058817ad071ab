from __future__ import annotations

from difflib import SequenceMatcher

import pytest

from arcrun_server.engine import nearest as nearest_module
from arcrun_server.engine.nearest import MAX_CANDIDATES, MAX_COMPARISONS, nearest


def test_nothing_is_near_a_name_without_end() -> None:
    assert nearest("hash" * 100, ["hash" * 100]) is None
    assert nearest("hash", ["hash" * 100]) is None


def test_nothing_is_found_among_nothing() -> None:
    assert nearest("a", []) is None


def test_case_makes_no_difference_and_the_more_similar_is_preferred() -> None:
    assert nearest("HASH", ["trash", "hash", "cash"]) == "hash"


def test_of_two_that_are_equally_similar_the_first_is_taken() -> None:
    assert nearest("ab", ["abc", "abd"]) == "abc"


@pytest.mark.parametrize(("least", "found"), [(0.4, "完成後"), (0.9, None)])
def test_how_similar_it_must_be_is_a_parameter(least: float, found: str | None) -> None:
    assert nearest("完成", ["完成後"], least) == found


def test_names_beyond_a_number_are_not_compared() -> None:
    others = ["zzz"] * MAX_CANDIDATES
    assert nearest("hash", ["hash", *others]) == "hash"
    assert nearest("hash", [*others, "hash"]) is None


def test_only_the_most_promising_names_are_compared_in_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared = []

    class CountingMatcher(SequenceMatcher[str]):
        def ratio(self) -> float:
            compared.append(self.a)
            return super().ratio()

    monkeypatch.setattr(nearest_module, "SequenceMatcher", CountingMatcher)
    # Each has the letters of the name, in another order: their upper bound is 1, their ratio is low.
    disguised = [f"{'h' * n}{'a' * n}{'s' * n}" for n in range(1, 40)] + ["sah"] * 500
    assert nearest("has" * 13, disguised, least=0.3) is not None
    assert len(compared) <= MAX_COMPARISONS
