"""Regular expressions: what they find, what is wrong with a pattern, and that none runs away."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from turns import counted_turns

from arcrun_server.components import regexes
from arcrun_server.components.registry import Registry
from arcrun_server.engine import ComponentError, MemoryEnvironment, compile_flow, run_graph
from arcrun_server.outbound import Outbound


async def result(use: Any, name: str, /, **given: Any) -> Any:
    response = await use("string_ops", {"operation": name, **given})
    return response["data"]["result"]


async def refusal(use: Any, name: str, /, **given: Any) -> str:
    with pytest.raises(ComponentError) as caught:
        await use("string_ops", {"operation": name, **given})
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "pattern", "flags", "found"),
    [
        ("Ab", "aB", "i", True),
        ("Ab", "aB", "", False),
        ("É", "é", "i", True),
        ("甲\n乙", "^乙$", "m", True),
        ("甲\n乙", "^乙$", "", False),
        ("甲\n乙", "甲.乙", "s", True),
        ("甲\n乙", "甲.乙", "", False),
        ("A\nb", "^a.B$", "smi", True),
        ("x", "y|X", "i", True),
        ("中文", r"^\p{Han}+$", "", True),
        ("", "", "", True),
    ],
)
async def test_flags_change_what_matches(
    use: Any, text: str, pattern: str, flags: str, found: bool
) -> None:
    assert await result(use, "regex_test", text=text, pattern=pattern, flags=flags) is found


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("a(b", "a ( is not closed: a(b"),
        ("a)b", "a ) closes nothing (at character 2): a)b"),
        ("中[a", "the [ is not closed (at character 2): 中[a"),
        ("a*|*", "* has nothing to repeat (at character 4): a*|*"),
        ("a**", "** repeats a repetition (at character 2): a**"),
        ("好a{1001}", "{1001} is more than 1,000 repetitions"),
        ("(a{100}){100}", "is more than 1,000 repetitions, those inside of it included"),
        ("x(?=a)", "(?= is not supported; there is no looking ahead or back (at character 2)"),
        ("(?<!a)b", "is not supported; there is no looking ahead or back"),
        (r"(a)\1", r"\1 is no escape, and there are no references back"),
        ("[z-a]", "z-a is no range of characters (at character 2)"),
        ("a\\", "it ends with a lone backslash"),
        (r"\pL{1000}", "it would become too large; repeat less"),
        ("a" * 1001, "`pattern` is longer than 1,000 characters"),
        ("\ud800", "`pattern` is no valid Unicode"),
        (7, "`pattern` must be text, but it is the number 7"),
    ],
)
async def test_a_pattern_that_is_none_is_said_to_be_wrong_and_where(
    use: Any, pattern: Any, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    said = await refusal(use, "regex_test", text="a", pattern=pattern, flags="i")
    assert message in said
    assert "(?i)" not in said
    assert capfd.readouterr().err == ""


async def test_other_parameters_are_said_to_be_wrong(use: Any) -> None:
    right = {"text": "ab", "pattern": "(a)(?P<乙>b)"}
    assert "`pattern` is missing" in await refusal(use, "regex_test", text="a")
    assert "`text` is missing" in await refusal(use, "regex_test", pattern="a")
    assert "`flags` can't have 'g'; the choices are: i (ignore case)" in await refusal(
        use, "regex_test", **right, flags="ig"
    )
    assert "`replacement` is missing" in await refusal(use, "regex_replace", **right)
    assert "names $3, but the pattern has $0 to $2, ${乙}" in await refusal(
        use, "regex_replace", **right, replacement="$3"
    )
    assert "names ${甲}, but" in await refusal(use, "regex_replace", **right, replacement="${甲}")
    for replacement in ["$", "$x", "a$ b", "${", "${}"]:
        assert "a $ that names no group; write $1" in await refusal(
            use, "regex_replace", **right, replacement=replacement
        )
    assert "longer than 1,000,000 characters" in await refusal(
        use, "regex_test", text="a" * 1_000_001, pattern="a"
    )


async def test_a_replacement_knows_groups_and_nothing_else(use: Any) -> None:
    for replacement, expected in [
        ("$2$1", "ba"),
        ("${2}0", "b0"),
        ("$0!", "ab!"),
        ("${乙}", "b"),
        ("$3", ""),
        ("$$1", "$1"),
        (r"\1\g<1>\n", r"\1\g<1>\n"),
    ]:
        found = await result(
            use, "regex_replace", text="ab", pattern="(a)(?P<乙>b)(c)?", replacement=replacement
        )
        assert found == expected


@pytest.mark.parametrize(
    ("text", "pattern", "pieces"),
    [
        ("baac", "a*", ["b", "c"]),
        ("你好😀", "", ["你", "好", "😀"]),
        ("a1b2", r"(\d)", ["a", "b", ""]),
        ("", ",", [""]),
        ("ab", "$", ["ab"]),
        ("你好", r"\B", ["你", "好"]),
    ],
)
async def test_texts_are_split_between_characters_and_without_groups(
    use: Any, text: str, pattern: str, pieces: list[str]
) -> None:
    assert await result(use, "regex_split", text=text, pattern=pattern) == pieces


PATTERNS = st.sampled_from(
    [
        "a",
        "",
        "a*",
        "(a)|(b)",
        "ab*?",
        "$",
        "^",
        r"\b",
        "[^a]",
        "(好+)",
        "中?😀",
        "(?P<x>a)(b)?",
    ]
)


@given(text=st.text(alphabet="ab好中😀\n ", max_size=20), pattern=PATTERNS)
def test_what_is_found_is_what_pythons_expressions_find(text: str, pattern: str) -> None:
    # RE2's \b and Python's differ on words that are not ASCII, and $ before a last line break.
    flags = re.ASCII
    pythons = re.compile(pattern.replace("$", r"\Z"), flags)
    search = {"text": text, "pattern": pattern, "flags": "", "replacement": "<$0>"}
    expected = [
        {"text": m[0], "index": m.start(), "groups": [*m.groups()], "named": m.groupdict()}
        for m in pythons.finditer(text)
    ]
    compute = {name: operation.compute for name, operation in regexes.OPERATIONS.items()}
    assert compute["regex_find_all"](search) == expected
    assert compute["regex_replace"](search) == pythons.sub(lambda m: f"<{m[0]}>", text)
    assert compute["regex_test"](search) is bool(expected)
    assert compute["regex_match"](search) == (expected[0] if expected else None)


@given(st.text(), st.text(max_size=60), st.sampled_from([*regexes.OPERATIONS]))
def test_any_text_is_a_pattern_or_refused(text: str, pattern: str, name: str) -> None:
    search = {"text": text, "pattern": pattern, "flags": "", "replacement": ""}
    with suppress(ComponentError):
        regexes.OPERATIONS[name].compute(search)


async def test_what_placeholders_put_in_matches_and_appears_as_it_is(use: Any) -> None:
    component: Any = Registry(Outbound()).get("string_ops")
    environment = MemoryEnvironment(components={"string_ops": component})
    config = {
        "換": {
            "component": "string_ops",
            "operation": "regex_replace",
            "text": "{{input.文}}",
            "pattern": "^({{input.頭}})",
            "replacement": "{{input.新}}$1",
        }
    }
    run_input = {"文": "a.b", "頭": "a.", "新": "$2\\1"}
    result = await run_graph(
        compile_flow(["input >> 完成後 >> 換"], config), run_input, environment
    )
    assert result.data == {"success": True, "data": {"result": "$2\\1a.b"}}
    refused = await run_graph(
        compile_flow(["input >> 完成後 >> 換"], config), {**run_input, "文": "axb"}, environment
    )
    assert refused.data["data"]["result"] == "axb"


async def test_the_input_sets_no_pattern(use: Any) -> None:
    given = {"operation": "regex_test", "text": "a", "pattern": "a"}
    own = {"operation": "regex_test", "text": "a"}
    with pytest.raises(ComponentError, match="`pattern` is missing"):
        await use("string_ops", given, own=own, written=own)


async def test_a_worker_finds_what_is_found_here(use: Any, monkeypatch: Any) -> None:
    given = {"text": "a1 好2 " * 50, "pattern": r"(?P<字>\pL)(\d)", "replacement": "$2${字}"}
    here = [await result(use, name, **given) for name in regexes.OPERATIONS]
    monkeypatch.setattr(regexes, "QUICK_WORK", 0)
    assert [await result(use, name, **given) for name in regexes.OPERATIONS] == here
    with pytest.raises(ComponentError, match="names no group"):
        await result(use, "regex_replace", **{**given, "replacement": "$"})


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("regex_find_all", {"text": "a" * 900_000, "pattern": "a.*b|a"}),
        ("regex_split", {"text": "a" * 900_000, "pattern": "a[^b]*b|a"}),
    ],
)
async def test_work_that_grows_with_the_square_is_ended_and_the_server_goes_on(
    use: Any, monkeypatch: Any, name: str, given: Any
) -> None:
    monkeypatch.setattr(regexes, "SECONDS", 0.3)
    with counted_turns(0.01) as turns:
        said = await refusal(use, name, **given)
    assert said.startswith(f"`{name}` takes longer than 0.3 seconds; give a shorter text")
    assert turns.count > 3


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("regex_find_all", {"text": "a" * 10_001, "pattern": "a"}, "more than 10,000 times"),
        ("regex_split", {"text": "a" * 100_001, "pattern": "a"}, "more than 100,000 times"),
        (
            "regex_find_all",
            {"text": ("a" * 999 + "b") * 900, "pattern": "((a+))"},
            "larger than 2,000,000 bytes",
        ),
        (
            "regex_replace",
            {"text": "a" * 4000, "pattern": "a", "replacement": "b" * 1000},
            "longer than 3,000,000 bytes",
        ),
    ],
)
async def test_what_would_be_too_large_is_refused_before_it_is_built(
    use: Any, name: str, given: Any, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regexes, "SECONDS", 60.0)  # the size is checked here, not the time
    assert message in await refusal(use, name, **given)


async def test_nested_repetitions_take_no_time(use: Any) -> None:
    text = "a" * 100_000 + "!"
    for pattern in ["^(a+)+$", "^(a|a)*$", "(.*)*b", "^(a|aa)+$"]:
        assert await result(use, "regex_test", text=text, pattern=pattern) is False
