from __future__ import annotations

from operator import itemgetter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun_server.components.array_ops import OPERATIONS as ARRAY
from arcrun_server.components.date_ops import OPERATIONS as DATE
from arcrun_server.components.number_ops import OPERATIONS as NUMBER
from arcrun_server.components.string_ops import OPERATIONS as STRING
from arcrun_server.engine import ComponentError


async def compute(use: Any, component_id: str, operation: str, given: dict[str, Any]) -> Any:
    response = await use(component_id, {"operation": operation, **given})
    assert response["success"] is True
    return response["data"]["result"]


STRINGS: list[tuple[str, dict[str, Any], Any]] = [
    ("upper", {"text": "ok 好"}, "OK 好"),
    ("lower", {"text": "OK 好"}, "ok 好"),
    ("trim", {"text": "　 好 \n"}, "好"),
    ("length", {"text": "你好😀"}, 3),
    ("replace", {"text": "甲，乙，", "search": "，", "replacement": ","}, "甲,乙,"),
    ("split", {"text": "甲、乙", "separator": "、"}, ["甲", "乙"]),
    ("split", {"text": "a,b"}, ["a", "b"]),
    ("split", {"text": "你好", "separator": ""}, ["你", "好"]),
    ("join", {"items": ["甲", "乙"], "separator": "與"}, "甲與乙"),
    ("slice", {"text": "一二三四", "start": 1, "end": -1}, "二三"),
    ("slice", {"text": "一二三四", "start": 2}, "三四"),
    ("contains", {"text": "一二", "search": "二"}, True),
    ("starts_with", {"text": "一二", "search": "二"}, False),
    ("ends_with", {"text": "一二", "search": "二"}, True),
    ("index_of", {"text": "一二", "search": "二"}, 1),
    ("index_of", {"text": "一二", "search": "三"}, -1),
    ("repeat", {"text": "好", "count": 3}, "好好好"),
    ("repeat", {"text": "好", "count": 0}, ""),
    ("pad_start", {"text": "7", "length": 3, "fill": "0"}, "007"),
    ("pad_end", {"text": "7", "length": 3}, "7  "),
    ("reverse", {"text": "一二三"}, "三二一"),
    ("url_encode", {"text": "a&b=中 /?"}, "a%26b%3D%E4%B8%AD%20%2F%3F"),
    ("url_decode", {"text": "a%26b%3D%E4%B8%AD%20+"}, "a&b=中 +"),
    ("base64_encode", {"text": "你好>?"}, "5L2g5aW9Pj8="),
    ("base64_decode", {"text": "5L2g5aW9Pj8="}, "你好>?"),
    ("base64_decode", {"text": "5L2g5aW9Pj8"}, "你好>?"),
    ("base64_decode", {"text": " 5L2g\n5aW9Pj8= "}, "你好>?"),
    ("regex_test", {"text": "訂單 42", "pattern": "[0-9]+$"}, True),
    (
        "regex_match",
        {"text": "😀訂單 42", "pattern": "(?P<號>[0-9])([0-9])(x)?"},
        {"text": "42", "index": 4, "groups": ["4", "2", None], "named": {"號": "4"}},
    ),
    ("regex_match", {"text": "甲", "pattern": "乙"}, None),
    (
        "regex_find_all",
        {"text": "a1😀b2", "pattern": r"\pL\d"},
        [
            {"text": "a1", "index": 0, "groups": [], "named": {}},
            {"text": "b2", "index": 3, "groups": [], "named": {}},
        ],
    ),
    (
        "regex_replace",
        {"text": "2026-11-22", "pattern": r"(\d+)-(?P<月>\d+)-\d+", "replacement": "${月}/$1 $$"},
        "11/2026 $",
    ),
    ("regex_split", {"text": "甲,  乙；丙", "pattern": "[,；]\\s*"}, ["甲", "乙", "丙"]),
]
NUMBERS: list[tuple[str, dict[str, Any], Any]] = [
    ("add", {"a": 1, "b": 2}, 3),
    ("add", {"values": [1, 2, 3.5]}, 6.5),
    ("subtract", {"a": 1, "b": 2}, -1),
    ("multiply", {"values": [2, 3, 4]}, 24),
    ("divide", {"a": 6, "b": 2}, 3),
    ("divide", {"a": 1, "b": 4}, 0.25),
    ("integer_divide", {"a": -7, "b": 2}, -4),
    ("modulo", {"a": 7, "b": 3}, 1),
    ("power", {"a": 2, "b": 10}, 1024),
    ("power", {"a": 4, "b": 0.5}, 2),
    ("root", {"a": 9}, 3),
    ("round", {"a": 2.567, "digits": 2}, 2.57),
    ("round", {"a": 2.5}, 2),
    ("round", {"a": 1234, "digits": -2}, 1200),
    ("floor", {"a": -1.5}, -2),
    ("ceil", {"a": 1.2}, 2),
    ("abs", {"a": -3}, 3),
    ("min", {"values": [3, 1, 2]}, 1),
    ("max", {"a": 3, "b": 5}, 5),
    ("average", {"values": [1, 2]}, 1.5),
    ("clamp", {"a": 12, "min": 0, "max": 10}, 10),
    ("parse", {"text": " 1,234.5 ", "group_separator": ","}, 1234.5),
    ("parse", {"text": "-42"}, -42),
    ("parse", {"text": "9007199254740993"}, 9007199254740993),
    ("equal", {"a": 1, "b": 1.0}, True),
    ("greater", {"a": 1, "b": 2}, False),
    ("less", {"a": 1, "b": 2}, True),
]
PEOPLE = [{"名": "乙", "齡": 30}, {"名": "甲", "齡": 20}, {"名": "丙", "齡": 30}]
ARRAYS: list[tuple[str, dict[str, Any], Any]] = [
    ("length", {"items": ["甲", "乙"]}, 2),
    ("first", {"items": ["甲", "乙"]}, "甲"),
    ("first", {"items": []}, None),
    ("last", {"items": ["甲", "乙"]}, "乙"),
    ("last", {"items": []}, None),
    ("get", {"items": ["甲", "乙"], "index": -1}, "乙"),
    ("slice", {"items": [1, 2, 3], "start": 1}, [2, 3]),
    ("slice", {"items": [1, 2, 3], "end": 1}, [1]),
    ("concat", {"items": [1], "other": [2]}, [1, 2]),
    ("append", {"items": [1], "value": None}, [1, None]),
    ("reverse", {"items": [1, 2]}, [2, 1]),
    ("sort", {"items": [3, 1, 2.5]}, [1, 2.5, 3]),
    ("sort", {"items": ["b", "a"], "descending": True}, ["b", "a"]),
    ("sort", {"items": PEOPLE, "by": "齡"}, [PEOPLE[1], PEOPLE[0], PEOPLE[2]]),
    (
        "unique",
        {"items": [1, 1.0, "1", True, None, 1, {"a": 1}, {"a": 1}]},
        [1, "1", True, None, {"a": 1}],
    ),
    ("unique", {"items": PEOPLE, "by": "齡"}, PEOPLE[:2]),
    ("unique", {"items": [{}, {}], "by": "齡"}, [{}]),
    ("unique", {"items": [[1], [True], [1.0], {"a": 0}, {"a": 0.0}]}, [[1], [True], {"a": 0}]),
    ("flatten", {"items": [[1], 2, [[3]]]}, [1, 2, [3]]),
    ("pluck", {"items": [*PEOPLE, {}], "field": "名"}, ["乙", "甲", "丙", None]),
    ("pluck", {"items": [{"a": {"b": 1}}], "field": "a.b"}, [1]),
    (
        "group",
        {"items": [{"k": "甲"}, {"k": 1}, {"k": "甲"}, {}], "by": "k"},
        {"甲": [{"k": "甲"}, {"k": "甲"}], "1": [{"k": 1}], "": [{}]},
    ),
    ("chunk", {"items": [1, 2, 3], "size": 2}, [[1, 2], [3]]),
    ("includes", {"items": [1, "甲"], "value": "甲"}, True),
    ("includes", {"items": [1], "value": True}, False),
    ("index_of", {"items": [{"a": 1}], "value": {"a": 1.0}}, 0),
    ("index_of", {"items": [], "value": 1}, -1),
]
DATES: list[tuple[str, dict[str, Any], Any]] = [
    ("now", {}, "2026-11-22T08:30:05+00:00"),
    ("now", {"date": "2000-01-01"}, "2026-11-22T08:30:05+00:00"),
    ("now", {"timezone": "Asia/Taipei"}, "2026-11-22T16:30:05+08:00"),
    ("format", {"date": "2026-11-22T08:30:05.250Z"}, "2026-11-22T08:30:05.250+00:00"),
    ("format", {"date": 0, "format": "datetime"}, "1970-01-01 00:00:00"),
    ("format", {"date": "2026-11-22", "format": "中文"}, "2026年11月22日"),
    ("format", {"date": "2026-11-22", "format": "unix"}, 1795305600),
    ("format", {"date": "2026-11-22", "format": "unix_ms"}, 1795305600000),
    ("format", {"date": "2026-11-22", "format": "yyyymmdd"}, "20261122"),
    ("format", {"date": "2026-11-22T08:30", "format": "time"}, "08:30:00"),
    ("format", {"date": "2026-11-22", "timezone": "Asia/Taipei"}, "2026-11-22T00:00:00+08:00"),
    (
        "format",
        {"date": "2026-11-21T23:00:00Z", "timezone": "Asia/Taipei", "format": "date"},
        "2026-11-22",
    ),
    ("add", {"date": "2026-11-22", "amount": 7, "unit": "days", "format": "date"}, "2026-11-29"),
    ("add", {"date": "2026-01-31", "amount": 1, "unit": "months", "format": "date"}, "2026-02-28"),
    ("add", {"date": "2024-02-29", "amount": 1, "unit": "years", "format": "date"}, "2025-02-28"),
    ("add", {"amount": 1.5, "unit": "hours", "format": "time"}, "10:00:05"),
    (
        "subtract",
        {"date": "2026-03-31", "amount": 1, "unit": "months", "format": "date"},
        "2026-02-28",
    ),
    (
        "subtract",
        {"date": "2026-01-15", "amount": 13, "unit": "months", "format": "date"},
        "2024-12-15",
    ),
    (
        "subtract",
        {"date": "2026-11-22", "amount": 1, "unit": "weeks", "format": "date"},
        "2026-11-15",
    ),
    ("difference", {"date": "2026-11-22", "to": "2026-11-24", "unit": "days"}, 2),
    ("difference", {"date": "2026-11-22", "to": "2026-11-21T12:00:00", "unit": "days"}, -0.5),
    ("difference", {"date": 0, "to": 90}, 90),
    ("before", {"date": "2026-11-22", "to": "2026-11-23"}, True),
    ("before", {"date": "2026-11-22T08:00:00+08:00", "to": "2026-11-22T00:00:00Z"}, False),
    (
        "start_of",
        {"date": "2026-11-22T08:30:05", "unit": "hour", "format": "datetime"},
        "2026-11-22 08:00:00",
    ),
    (
        "start_of",
        {"date": "2026-11-22T08:30:05", "unit": "day", "format": "datetime"},
        "2026-11-22 00:00:00",
    ),
    ("start_of", {"date": "2026-11-22", "unit": "week", "format": "date"}, "2026-11-16"),
    ("start_of", {"date": "2026-11-22", "unit": "month", "format": "date"}, "2026-11-01"),
    ("start_of", {"date": "2026-11-22", "unit": "year", "format": "date"}, "2026-01-01"),
    (
        "end_of",
        {"date": "2026-11-22T08:30:05", "unit": "hour", "format": "datetime"},
        "2026-11-22 08:59:59",
    ),
    ("end_of", {"date": "2026-11-22", "unit": "day"}, "2026-11-22T23:59:59.999+00:00"),
    ("end_of", {"date": "2026-11-18", "unit": "week", "format": "date"}, "2026-11-22"),
    ("end_of", {"date": "2024-02-10", "unit": "month", "format": "date"}, "2024-02-29"),
    ("end_of", {"date": "2026-12-10", "unit": "month", "format": "date"}, "2026-12-31"),
    ("end_of", {"date": "2026-11-22", "unit": "year", "format": "date"}, "2026-12-31"),
    (
        "parts",
        {"date": "2026-11-22T23:30:05Z", "timezone": "Asia/Taipei"},
        {
            "year": 2026,
            "month": 11,
            "day": 23,
            "hour": 7,
            "minute": 30,
            "second": 5,
            "weekday": 1,
            "iso_weekday": 1,
            "iso_week": "2026-W48",
        },
    ),
]
TABLE = [
    (component_id, *row)
    for component_id, rows in [
        ("string_ops", STRINGS),
        ("number_ops", NUMBERS),
        ("array_ops", ARRAYS),
        ("date_ops", DATES),
    ]
    for row in rows
]


