"""YAML files of others: each ends in a value or in a problem with its file and line, whatever it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from arcrun_conformance.cleaning import MAX_DEPTH
from arcrun_conformance.documents import DocumentError, read, read_yaml

if TYPE_CHECKING:
    from pathlib import Path

# Each list repeats the one before ten times: ten million texts, were they written out.
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 7)
)
# Each list holds the one before, so that no line is nested.
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, MAX_DEPTH))


def written(folder: Path, text: str) -> Path:
    path = folder / "given.yaml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[" * 100_000, r"given\.yaml:1: can't be read: nested more than 100 levels deep"),
        ("- " * 100_000, r"given\.yaml:1: can't be read: nested more than 100 levels deep"),
        ("{a: " * 100_000, r"given\.yaml:1: can't be read: nested more than 100 levels deep"),
        ("adapters:\n" + CHAIN, r"given\.yaml:101: can't be read: nested more than 100 levels"),
        (BOMB, r"given\.yaml:6: can't be read: has more than 1,000,000 values, aliases written"),
        ("adapters: &a [x, *a]", r"given\.yaml:1: can't be read: \*a is part of what it repeats"),
        ("adapters: *a", r"given\.yaml:1: is not valid YAML: found undefined alias"),
        ("a: 1\n[b]: 2", r"given\.yaml:2: is not valid YAML: a key must be a text"),
        ("a: 1\n2: b", r"given\.yaml:2: is not valid YAML: the key 2 is no text: write it in quo"),
        ("a: 1\nyes: b", r"given\.yaml:2: is not valid YAML: the key yes is no text"),
        ("a: &a {1: x}\nb:\n  <<: *a", r"given\.yaml:1: is not valid YAML: the key 1 is no text"),
        ("a: 1\na: 2", r"given\.yaml:2: is not valid YAML: duplicate key a"),
        ("a: !!int foo", r"given\.yaml:1: is not valid YAML: can't be read as int: foo"),
        ("a: !!bool foo", r"given\.yaml:1: is not valid YAML: can't be read as bool: foo"),
        ("a: !!float ''", r"given\.yaml:1: is not valid YAML: can't be read as float: $"),
        ("a: " + "1" * 5000, r"given\.yaml:1: is not valid YAML: can't be read as int: 1+…$"),
        ("a: !!python/name:os.system x", r"given\.yaml:1: is not valid YAML: could not determine"),
        ("a: [", r"given\.yaml:2: is not valid YAML"),
        ("a: \0", r"given\.yaml: is not valid YAML"),
        ("", r"given\.yaml: the file: None is not of type 'object'"),
    ],
    ids=lambda text: text[:20],
)
def test_a_file_that_can_not_be_used_is_a_problem_with_its_line(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(DocumentError, match=problem):
        read(written(tmp_path, text), "adapters")


def test_what_is_as_deep_as_is_allowed_is_read(tmp_path: Path) -> None:
    text = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    value = read_yaml(written(tmp_path, text))
    levels = 0
    while value:
        (value,) = value
        levels += 1
    assert levels == MAX_DEPTH - 1

    with pytest.raises(DocumentError, match="nested more than 100 levels"):
        read_yaml(written(tmp_path, f"[{text}]"))


def test_what_is_as_deep_as_is_allowed_is_checked_against_a_schema(tmp_path: Path) -> None:
    deep = MAX_DEPTH - 6
    text = f"id: a\nsteps: [{{id: b, call: c, args: {{d: {'[' * deep}{']' * deep}}}}}]\n"
    with pytest.raises(DocumentError, match="required property"):
        read(written(tmp_path, text), "scenario")


def test_aliases_repeat_what_they_name(tmp_path: Path) -> None:
    text = "a: &a {b: [x]}\nc: *a\nd: {<<: *a, e: 2020-01-01}\n"
    assert read_yaml(written(tmp_path, text)) == {
        "a": {"b": ["x"]},
        "c": {"b": ["x"]},
        "d": {"b": ["x"], "e": "2020-01-01"},
    }


def test_a_problem_repeats_no_more_than_the_beginning_of_a_value_and_steers_no_terminal(
    tmp_path: Path,
) -> None:
    value = r"\e[2J" + "x" * 5000
    with pytest.raises(DocumentError) as caught:
        read(written(tmp_path, f'adapters: "{value}"'), "adapters")
    (problem,) = caught.value.problems
    assert r"\x1b[2Jxxx" in problem.message
    assert len(problem.message) < 400
