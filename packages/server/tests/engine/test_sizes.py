"""What values weigh: roughly, at least a byte for each part, and without looking at more than is needed."""

from __future__ import annotations

from typing import Any

import pytest

from arcrun_server.engine.sizes import (
    AT_ONCE,
    ByteBudget,
    KnownSizes,
    TooLargeError,
    count_values,
    has_more_values,
    json_size,
    rough_size,
)

# Roughly: a text is its characters and one, an object or a list one more than its parts, all else is one.
ROUGH: list[tuple[Any, int]] = [
    (None, 1),
    (12345, 1),
    ("", 1),
    ("文字", 3),
    ([], 1),
    ({}, 1),
    ([1, 2.5, True, None], 5),
    (["ab", "c"], 1 + 3 + 2),
    ([1, "a"], 1 + 1 + 2),
    ({"a": 1}, 1 + 2 + 1),
    ({"ab": "cd", "e": None}, 1 + 3 + 3 + 2 + 1),
    ({"a": 1.5, "b": False}, 1 + 2 + 1 + 2 + 1),
    ([[1], {"a": True}], 1 + 2 + 4),
    ({"a": ["文"], "b": {"c": 1}}, 1 + 2 + 3 + 2 + 4),
    ((1, "ab"), 1 + 1 + 3),
]


@pytest.mark.parametrize(("value", "size"), ROUGH)
def test_a_rough_size_counts_every_part(value: Any, size: int) -> None:
    assert rough_size(value, 1000) == size


def test_the_parts_of_what_is_sure_to_be_too_large_are_not_looked_at() -> None:
    numbers, fields = [0] * 1000, dict.fromkeys(map(str, range(1000)), "x" * 100)
    assert rough_size(numbers, 2000) == 1 + 1000
    assert rough_size(numbers, 1999) > 1999, "a bracket, 1,000 digits and 999 commas"
    assert rough_size(fields, 1000) == 5 * 1000, 'a bracket, and `"":1` with commas in between'
    assert rough_size(["x" * 20, ["y" * 20]] * 3, 30) > 30


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({}, 0),
        ({"a": 1}, 1 + 6),
        ({"ab": "cde"}, 2 + 3 + 3),
        ({"a": [1, 2]}, 1 + 3),
        ({"a": {"b": "c"}}, 1 + 1 + 2 + 2),
        ([1], 2),
    ],
)
def test_known_sizes_measure_roughly_what_they_do_not_know(value: Any, size: int) -> None:
    assert KnownSizes().rough(value, 1000) == size


def test_a_rough_size_uses_what_is_known() -> None:
    sizes, known = KnownSizes(), ["文", "字"]
    sizes.of(known)
    assert sizes.rough(known, 1000) == 13, '["文","字"] in UTF-8'
    assert sizes.rough({"a": known}, 1000) == 1 + 13
    sizes.learn(known, 500)
    assert sizes.rough({"a": known, "b": known, "c": known}, 600) == 2 * 501


def test_a_list_is_measured_by_its_elements() -> None:
    sizes = KnownSizes()
    assert [sizes.of_list(items) for items in ([], [1], [1, "a"], [{}, [], None])] == [2, 3, 7, 12]


@pytest.mark.parametrize("count", [1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE])
def test_large_values_are_measured_in_parts_to_the_byte(count: int) -> None:
    assert json_size([7] * count) == 2 * count + 1
    assert json_size([["文"]] * count) == 8 * count + 1
    assert json_size({f"{number:04}": 7 for number in range(count)}) == 9 * count + 1
    assert json_size({"k": [7] * count}) == 2 * count + 1 + 6


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, [object()]])
def test_what_is_no_json_has_no_size(value: Any) -> None:
    with pytest.raises(ValueError, match=r"not valid JSON \("):
        json_size(value)


@pytest.mark.parametrize(
    ("value", "count"), [([], 0), ({"a": [1, 2]}, 3), ([[[]]], 2), ([{"a": {}}, 1], 3)]
)
def test_values_are_counted_in_lists_and_objects(value: Any, count: int) -> None:
    assert count_values(value, 100) == count
    assert not has_more_values(value, count)
    assert has_more_values([value], count)


@pytest.mark.parametrize(
    ("value", "size"), [([0] * 4, 9), ([[0, 0], 0], 9), (dict.fromkeys("abcd", 0), 25)]
)
def test_more_values_than_the_limit_are_refused(value: Any, size: int) -> None:
    assert KnownSizes(4).of(value) == size
    with pytest.raises(ValueError, match="made of more than 3 values, which is the limit"):
        KnownSizes(3).of(value)


def test_a_budget_is_used_up_to_its_last_byte() -> None:
    budget = ByteBudget(10, "its text")
    budget.take(4)
    budget.check(6)
    assert budget.left == 6
    with pytest.raises(TooLargeError, match="its text is larger than the 10 bytes"):
        budget.take(7)
    budget.take(6)
    assert budget.left == 0
    assert budget.measure("文") > 0
