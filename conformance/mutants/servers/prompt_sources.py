"""Defects in prompt recipes."""

from __future__ import annotations

import re
from typing import Any

from arcrun_server.kbdb import search
from arcrun_server.recipes import fragments, prompts
from arcrun_server.recipes.prompt import checks, document, output, reading, testing
from arcrun_server.routes import prompt_recipes


class _Forgetful(dict[Any, Any]):
    """Finds nothing."""

    def get(self, _key: Any, _default: Any = None) -> Any:
        return None


def recipes_are_fetched_for_each_use() -> None:
    begin = fragments.Fragments.__init__

    def init(self: Any, *arguments: Any) -> None:
        begin(self, *arguments)
        self._by_reference, self._by_version = _Forgetful(), _Forgetful()

    fragments.Fragments.__init__ = init


def prompts_need_any_number_of_sources() -> None:
    fragments.MAX_FETCHED = 10_000


def pushes_close_cycles_without_a_word() -> None:
    right = prompts.warnings_of
    prompts.warnings_of = lambda resolved: [
        warning for warning in right(resolved) if "hold each other" not in warning
    ]


def directives_of_recipes_are_read() -> None:
    document._TAG_DIRECTIVE = re.compile(r"(?!)")


def unused_variables_are_not_told_of() -> None:
    checks._unused_warnings = lambda _resolved: []


def undeclared_variables_are_told_of_alone() -> None:
    right = reading._RecipeReader._check_templates

    def check_templates(self: Any, recipe: Any) -> None:
        if not self._problems.errors:
            right(self, recipe)

    reading._RecipeReader._check_templates = check_templates


def values_of_unknown_inputs_are_ignored() -> None:
    prompt_recipes._check_variables = lambda _resolved, _given: None


def fences_are_found_by_one_expression() -> None:
    fence = re.compile(r"\A```[A-Za-z]*[ \t]*\r?\n(.*?)\r?\n?[ \t]*```\Z", re.DOTALL)

    def unfenced(text: str) -> str:
        found = fence.match(text)
        return found[1] if found else text

    output._unfenced = unfenced


def marks_are_ordered_by_insertion() -> None:
    search._MANY_MARKS = re.compile(r"(?!)")


def replies_that_can_not_be_checked_end_the_request() -> None:
    class Never(Exception):
        pass

    testing.ComponentError = Never
