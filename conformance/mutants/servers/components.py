"""Defects in the components of the catalog, and in the built-ins."""

from __future__ import annotations

import hashlib
import math
import unicodedata
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from arcrun_server.components import (
    array_ops,
    date_ops,
    filter,  # noqa: A004 - the component
    foreach_control,
    hash,  # noqa: A004 - the component
    if_control,
    merge,
    number_ops,
    string_ops,
    switch,
    try_catch,
    validate_json,
    wait,
)
from arcrun_server.components.operations import Operation
from arcrun_server.engine import builtin_components, machine

if TYPE_CHECKING:
    from collections.abc import Callable


def _replace(operations: dict[str, Operation], name: str, compute: Callable[[Any], Any]) -> None:
    operations[name] = Operation(compute, "")


# Control


def switch_compares_as_text() -> None:
    switch.same = lambda left, right: str(left) == str(right)


def switch_compares_without_types() -> None:
    switch.same = lambda left, right: left == right


def switch_takes_the_last_case() -> None:
    right = switch.run

    async def run(given: dict[str, Any], invocation: Any) -> Any:
        return await right({**given, "cases": list(reversed(given["cases"]))}, invocation)

    switch.run = run


def json_has_infinite_numbers() -> None:
    validate_json.finite_number = float


def if_control_prefers_the_context() -> None:
    right = if_control._holds
    if_control._holds = lambda text, values, given, invocation: right(
        text, {key: given.get(key, value) for key, value in values.items()}, given, invocation
    )


def try_catch_sees_an_error_in_a_placeholder() -> None:
    try_catch._found_nothing = lambda _invocation: False


def foreach_limit_counts_from_the_start() -> None:
    right = foreach_control.run

    async def run(given: dict[str, Any], invocation: Any) -> Any:
        if isinstance(given.get("limit"), int):
            given = {**given, "limit": max(given["limit"] - (given.get("offset") or 0), 0)}
        return await right(given, invocation)

    foreach_control.run = run


def wait_ignores_milliseconds_beside_seconds() -> None:
    right = wait.run

    async def run(given: dict[str, Any], invocation: Any) -> Any:
        if "seconds" in given:
            given = {**given, "milliseconds": 0}
        return await right(given, invocation)

    wait.run = run


# Lists


def filter_takes_a_missing_key_for_null() -> None:
    right = filter._element

    def element(item: Any) -> Any:
        find = right(item)
        return lambda path: (True, find(path)[1])

    filter._element = element


def filter_looks_in_the_context_too() -> None:
    right, right_element = filter.run, filter._element
    context: dict[str, Any] = {}

    def element(item: Any) -> Any:
        find = right_element(item)
        return lambda path: find(path) if find(path)[0] else (path in context, context.get(path))

    async def run(given: dict[str, Any], invocation: Any) -> Any:
        context.clear()
        context.update(given)
        return await right(given, invocation)

    filter._element, filter.run = element, run


def merge_takes_the_first_of_a_key() -> None:
    def objects(sources: list[Any]) -> Any:
        merged: dict[str, Any] = {}
        for source in sources:
            merged = {**source, **merged}
        return merged

    merge._MERGES["object"] = objects