@pytest.mark.parametrize(("component_id", "operation", "given", "expected"), TABLE)
async def test_each_operation(
    use: Any, component_id: str, operation: str, given: dict[str, Any], expected: Any
) -> None:
    found = await compute(use, component_id, operation, given)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("descending", [False, True])
async def test_a_long_list_is_sorted_as_a_short_one(use: Any, descending: bool) -> None:
    rows = [{"n": n * 7919 % 1000 / 2, "t": f"{n * 7919 % 1000:04}", "at": n} for n in range(9000)]
    for by in ("n", "t"):
        data = {"items": rows, "by": by, "descending": descending}
        expected = sorted(
            rows, key=itemgetter(by), reverse=descending
        )  # equal ones keep their order
        assert await compute(use, "array_ops", "sort", data) == expected


async def test_a_long_list_of_several_kinds_is_not_sorted(use: Any) -> None:
    data = {"operation": "sort", "items": [*range(9000), "x"]}
    with pytest.raises(ComponentError, match="only numbers or only texts"):
        await use("array_ops", data)


def test_every_operation_is_in_the_table() -> None:
    for component_id, operations in [
        ("string_ops", STRING),
        ("number_ops", NUMBER),
        ("array_ops", ARRAY),
        ("date_ops", DATE),
    ]:
        assert {row[1] for row in TABLE if row[0] == component_id} == set(operations)


