"""Defects in the catalog, in `code`, `cron` and the auth primitives."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from arcrun_server.components import code, cron
from arcrun_server.engine import cron_expression, parameters
from arcrun_server.recipes import prompt_component, request
from arcrun_server.recipes.auth import primitive_component
from arcrun_server.routes import component_search, components

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from arcrun_server.engine.cron_expression import CronExpression


def _with_invocation(change: Any) -> None:
    """Let `code` see another invocation."""
    right = code.component

    def component(workers: Any) -> Any:
        run = right(workers)

        async def changed(given: Any, invocation: Any) -> Any:
            return await run(given, change(given, invocation))

        return changed

    code.component = component


def code_is_a_template() -> None:
    del parameters._VERBATIM["code"]


def code_comes_from_the_context_too() -> None:
    _with_invocation(lambda given, invocation: replace(invocation, own={**given, **invocation.own}))


def code_is_handed_credentials() -> None:
    parameters.code_problem = code.code_problem = lambda _credentials: None


def models_are_asked_with_credentials() -> None:
    parameters.model_problem = prompt_component.model_problem = lambda _credentials: None


def errors_of_code_keep_their_escapes() -> None:
    code._printable = lambda text: text


def code_has_no_limits_of_its_own() -> None:
    code._limits = lambda _own: {name: usual for name, (usual, _) in code._LIMITS.items()}


def code_may_be_a_byte_larger() -> None:
    code.CODE_BYTES += 1


def memory_runs_out_as_null() -> None:
    right = code._code
    # With this, code may throw null itself.
    code._code = lambda own: right(own) + "\n// throw null"


def _with_expression(**change: Any) -> None:
    """Let `cron` read an expression as another one."""
    right = cron.parse_cron

    def parse_cron(text: str) -> CronExpression:
        return replace(right(text), **change)

    cron.parse_cron = parse_cron


def both_days_must_fit() -> None:
    _with_expression(either_day=False)


def weeks_end_with_saturday() -> None:
    cron_expression._DAY_OF_WEEK = cron_expression._Field("day of the week", 0, 7)


def skipped_times_are_left_out() -> None:
    _with_expression(every_hour=True)


def repeated_hours_are_left_out() -> None:
    _with_expression(every_hour=False)


def only_a_few_years_are_searched() -> None:
    right = cron_expression.CronExpression.times

    def times(self: CronExpression, after: datetime, zone: tzinfo) -> Iterator[datetime]:
        last = after + timedelta(days=9 * 366)
        return takewhile(lambda moment: moment < last, right(self, after, zone))

    cron_expression.CronExpression.times = times


def any_primitive_signs() -> None:
    right = primitive_component._recipe

    async def recipe(primitive: str, own: Any, find: Any) -> Any:
        found = await find(str(own.get("service", "")))
        return found or await right(primitive, own, find)

    primitive_component._recipe = recipe


def missing_secrets_are_found_late() -> None:
    async def check(_self: Any, _recipe: Any) -> None:
        return None

    request.ServiceClient.check = check


def words_are_found_at_their_end() -> None:
    right = component_search.Entry.position

    def position(entry: Any, phrases: list[str]) -> str | None:
        inside = all(phrase in entry._words for phrase in phrases)
        return right(entry, phrases) or (f"4{entry.canonical_id}" if inside else None)

    component_search.Entry.position = position


def knowledge_base_is_found_as_a_service() -> None:
    components.is_url = lambda _address: True


def own_recipes_are_not_searched() -> None:
    async def none(_self: Any, _account: str) -> dict[Any, Any]:
        return {}

    components.ComponentRoutes._own_entries = none


def components_are_not_suggested() -> None:
    components.nearest = lambda *_, **__: None
