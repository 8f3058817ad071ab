"""The examples in docstrings are correct."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import arcrun_server

MODULES = [
    module.name
    for module in pkgutil.walk_packages(arcrun_server.__path__, "arcrun_server.")
    if not module.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
