"""The examples in docstrings are correct."""

import doctest
import importlib

import pytest

from scripts import ROOT

# Not `**`: there are npm packages below some folder.
FILES = [path for depth in ("", "*/", "*/*/") for path in (ROOT / "scripts").glob(f"{depth}*.py")]
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted(FILES)
    if "tests" not in path.parts and ">>> " in path.read_text("utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted
    assert result.failed == 0
