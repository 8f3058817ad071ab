"""Defects in prompt recipes."""

from __future__ import annotations

import re
from typing import Any

from arcrun_server.recipes import fragments, prompts
from arcrun_server.recipes.prompt import document


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