@pytest.mark.parametrize(
    ("component_id", "given", "message"),
    [
        (
            "string_ops",
            {"operation": "uper"},
            "did you mean 'upper'? The choices are: upper, lower",
        ),
        ("string_ops", {"operation": 3}, "`operation` can't be the number 3"),
        ("string_ops", {}, "`operation` is missing"),
        ("string_ops", {"operation": "upper"}, "`text` is missing"),
        ("string_ops", {"operation": "upper", "text": None}, "`text` must be text, but it is null"),
        ("string_ops", {"operation": "upper", "text": [1]}, "but it is a list of 1"),
        ("string_ops", {"operation": "upper", "text": {}}, "but it is an object"),
        ("string_ops", {"operation": "upper", "text": True}, "but it is true"),
        ("string_ops", {"operation": "join", "items": ["a", 1]}, "`items.1` must be text"),
        (
            "string_ops",
            {"operation": "replace", "text": "a", "search": "", "replacement": "b"},
            "`search` is empty",
        ),
        (
            "string_ops",
            {"operation": "repeat", "text": "a", "count": 10**9},
            "1,000,000 characters",
        ),
        ("string_ops", {"operation": "repeat", "text": "a", "count": -1}, "`count` must make"),
        (
            "string_ops",
            {"operation": "pad_end", "text": "a", "length": 9, "fill": "ab"},
            "one character",
        ),
        ("string_ops", {"operation": "pad_end", "text": "a", "length": 10**9}, "at most 1,000,000"),
        (
            "string_ops",
            {"operation": "replace", "text": "a" * 2000, "search": "a", "replacement": "b" * 2000},
            "longer than 1,000,000",
        ),
        (
            "number_ops",
            {"operation": "add", "a": "1", "b": 2},
            "`a` must be a number, but it is '1'",
        ),
        (
            "number_ops",
            {"operation": "add", "a": True, "b": 2},
            "`a` must be a number, but it is true",
        ),
        ("number_ops", {"operation": "add", "values": []}, "`values` is empty"),
        ("number_ops", {"operation": "add", "values": [1, "x"]}, "`values.1` must be a number"),
        ("number_ops", {"operation": "divide", "a": 1, "b": 0}, "nothing can be divided by 0"),
        ("number_ops", {"operation": "power", "a": 10, "b": 10**9}, "is not a number"),
        ("number_ops", {"operation": "power", "a": 0, "b": -1}, "is not a number"),
        ("number_ops", {"operation": "power", "a": -8, "b": 0.5}, "is not a real number"),
        ("number_ops", {"operation": "multiply", "a": 1e200, "b": 1e200}, "too large"),
        ("number_ops", {"operation": "multiply", "values": [10**200] * 50}, "too large"),
        ("number_ops", {"operation": "root", "a": -1}, "no square root"),
        ("number_ops", {"operation": "round", "a": 1, "digits": 99}, "-15 to 15"),
        ("number_ops", {"operation": "clamp", "a": 1, "min": 5, "max": 1}, "greater than"),
        ("number_ops", {"operation": "parse", "text": "三"}, "`text` is not a number: '三'"),
        ("number_ops", {"operation": "parse", "text": "nan"}, "is not a number"),
        ("number_ops", {"operation": "parse", "text": "1,5"}, "say what its separators are"),
        ("number_ops", {"operation": "parse", "text": "1,000"}, "say what its separators are"),
        ("number_ops", {"operation": "parse", "text": "1_000"}, "say what its separators are"),
        (
            "number_ops",
            {"operation": "parse", "text": "1,5", "group_separator": ","},
            "is not a number: '1,5'",
        ),
        (
            "number_ops",
            {"operation": "parse", "text": "1", "decimal_separator": ",", "group_separator": ","},
            "are the same",
        ),
        ("date_ops", {"operation": "format", "date": None}, "`date` must be text, but it is null"),
        ("date_ops", {"operation": "format", "date": ""}, "`date` is not a date: ''"),
        ("date_ops", {"operation": "format", "date": " "}, "is not a date"),
        (
            "array_ops",
            {"operation": "get", "items": [1], "index": 1},
            "`index` is 1, but the list is 1 long",
        ),
        ("array_ops", {"operation": "sort", "items": [1, "a"]}, "only numbers or only texts"),
        ("array_ops", {"operation": "sort", "items": [True, False]}, "not false and true"),
        ("array_ops", {"operation": "sort", "items": [{}, {"a": 1}], "by": "a"}, "nothing"),
        ("array_ops", {"operation": "chunk", "items": [], "size": 0}, "1 or more"),
        (
            "array_ops",
            {"operation": "chunk", "items": [0] * 50_001, "size": 1},
            "its result is made of more than 100,000 values",
        ),
        ("array_ops", {"operation": "pluck", "items": []}, "`field` is missing"),
        ("date_ops", {"operation": "format", "date": "昨天"}, "`date` is not a date: '昨天'"),
        ("date_ops", {"operation": "format", "date": 1e30}, "is not a date"),
        ("date_ops", {"operation": "format", "date": True}, "must be text"),
        ("date_ops", {"operation": "now", "timezone": "Asia/Taipai"}, "no time zone 'Asia/Taipai'"),
        ("date_ops", {"operation": "now", "timezone": "../etc/passwd"}, "no time zone"),
        ("date_ops", {"operation": "now", "format": "isoo"}, "did you mean 'iso'"),
        ("date_ops", {"operation": "add", "amount": 1, "unit": "day"}, "did you mean 'days'"),
        ("date_ops", {"operation": "add", "amount": 1e12, "unit": "days"}, "years 1 to 9999"),
        ("date_ops", {"operation": "add", "amount": 99999, "unit": "years"}, "years 1 to 9999"),
        (
            "date_ops",
            {"operation": "add", "amount": 0.5, "unit": "months"},
            "must be a whole number",
        ),
        ("date_ops", {"operation": "difference"}, "`to` is missing; give it in the node's config"),
    ],
)
async def test_the_error_says_what_is_wrong(
    use: Any, component_id: str, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(ComponentError) as caught:
        await use(component_id, given)
    assert message in str(caught.value)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
PARAMETERS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        [
            "text",
            "search",
            "replacement",
            "separator",
            "items",
            "start",
            "end",
            "count",
            "length",
            "fill",
            "a",
            "b",
            "values",
            "digits",
            "min",
            "max",
            "other",
            "value",
            "index",
            "by",
            "field",
            "descending",
            "size",
            "date",
            "to",
            "amount",
            "unit",
            "format",
            "timezone",
        ],
        ANY,
    ),
)


@pytest.mark.parametrize("component_id", ["string_ops", "number_ops", "array_ops", "date_ops"])
@given(data=st.data())
async def test_any_parameters_give_a_result_or_a_clear_error(component_id: str, data: Any) -> None:
    from arcrun_server.components.registry import Registry
    from arcrun_server.engine import Invocation, MemoryEnvironment
    from arcrun_server.outbound import Outbound

    registry = Registry(Outbound())
    contract = registry.contract(component_id)
    component = registry.get(component_id)
    assert contract is not None
    assert component is not None
    operation = data.draw(
        st.sampled_from(contract["input_schema"]["properties"]["operation"]["enum"])
    )
    given = data.draw(PARAMETERS)
    invocation = Invocation("n", MemoryEnvironment().now(), 0.0, lambda _path: (False, None))
    try:
        response = await component({"operation": operation, **given}, invocation)
    except ComponentError as problem:
        response = {"success": str(problem) != ""}
    assert response["success"] is True