def merge_changes_its_sources() -> None:
    def update(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
        for key, value in over.items():
            inner = under.get(key)
            both = isinstance(inner, dict) and isinstance(value, dict)
            under[key] = update(inner, value) if both else value
        return under

    def deep(sources: list[Any]) -> Any:
        merged = sources[0]
        for source in sources[1:]:
            update(merged, source)
        return merged

    merge._MERGES["deep"] = deep


def slices_include_their_end() -> None:
    def compute(given: dict[str, Any]) -> Any:
        items, end = given["items"], given.get("end")
        return items[given.get("start") or 0 : len(items) if end is None else end + 1]

    _replace(array_ops.OPERATIONS, "slice", compute)


def descending_sorts_turn_equal_elements_round() -> None:
    right = array_ops._sort
    _replace(
        array_ops.OPERATIONS,
        "sort",
        lambda given: right({**given, "descending": False})[
            :: -1 if given.get("descending") else 1
        ],
    )


def unique_takes_true_for_one() -> None:
    array_ops._mark = lambda value: f"{value == 1 or value!r}"


def includes_compares_without_types() -> None:
    _replace(array_ops.OPERATIONS, "includes", lambda given: given["value"] in given["items"])


def flattens_all_levels() -> None:
    def flat(items: list[Any]) -> list[Any]:
        return [leaf for i in items for leaf in (flat(i) if isinstance(i, list) else [i])]

    _replace(array_ops.OPERATIONS, "flatten", lambda given: flat(given["items"]))


# Texts


def lengths_count_utf_16() -> None:
    _replace(
        string_ops.OPERATIONS, "length", lambda given: len(given["text"].encode("utf-16-le")) // 2
    )


def texts_are_normalised() -> None:
    right = string_ops._text
    string_ops._text = lambda given: unicodedata.normalize("NFC", right(given))


def only_the_first_occurrence_is_replaced() -> None:
    _replace(
        string_ops.OPERATIONS,
        "replace",
        lambda given: given["text"].replace(given["search"], given["replacement"], 1),
    )


def url_encode_leaves_slashes() -> None:
    right = string_ops.OPERATIONS["url_encode"].compute
    _replace(string_ops.OPERATIONS, "url_encode", lambda given: right(given).replace("%2F", "/"))


def url_decode_takes_a_plus_for_a_space() -> None:
    right = string_ops._decoded_url
    _replace(
        string_ops.OPERATIONS,
        "url_decode",
        lambda given: right({"text": given["text"].replace("+", " ")}),
    )


def base64_of_urls_is_not_read() -> None:
    string_ops._STANDARD = {}


def padding_cuts_longer_texts() -> None:
    right = string_ops.OPERATIONS["pad_start"].compute
    _replace(string_ops.OPERATIONS, "pad_start", lambda given: right(given)[: given["length"]])


# Numbers


def rounds_half_up() -> None:
    def compute(given: dict[str, Any]) -> Any:
        factor = 10 ** (given.get("digits") or 0)
        return number_ops._usable(math.floor(given["a"] * factor + 0.5) / factor)

    _replace(number_ops.OPERATIONS, "round", compute)


def parse_guesses_a_decimal_comma() -> None:
    right = number_ops._parse
    _replace(
        number_ops.OPERATIONS,
        "parse",
        lambda given: (
            right({**given, "text": given["text"].replace(",", ".")})
            if "decimal_separator" not in given and "group_separator" not in given
            else right(given)
        ),
    )


def groups_may_have_two_digits() -> None:
    number_ops._without_groups = lambda text, group: text.replace(group, "")


def clamp_leaves_its_upper_limit_out() -> None:
    right = number_ops._clamp
    _replace(
        number_ops.OPERATIONS,
        "clamp",
        lambda given: given["max"] - 1 if given["a"] == given.get("max") else right(given),
    )


def average_divides_by_two() -> None:
    _replace(
        number_ops.OPERATIONS,
        "average",
        lambda given: number_ops._usable(sum(number_ops._numbers(given)) / 2),
    )


# Dates


def months_have_thirty_days() -> None:
    date_ops._add_months = lambda moment, months: moment + timedelta(days=30 * months)


def every_hundredth_year_is_a_leap_year() -> None:
    right = date_ops._shifted

    def shifted(moment: datetime, amount: float, unit: str) -> datetime:
        moved = right(moment, amount, unit)
        crosses = (moment.month, moment.day, moment.year % 100) == (2, 28, 0)
        return right(moved, -1, "days") if crosses and moment.year % 400 else moved

    date_ops._shifted = shifted


def a_day_is_always_24_hours() -> None:
    right = date_ops._shifted

    def shifted(moment: datetime, amount: float, unit: str) -> datetime:
        if unit in {"days", "weeks"}:
            return date_ops._elapsed(moment, amount * date_ops._SECONDS[unit])
        return right(moment, amount, unit)

    date_ops._shifted = shifted


def hours_are_added_on_the_wall_clock() -> None:
    date_ops._elapsed = lambda moment, seconds: moment + timedelta(seconds=seconds)


def differences_are_those_of_the_wall_clock() -> None:
    right = date_ops._moment

    def difference(given: dict[str, Any]) -> Any:
        start, end = (right(given, name).replace(tzinfo=None) for name in ("date", "to"))
        result = (end - start).total_seconds() / date_ops._SECONDS[given.get("unit", "seconds")]
        return int(result) if result.is_integer() else result

    _replace(date_ops.OPERATIONS, "difference", difference)


def weeks_begin_on_sunday() -> None:
    right = date_ops._edge

    def edge(given: dict[str, Any], *, at_end: bool) -> Any:
        if given.get("unit") == "week":
            day = date_ops._moment(given) + timedelta(days=1)
            start = (day - timedelta(days=day.weekday() + 1)).replace(hour=0, minute=0, second=0)
            return date_ops._written(start + timedelta(seconds=604799 if at_end else 0), given)
        return right(given, at_end=at_end)

    _replace(date_ops.OPERATIONS, "start_of", lambda given: edge(given, at_end=False))


def a_null_date_is_now() -> None:
    right = date_ops._moment
    date_ops._moment = lambda given, name="date": right(
        {key: value for key, value in given.items() if key != "date" or value is not None}, name
    )


def dates_without_offset_are_in_utc() -> None:
    right = date_ops.read_moment

    def read(value: Any, name: str, zone: Any) -> datetime:
        return right(value, name, date_ops.timezone.utc).astimezone(zone)

    date_ops.read_moment = read


def parts_are_those_of_utc() -> None:
    right = date_ops._parts
    _replace(date_ops.OPERATIONS, "parts", lambda given: right({**given, "timezone": "UTC"}))


# Digests and schemas


def hmac_is_a_digest_of_key_and_text() -> None:
    hash.hmac = SimpleNamespace(
        digest=lambda key, content, algorithm: hashlib.new(algorithm, key + content).digest()
    )


def base64url_keeps_its_padding() -> None:
    right = hash._encode
    hash._encode = lambda digest, encoding: (
        right(digest, "base64").translate(str.maketrans("+/", "-_"))
        if encoding == "base64url"
        else right(digest, encoding)
    )


def only_the_first_violation_is_listed() -> None:
    validate_json.MAX_ERRORS = 1


def text_is_not_read_as_json() -> None:
    validate_json._read = lambda data: (data, [])


# Built-ins


def counter_begins_at_zero() -> None:
    right = builtin_components.BUILTINS["comp_counter"]
    builtin_components.BUILTINS["comp_counter"] = lambda given: (
        right(given) if "count" in given else {**given, "count": 0}
    )


def uppercase_changes_all_texts() -> None:
    builtin_components.BUILTINS["comp_uppercase"] = lambda given: {
        key: value.upper() if isinstance(value, str) else value for key, value in given.items()
    }


def built_ins_see_the_results_by_node() -> None:
    machine.BUILTINS = {}
