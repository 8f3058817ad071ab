import fnmatch
import json
from pathlib import Path

import pytest

from scripts import ROOT
from scripts.mutation.areas import (
    AREAS,
    RELATED_IN_ENGINE,
    RELATED_SCENARIOS,
    Area,
    related_scenarios,
)
from scripts.mutation.related import ordered_tests
from scripts.mutation.typescript import AREA, TOOLS, Place, modules, read_report

KNOWN = {
    suite: {path.stem for path in (ROOT / "conformance/scenarios" / suite).rglob("*.yaml")}
    for suite in ("sdk", "engine")
}


@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.name)
def test_each_pattern_of_an_area_names_modules_and_tests(area: Area) -> None:
    assert [pattern for pattern in area.sources if not list(ROOT.glob(pattern))] == []
    assert [folder for folder in area.tests if not (ROOT / folder).is_dir()] == []
    assert list(area.modules(ROOT))


def test_no_module_is_in_two_areas() -> None:
    found = [path for area in AREAS for path in area.modules(ROOT)]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("stem", sorted({*RELATED_SCENARIOS, *RELATED_IN_ENGINE}))
def test_related_scenarios_belong_to_a_module(stem: str) -> None:
    paths = [path for area in AREAS for path in area.modules(ROOT)]
    assert stem in {Path(path).stem for path in [*paths, *modules(ROOT)]}


@pytest.mark.parametrize("suite", KNOWN)
@pytest.mark.parametrize("area", [*AREAS, AREA], ids=lambda area: area.name)
def test_related_scenarios_exist(area: Area, suite: str) -> None:
    for path in area.modules(ROOT) if any(run.suite == suite for run in area.suites) else ():
        patterns = related_scenarios(area, path, suite)
        assert patterns
        assert [pattern for pattern in patterns if not fnmatch.filter(KNOWN[suite], pattern)] == []


def test_no_area_has_own_tests_that_are_not_among_its_tests() -> None:
    for area in AREAS:
        own = ordered_tests(ROOT, area.own_tests, "").others
        assert own
        assert set(own) <= set(ordered_tests(ROOT, area.tests, "").others)


def test_the_tests_of_a_module_come_first_and_all_others_after_them() -> None:
    (release,) = (area for area in AREAS if area.name == "release")
    first, others = ordered_tests(ROOT, release.tests, "scripts/release/evidence.py")
    assert first[0] == "scripts/tests/release/test_evidence.py"
    assert "scripts/tests/release/npm/test_build.py" in others
    assert not set(first) & set(others)
    assert ordered_tests(ROOT, release.tests, "").others == sorted([*first, *others])


def test_stryker_uses_the_versions_of_the_sdk() -> None:
    ours, theirs = (
        json.loads((ROOT / folder / "package.json").read_text("utf-8"))
        for folder in (TOOLS, "packages/js-sdk")
    )
    own = {name for name in ours["devDependencies"] if name.startswith("@stryker-mutator/")}
    shared = {n: v for n, v in ours["devDependencies"].items() if n not in own}
    assert shared == {name: theirs["devDependencies"][name] for name in shared}
    assert ours["overrides"] == theirs["overrides"]


def test_a_place_is_replaced_and_named_as_stryker_does() -> None:
    place = Place("src/a.ts", (1, 2), (2, 1), "BlockStatement", "{}")
    assert place.applied("一\nab{\n}\nc\n") == "一\nab{}\nc\n"
    assert place.range == "src/a.ts:2:2-3:1"


@pytest.mark.parametrize(
    ("text", "operator", "is_wording"),
    [
        ('"the secret is missing"', "StringLiteral", True),
        ("`the secret ${name} is missing`", "StringLiteral", True),
        ('"client.creds.push"', "StringLiteral", True),
        ('"Bearer "', "StringLiteral", False),
        ('"client"', "StringLiteral", False),
        ('"a secret missing"', "StringLiteral", False),
        ("name || of || all", "LogicalOperator", False),
    ],
)
def test_texts_of_several_words_and_names_of_methods_are_for_people(
    text: str, operator: str, is_wording: bool
) -> None:
    source = f"\nf({text});\n"
    place = Place("src/a.ts", (1, 2), (1, 2 + len(text)), operator, '""')
    assert place.replaced(source) == text
    assert place.is_wording(source) is is_wording


def test_strykers_report_is_read_with_lines_from_0() -> None:
    location = {"start": {"line": 2, "column": 3}, "end": {"line": 3, "column": 2}}
    mutant = {"mutatorName": "BlockStatement", "replacement": "{}", "location": location}
    place = Place("src/a.ts", (1, 2), (2, 1), "BlockStatement", "{}")
    for more, with_static, expected in (
        ({"status": "NoCoverage"}, True, "survived"),
        ({"status": "NoCoverage", "static": False}, False, "survived"),
        ({"status": "Survived", "static": True}, True, "survived"),
        ({"status": "Survived", "static": True}, False, "not judged"),
        ({"status": "Ignored"}, False, "not judged"),
        ({"status": "Killed", "static": True}, False, "killed"),
        ({"status": "RuntimeError"}, True, "killed"),
        ({"status": "Timeout"}, True, "timed out"),
    ):
        report = {"files": {"src/a.ts": {"mutants": [{**mutant, **more}]}}}
        assert read_report(report, with_static=with_static) == {place: expected}


def test_the_recipes_that_are_data_are_not_mutated() -> None:
    assert "packages/js-sdk/src/http/retry.ts" in modules(ROOT)
    assert not any(path.endswith("knownRecipes.ts") for path in modules(ROOT))
