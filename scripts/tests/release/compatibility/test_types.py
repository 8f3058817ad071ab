import pytest

from scripts.release.compatibility.types import change_of_type, members, split


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("str", "str", None),
        ("str | None", "None | str", None),
        ("Optional[str]", "str | None", None),
        ("Union[str, int]", "int | str", None),
        ('Literal["a", "b"]', 'Literal["b", "a"]', None),
        ("(string | number)", "number | string", None),
        ("str | None", "str", "narrowed"),
        ("str", "str | None", "widened"),
        ("Any", "str", "narrowed"),
        ("str", "Any", "widened"),
        ("string", "unknown", "widened"),
        ("str", 'Literal["a"]', "narrowed"),
        ('"a" | "b"', "string", "widened"),
        ('Literal["a", "b"]', 'Literal["a"]', "narrowed"),
        ('(Literal["a", "b"]) | None', '(Literal["a", "b", "c"]) | None', "widened"),
        ("str", "int", "changed"),
        ('"a" | "b"', '"a" | "c"', "changed"),
        ("Promise<A>", "Promise<A | B>", "widened"),
        ("Promise<A>", "A", "changed"),
        ("list[str | int]", "list[str]", "narrowed"),
        ("AsyncGenerator<A | B, void>", "AsyncGenerator<A, void>", "narrowed"),
        ("AsyncGenerator<A, void>", "AsyncGenerator<A, string>", "changed"),
        ("dict[str, int]", "dict[str, str]", "changed"),
        ("(a: string | number) => void", "(a: string) => void", "changed"),
    ],
)
def test_a_type_is_compared_by_the_values_that_it_takes(
    old: str, new: str, expected: str | None
) -> None:
    assert change_of_type(old, new) == expected


@pytest.mark.parametrize(
    ("text", "separator", "parts"),
    [
        ("a | b<c | d> | 'e|f'", "|", ["a", "b<c | d>", "'e|f'"]),
        ("a: (x: A, y: B) => C, b?: D", ",", ["a: (x: A, y: B) => C", "b?: D"]),
        ("", ",", []),
    ],
)
def test_brackets_and_strings_are_not_split(text: str, separator: str, parts: list[str]) -> None:
    assert split(text, separator) == parts


def test_two_groups_in_parentheses_are_two_members() -> None:
    assert members("(a | b) | (c)") == {"a", "b", "c"}
