"""Where in a document a fault is."""

from __future__ import annotations

import pytest

from arcrun.commands.documents import parse_document, place_at
from arcrun.commands.errors import CommandError
from arcrun.commands.places import located, located_in_recipe


def place(text: str, path: list, offset: int) -> tuple[int, int] | None:
    return parse_document(text).place_within(path, offset)


@pytest.mark.parametrize(
    ("written", "offset", "expected"),
    [
        ("a: one two", 4, (1, 8)),
        ('a: "one two"', 4, (1, 9)),
        ("a: 'one two'", 4, (1, 9)),
        ("a: 'it''s two'", 5, (1, 11)),  # the quotation mark is written twice
        ('a: "one \\"two\\""', 5, (1, 11)),  # a backslash stands before it
        ('a: "\\u4f60 two"', 2, (1, 4)),  # an escape: the place of the whole text
        ("a: 你好 two", 3, (1, 7)),
        ("a: one\n  two", 4, (2, 3)),  # folded
        ("a: |\n  one\n  two\n", 4, (3, 3)),
        ("a: >-\n  one\n  two\n", 4, (3, 3)),
        ("a: |2\n    one\n  two\n", 2, (2, 5)),
        ("a: one\r\nb: two three", 0, (1, 4)),
    ],
)
def test_a_character_of_a_text_has_its_place_however_it_is_written(
    written, offset, expected
) -> None:
    assert place(written, ["a"], offset) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb", (2, 1)),
        ("a\r\nb", (2, 1)),
        ("a\rb", (2, 1)),
        ("a\x85b", (2, 1)),
        ("a\u2028b", (2, 1)),
        ("a\x0cb", (1, 3)),  # no line end to YAML
    ],
)
def test_lines_are_counted_as_yaml_counts_them(text, expected) -> None:
    assert place_at(text, text.index("b")) == expected


def test_the_nearest_value_around_a_missing_one_has_the_place() -> None:
    document = parse_document("cron:\n  expr: x\n")
    assert document.place_of(["cron", "timezone"]) == (1, 1)
    assert document.place_of(["cron", "expr"]) == (2, 9)
    assert document.place_of(["webhook"]) is None


def test_a_byte_order_mark_is_no_column() -> None:
    assert parse_document("\ufeffa: 1").place_of(["a"]) == (1, 4)


def test_a_fault_in_a_flow_is_placed_in_the_text_of_its_line() -> None:
    document = parse_document('flow:\n  - "in >> 完成后 >> a"\n  - >-\n    a >>\n    完成后 >> b\n')
    faults = [{"message": "x", "line": 1, "column": 7}, {"message": "y", "line": 2, "column": 6}]
    assert [(f["line"], f["column"]) for f in located(faults, document, [])] == [(2, 12), (5, 5)]


def test_a_fault_of_a_node_is_placed_in_its_config() -> None:
    document = parse_document("config:\n  My Node: {component: set, url: 'a {{b..c}}'}\n")
    component = {"message": "There is no component.", "path": "graph.nodes[1].componentId"}
    url = {"message": "{{b..c}} is not a placeholder", "path": "graph.nodes[1].data.url"}
    found = located([component, url], document, ["in", "my-node"])
    assert [(fault["line"], fault["column"]) for fault in found] == [(2, 24), (2, 37)]


def test_a_fault_without_a_place_has_neither_line_nor_column() -> None:
    document = parse_document("flow: [a]\n")
    (found,) = located([{"message": "x", "path": "graph.nodes[7].data.url"}], document, ["a"])
    assert found == {"message": "x", "path": "graph.nodes[7].data.url"}


def test_the_nearest_known_name_becomes_part_of_the_message() -> None:
    document = parse_document("flow: [a]\n")
    faults = [
        {"message": "`x` is no variable.", "suggestion": "y"},
        {"message": "no 'x'; did you mean 'y'?", "suggestion": "y"},
    ]
    assert [fault["message"] for fault in located(faults, document, [])] == [
        "`x` is no variable; did you mean 'y'?",
        "no 'x'; did you mean 'y'?",
    ]


def test_a_fault_of_a_recipe_names_its_field() -> None:
    document = parse_document("id: api_recipe:x\nheaders:\n  a: 1\n")
    faults = [{"message": "input should be a valid string", "path": "headers.a"}]
    assert located_in_recipe(faults, document) == [
        {
            "message": "headers.a: input should be a valid string",
            "path": "headers.a",
            "line": 3,
            "column": 6,
        }
    ]


def test_full_width_quotation_marks_are_a_warning() -> None:
    document = parse_document('a: “x”\nb: "“x”"\nc: he said “x” to me\nd: “\n')
    (warning,) = document.warnings()
    assert (warning["path"], warning["line"], warning["column"]) == ("a", 1, 4)


def test_aliases_that_grow_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(CommandError, match=r"line 1, column 37: .* more than 100,000 values"):
        parse_document("\n".join(lines))
