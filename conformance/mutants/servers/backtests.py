"""Defects in what runs record of prompts, and in backtests."""

from __future__ import annotations

from typing import Any

from sqlalchemy import false

from arcrun_server.recipes import backtest, recorded_prompt
from arcrun_server.recipes.prompts import Prompts
from arcrun_server.recipes.reference import Reference
from arcrun_server.routes import prompt_recipes
from arcrun_server.store import recipes, recorded_prompts


def compares_with_the_newest_version() -> None:
    async def newest(self: Prompts, name: str, _version: int) -> Any:
        return await self.resolve(Reference(name))

    Prompts.resolve_recorded = newest


def records_secrets() -> None:
    recorded_prompt.redacted = lambda value: value


def records_the_newest_prompt_only() -> None:
    recorded_prompts._id = lambda _run, _place: "the same"


def counts_unchanged_prompts_as_changed() -> None:
    right = prompt_recipes._counted

    def counted(runs: Any) -> Any:
        counts = right(runs)
        return counts | {"changed": counts["changed"] + counts["unchanged"], "unchanged": 0}

    prompt_recipes._counted = counted


def compares_prompts_of_other_accounts() -> None:
    accounts: set[str] = set()
    record, newest = (
        recorded_prompts.RecordedPrompts.record,
        recorded_prompts.RecordedPrompts.newest,
    )

    def record_and_note(self: Any, account: str, *more: Any) -> None:
        accounts.add(account)
        record(self, account, *more)

    async def of_all(self: Any, _account: str, *more: Any) -> Any:
        return [one for account in accounts for one in await newest(self, account, *more)]

    recorded_prompts.RecordedPrompts.record = record_and_note
    recorded_prompts.RecordedPrompts.newest = of_all


def looks_values_up_at_recorded_paths_only() -> None:
    def look_up(self: Any, path: str) -> tuple[bool, Any]:
        return path in self.values, self.values.get(path)

    recorded_prompt.RecordedValues.look_up = look_up


def fails_for_one_run_that_fails() -> None:
    right = backtest.compare

    def compare(*given: Any) -> Any:
        difference = right(*given)
        if difference.status == backtest.FAILED:
            raise RuntimeError(difference.error)
        return difference

    backtest.compare = compare


def asks_models_what_they_were_asked() -> None:
    backtest.Backtest._asks_alike = lambda _self, _baseline: False


def compares_answers_without_types() -> None:
    backtest.same = lambda left, right: str(left) == str(right).replace("'1'", "1")


def keeps_prompts_of_deleted_recipes() -> None:
    recipes._FORGET = recipes._FORGET.where(false())


def compares_prompts_of_any_age() -> None:
    recorded_prompts._DAY_MS = 10**12


def shows_all_of_a_difference() -> None:
    backtest.MAX_DIFF = 10**9


def stores_what_is_backtested() -> None:
    right = prompt_recipes.PromptRecipeRoutes._resolved

    async def store(
        self: Any, prompts: Any, request: Any, given: Any, *, newest: bool = False
    ) -> Any:
        if newest and "recipe" in given:
            await prompts.push(given["recipe"])
        return await right(self, prompts, request, given, newest=newest)

    prompt_recipes.PromptRecipeRoutes._resolved = store
