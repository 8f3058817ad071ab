"""JavaScript mutants: one text is replaced in a copy of the built SDK, and must be there exactly once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from arcrun_conformance.adapters.registry import read_registry
from arcrun_conformance.javascript_mutant import ADAPTER, JavaScriptSdk, MutantError
from arcrun_conformance.resources import data_directory


@pytest.fixture
def sdk(tmp_path: Path) -> JavaScriptSdk:
    built = tmp_path / "node_modules/@arcrun/sdk/dist/node.js"
    built.parent.mkdir(parents=True)
    built.write_text("const most = 60;\nconst least = 1;\n", "utf-8")
    registry = data_directory() / "adapters/adapters.yaml"
    return JavaScriptSdk(read_registry(registry, sys.executable, tmp_path)[ADAPTER], tmp_path)


def test_the_copy_has_the_defect_and_the_original_has_not(
    sdk: JavaScriptSdk, tmp_path: Path
) -> None:
    with sdk.with_defect({"id": "waits", "replace": "60", "by": "61"}) as (node, host, folder):
        copy = Path(folder, "sdk.mjs").read_text("utf-8")
        assert copy == "const most = 61;\nconst least = 1;\n"
        assert (node, host.rsplit("/", 1)[1]) == (sdk.adapter.command[0], "node.mjs")
    built = tmp_path / "node_modules/@arcrun/sdk/dist/node.js"
    assert "60" in built.read_text("utf-8")


@pytest.mark.parametrize(("text", "times"), [("const ", 2), ("gone", 0)])
def test_a_text_that_is_not_there_once_is_reported(
    sdk: JavaScriptSdk, text: str, times: int
) -> None:
    with (
        pytest.raises(MutantError, match=f"javascript waits: .* is {times} times"),
        sdk.with_defect({"id": "waits", "replace": text, "by": ""}),
    ):
        pass


def test_what_is_missing_is_named(sdk: JavaScriptSdk) -> None:
    assert "node24/node" in sdk.why_unavailable()


def test_all_texts_that_are_not_there_are_named_before_any_mutant_is_tried(
    sdk: JavaScriptSdk,
) -> None:
    definitions = [
        {"id": name, "replace": text, "by": ""}
        for name, text in [("waits", "60"), ("twice", "const "), ("gone", "missing")]
    ]

    stale = sdk.stale(definitions)

    assert [message.split(":")[0] for message in stale] == ["javascript twice", "javascript gone"]
