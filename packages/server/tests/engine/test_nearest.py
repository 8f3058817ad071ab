from __future__ import annotations

import pytest

from arcrun_server.engine.nearest import MAX_CANDIDATES, Suggestions, nearest


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


def test_no_name_is_slow_to_compare() -> None:
    # Texts of few different characters, which take difflib the cube of their lengths.
    name, others = "ab" * 64, ["ba" * 64, "a" * 128, "b" * 128] * 300
    assert nearest(name, others, least=0.9) == "ba" * 64


def test_comparisons_are_counted_for_all_names_of_a_request() -> None:
    suggestions = Suggestions(comparisons=3)
    assert suggestions.nearest("hash", ["hasp", "cash"]) == "hasp"
    assert suggestions.nearest("hash", ["cash", "hash"]) == "cash"
    assert suggestions.nearest("hash", ["hash"]) is None


def test_a_request_has_500_comparisons() -> None:
    suggestions = Suggestions()
    found = [suggestions.nearest("hash", ["hasp"]) for _ in range(501)]
    assert found == ["hasp"] * 500 + [None]


def test_names_that_are_too_short_to_be_near_are_not_compared() -> None:
    suggestions = Suggestions(comparisons=1)
    assert suggestions.nearest("comp_counter", ["a", "b", "comp_countr"]) == "comp_countr"


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("hash", "hash", 1.0), ("abcd", "abxd", 0.75), ("abc", "xyz", 0.0), ("完成", "完成後", 0.8)],
)
def test_the_ratio_is_twice_the_longest_common_subsequence_by_both_lengths(
    one: str, other: str, ratio: float
) -> None:
    assert nearest(one, [other], least=ratio) == other
    assert nearest(one, [other], least=ratio + 0.01) is None


def test_three_of_five_letters_are_near_and_four_of_seven_are_not() -> None:
    for find in (nearest, Suggestions().nearest):
        assert find("abcde", ["abcxy"]) == "abcxy"
        assert find("abcdefg", ["abcdxyz"]) is None


def test_a_name_of_128_characters_is_compared_and_a_longer_one_is_not() -> None:
    name = "ab" * 64
    assert nearest(name, [name]) == name
    assert nearest(name, [f"{name}a"]) is None
    assert nearest(f"{name}a", [name]) is None


def test_what_shares_a_few_letters_only_is_not_near() -> None:
    assert nearest("code", ["discord", "hubspot"]) is None
