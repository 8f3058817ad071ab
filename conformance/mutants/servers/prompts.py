"""Defects in prompt recipes."""

from __future__ import annotations

from typing import Any

from arcrun_server.components import claude_api
from arcrun_server.recipes import prompt_component
from arcrun_server.recipes.prompt import output, reading, testing
from arcrun_server.runs import environment, usage


class _Everything(frozenset[str]):
    def __contains__(self, _name: Any) -> bool:
        return True


def outputs_are_compared_without_types() -> None:
    testing.same = lambda left, right: left == right


def answers_have_infinite_numbers() -> None:
    output.finite_number = float


def tests_that_check_nothing_pass() -> None:
    reading._check_says_something = lambda _expect: None


def version_of_a_page_is_ignored() -> None:
    right = reading.Fields.error

    def error(self: Any, message: str, field: str | None = None, **more: Any) -> None:
        if field != "version":
            right(self, message, field, **more)

    reading.Fields.error = error


def braces_go_to_the_model() -> None:
    prompt_component._check_found = lambda _invocation: None


def misspelled_parameters_of_models_are_ignored() -> None:
    environment.with_checked_names = lambda component, _contract: component


def messages_have_any_field() -> None:
    claude_api._OF_A_MESSAGE = _Everything()


def failed_calls_are_not_counted() -> None:
    usage.ModelUsage.add = lambda _self, _node, _record: None
