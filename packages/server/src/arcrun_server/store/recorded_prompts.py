"""The prompts that runs have assembled, written after their responses: a killed process may lose the last few."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, delete, select, update

from arcrun_server import clock
from arcrun_server.recipes.recorded_prompt import RecordedPrompt
from arcrun_server.store.database import Query
from arcrun_server.store.schema import recorded_prompts, runs
from arcrun_server.store.upserts import Upsert
from arcrun_server.store.workflows import timestamp

if TYPE_CHECKING:
    from sqlalchemy import Delete

    from arcrun_server.store.database import Database

KEPT = 200
"""How many prompts of a recipe are kept; it is trimmed when `SLACK` more have come."""

SLACK = 50
DEFAULT_DAYS = 30
# Recipes whose prompts are counted; it bounds the memory, not what is kept.
COUNTED = 10_000
_DAY_MS = 24 * 60 * 60 * 1000

_table = recorded_prompts.c
# A run that is executed again records the same prompt again: the later record counts.
_RECORD = Upsert(
    recorded_prompts,
    replaced=["recipe", "version", "node", "inputs", "answer", "created_at_ms"],
)
_ANSWER = (
    update(recorded_prompts)
    .where(_table.id == bindparam("answered"))
    .values(answer=bindparam("brought"))
)
_OLD = delete(recorded_prompts).where(_table.created_at_ms < bindparam("before"))
_OF_RECIPE = (_table.account == bindparam("account"), _table.recipe == bindparam("recipe"))
_NEWEST = Query(
    select(
        _table.version,
        runs.c.id.label("run"),
        _table.node,
        _table.inputs,
        _table.answer,
        _table.created_at_ms,
    )
    .select_from(recorded_prompts.outerjoin(runs, runs.c.id == _table.run))
    .where(*_OF_RECIPE, _table.created_at_ms >= bindparam("since"))
    .order_by(_table.created_at_ms.desc(), _table.id.desc())
    .limit(bindparam("most"))
)


def trim(kept: int) -> Delete:
    """Return the statement that removes all but a recipe's newest prompts."""
    of_recipe = (_table.account == bindparam("of"), _table.recipe == bindparam("named"))
    newest = (
        select(_table.id)
        .where(*of_recipe)
        .order_by(_table.created_at_ms.desc(), _table.id.desc())
        .limit(kept)
    )
    return delete(recorded_prompts).where(*of_recipe, _table.id.not_in(newest))


_TRIM = trim(KEPT)


class KeptPrompt(NamedTuple):
    """A recorded prompt, and where it is from.

    Attributes:
        prompt: The prompt.
        run: The run's id, if that is a run that is kept.
        created_at: When it was recorded, RFC 3339.
    """

    prompt: RecordedPrompt
    run: str | None
    created_at: str


class RecordedPrompts:
    """The prompts of all accounts of one database; every method takes the account.

    Args:
        database: Where they are.
        days: How many days they are kept.
    """

    def __init__(self, database: Database, days: int = DEFAULT_DAYS) -> None:
        self._database = database
        self._age_ms = days * _DAY_MS
        # Prompts of each recipe since they were trimmed.
        self._recorded: dict[tuple[str, str], int] = {}

    def record(self, account: str, run: str, place: str, prompt: RecordedPrompt) -> None:
        """Note a prompt.

        Args:
            account: Whose run it is of.
            run: The run's id.
            place: Where in the run it was assembled, as `engine.Step.place`.
            prompt: The prompt.
        """
        now = int(clock.now() * 1000)
        row = {
            "id": _id(run, place),
            "account": account,
            "run": run,
            "created_at_ms": now,
            **vars(prompt),
        }
        self._database.write_behind(_RECORD, row)
        if self._is_due(account, prompt.recipe):
            self._database.write_behind(_TRIM, {"of": account, "named": prompt.recipe})
            self._database.write_behind(_OLD, {"before": now - self._age_ms})

    def answered(self, run: str, place: str, answer: str) -> None:
        """Note the answer that a callback has brought."""
        row = {"answered": _id(run, place), "brought": answer}
        self._database.write_behind(_ANSWER, row)

    async def newest(self, account: str, recipe: str, most: int) -> list[KeptPrompt]:
        """Return the newest prompts of a recipe, newest first; waits for those that are being recorded."""
        await self._database.settle()
        since = int(clock.now() * 1000) - self._age_ms
        rows = await self._database.rows(
            _NEWEST, account=account, recipe=recipe, since=since, most=most
        )
        return [
            KeptPrompt(RecordedPrompt(recipe, version, node, inputs, answer), run, timestamp(at))
            for version, run, node, inputs, answer, at in rows
        ]

    async def remove_before(self, moment_ms: int) -> None:
        """Remove the prompts that were recorded before a time."""
        await self._database.write(
            lambda connection: connection.execute(_OLD, {"before": moment_ms}).close()
        )

    def _is_due(self, account: str, recipe: str) -> bool:
        """Count a prompt, and tell whether there may be too many: at the first one, then after each `SLACK`."""
        if len(self._recorded) >= COUNTED:
            self._recorded.clear()  # all are trimmed at their next prompt
        recorded = self._recorded.get((account, recipe), 0)
        self._recorded[account, recipe] = (recorded + 1) % SLACK
        return recorded == 0


def _id(run: str, place: str) -> str:
    """Return the name of an invocation: the same each time that its run is executed."""
    return hashlib.sha256(f"{run}:{place}".encode("utf-8", "surrogatepass")).hexdigest()
