import ast

import pytest

pytest.importorskip("cosmic_ray", reason="the dependency group `mutation`")

from scripts.mutation.generate import Mutant, changed_lines, mutated, places

SOURCE = '''\
"""A docstring: 1 == 1."""

from functools import cache


@cache
def limit(value: int | None = None, *, most: int = 3) -> int | None:
    log.debug("limit %d", 1 + 1)
    if not value:
        return most + 1
    return value


class Box:
    def __repr__(self) -> str:
        return "Box" if 1 == 2 else "box"


if __name__ == "__main__":
    limit(1)
'''


def texts(source: str) -> list[str]:
    found = (mutated(mutant, source) for mutant in places("area", "a.py", source))
    return [changed_lines(source, text)[1] for text in found if text]


def test_each_operator_has_its_mutants() -> None:
    assert sorted(texts("def f(a, b):\n    return a < b and a\n")) == [
        "return a < b or a",
        "return a <= b and a",
        "return a >= b and a",
    ]


def test_what_can_not_be_seen_has_no_mutant() -> None:
    found = {mutant.line for mutant in places("area", "a.py", SOURCE)}
    assert found == {7, 9, 10}
    assert "def limit(value: int | None = None, *, most: int = 4) -> int | None:" in texts(SOURCE)


def test_the_size_of_a_cache_has_no_mutant() -> None:
    assert texts("@lru_cache(maxsize=9)\ndef f():\n    return 1\n") == ["return 2", "return 0"]


def test_what_asserts_or_lays_out_has_no_mutant() -> None:
    assert texts("zip(a, b, strict=True)\n") == []
    assert texts("field(default_factory=list, init=False, repr=True)\n") == []
    assert texts("json.dumps(a, indent=2, sort_keys=True)\n") == [
        "json.dumps(a, indent=2, sort_keys=False)"
    ]


def test_how_long_a_program_sleeps_before_it_tries_again_has_no_mutant() -> None:
    assert texts("time.sleep(0.1 * tried)\n") == []
    assert texts("clock.sleep(tried * 2)\n") == [
        "clock.sleep(tried // 2)",
        "clock.sleep(tried * 3)",
        "clock.sleep(tried * 1)",
    ]


def test_what_asks_for_the_version_of_python_has_no_mutant() -> None:
    assert texts("if sys.version_info >= (3, 11):\n    pass\n") == []


def test_a_condition_is_negated_once() -> None:
    assert texts("if a == b:\n    pass\n") == ["if a != b:"]
    assert texts("if not a:\n    pass\n") == ["if  a:"]


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("except ValueError:", ["except ZeroDivisionError:"]),
        ("except json.JSONDecodeError:", []),
        ("except (OSError, binascii.Error):", ["except (ZeroDivisionError, binascii.Error):"]),
    ],
)
def test_an_exception_is_replaced_by_one_that_needs_no_import(
    clause: str, expected: list[str]
) -> None:
    assert texts(f"try:\n    f()\n{clause}\n    pass\n") == expected


def test_every_mutant_is_another_program() -> None:
    for text in filter(None, (mutated(m, SOURCE) for m in places("area", "a.py", SOURCE))):
        assert ast.dump(ast.parse(text)) != ast.dump(ast.parse(SOURCE))


def test_what_is_no_python_is_left_out() -> None:
    mutant = Mutant("area", "a.py", 1, "ReplaceBinaryOperator_Add_Sub", 5)
    assert mutated(mutant, "a + b\n") is None


def test_changed_lines_are_those_that_differ() -> None:
    assert changed_lines("a\nb\nc\n", "a\nB\nc\n") == ("b", "B")
    assert changed_lines("@x\ndef f(): ...\n", "def f(): ...\n") == ("@x", "")
