"""The steps of the engine suite: requests that the runner itself sends, and a check of each reply."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from arcrun_conformance.checks.check import Check, check
from arcrun_conformance.checks.leaks import KEY_HEADER
from arcrun_conformance.scenarios.patterns import differences, show
from arcrun_conformance.scenarios.template import fill
from arcrun_conformance.scenarios.times import with_times
from arcrun_conformance.wire.client import EngineClient, NoReply, Outgoing
from arcrun_conformance.wire.webhook_signature import signed_headers

from .results import Cell, StepRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arcrun_conformance.local_engine import LocalEngine
    from arcrun_conformance.scenarios.scenario import Scenario, Step
    from arcrun_conformance.wire.journal import Journal

# More pages than any list of a scenario has: a list that never ends is an error of the engine.
MOST_PAGES = 200
# A larger body is shown in the exchange only, and not again in the list of steps.
LARGE_BODY = 20_000
_REPLY_KEYS = {"expect", "save", "among"}


class BrokenList(Exception):
    """What an engine has responded is no list of pages; the message says why."""


@dataclass
class EngineStepRunner:
    """Carries out the steps of a scenario of the engine suite.

    Attributes:
        scenario: The scenario.
        client: Sends the requests.
        journal: The journal, which records the id of the step with each request.
        cell: The cell to which steps and checks are added.
        values: The values of the placeholders; steps add what they save.
        engine: The engine's process, where its clock is moved.
    """

    scenario: Scenario
    client: EngineClient
    journal: Journal
    cell: Cell
    values: dict[str, Any]
    engine: LocalEngine | None = None

    async def run(self) -> None:
        """Carry out all steps; after one that fails, the others are not reached."""
        steps = list(self.scenario.steps)
        while steps:
            step = steps.pop(0)
            await self.journal.begin(step.id)
            if step.kind == "advance":
                self._advance(step)
                continue
            try:
                problems = await self._carry_out(step)
            except (NoReply, BrokenList) as problem:
                problems = [str(problem)]
            outcome = check(step.id, problems)
            self.cell.checks.append(outcome)
            if not outcome.passed:
                break
        await self.journal.begin("")
        self.cell.checks += [Check(s.id, "not-reached") for s in steps if s.kind != "advance"]

    def _advance(self, step: Step) -> None:
        if self.engine is None:
            raise TypeError(f"the step {step.id} needs an engine with a clock")  # the suite checks
        self.engine.advance(step.definition["advance"])

    async def _carry_out(self, step: Step) -> list[str]:
        began = self._now()
        if step.kind == "list":
            replies = [await self._all_pages(step)]
        elif step.definition.get("concurrent"):
            numbers = range(1, step.definition["repeat"] + 1)
            replies = list(await asyncio.gather(*(self._send(step, n) for n in numbers)))
        else:
            numbers = range(1, step.definition.get("repeat", 1) + 1)
            replies = [await self._send(step, number) for number in numbers]
        window = (began, self._now())
        problems = self._differences(step, replies, window)
        problems += _relations(step, replies)
        problems += self._among(step, replies, window)
        if not problems:
            problems = self._save(step, replies[-1])
        return problems

    def _now(self) -> datetime:
        ahead = self.engine.ahead if self.engine else 0.0
        return datetime.now(timezone.utc) + timedelta(seconds=ahead)

    def _differences(
        self, step: Step, replies: list[dict[str, Any]], window: tuple[datetime, datetime]
    ) -> list[str]:
        found = []
        for number, reply in enumerate(replies, start=1):
            expected = with_times(fill(step.expect, {**self.values, "n": number}), *window)
            path = "reply" if len(replies) == 1 else f"reply {number}"
            found += differences(expected, reply, path)
        return found

    def _among(
        self, step: Step, replies: list[dict[str, Any]], window: tuple[datetime, datetime]
    ) -> list[str]:
        found = []
        for entry in step.definition.get("among", ()):
            pattern = with_times(fill(entry["match"], self.values), *window)
            matching = sum(not differences(pattern, reply) for reply in replies)
            found += differences(entry["count"], matching, f"replies that match {show(pattern)}")
        return found

    def _save(self, step: Step, reply: dict[str, Any]) -> list[str]:
        for name, path in step.definition.get("save", {}).items():
            try:
                self.values[name] = value_at(reply, path)
            except LookupError:
                return [f"the reply has no {path}"]
        return []

    async def _send(self, step: Step, number: int) -> dict[str, Any]:
        outgoing, command = self._outgoing(step, number)
        reply = (await self.client.send(outgoing)).value()
        seconds = reply["seconds"]
        self.cell.steps.append(StepRecord(step.id, command, {"result": _shown(reply)}, seconds))
        return reply

    def _outgoing(self, step: Step, number: int, **query: str) -> tuple[Outgoing, dict[str, Any]]:
        definition = fill(
            {key: value for key, value in step.definition.items() if key not in _REPLY_KEYS},
            {**self.values, "n": number},
        )
        key = definition.get("key", self.values["api_key"])
        headers = {} if key is None else {KEY_HEADER: key}
        outgoing = Outgoing(
            method=definition.get("method", "GET"),
            path=(definition.get("send") or definition["list"]).removeprefix(
                self.values["base_url"]
            ),
            query={**definition.get("query", {}), **query},
            headers={**headers, **definition.get("headers", {})},
            json=definition.get("json"),
            text=definition.get("text"),
            data=definition.get("bytes"),
            chunked=definition.get("chunked", False),
            raw=definition.get("raw"),
            closes=step.expect.get("closed"),
        )
        if "signed" in definition:
            outgoing.headers = {
                **self._signature(outgoing, definition["signed"]),
                **outgoing.headers,
            }
        shown = {"method": outgoing.method, "path": outgoing.path, "query": dict(outgoing.query)}
        size = len(outgoing.body() or b"")
        body = outgoing.json if size <= LARGE_BODY else f"{size} bytes"
        return outgoing, {"command": "send", **shown, "json": body}

    def _signature(self, outgoing: Outgoing, definition: Mapping[str, Any]) -> dict[str, str]:
        """Return the headers that sign a request as a webhook, which was sent some seconds from now."""
        timestamp = int(self._now().timestamp()) + definition.get("seconds", 0)
        webhook_id = definition.get("id", "msg")
        return signed_headers(definition["secret"], webhook_id, timestamp, outgoing.body() or b"")

    async def _all_pages(self, step: Step) -> dict[str, Any]:
        entries: list[Any] = []
        cursors: list[str] = []
        while True:
            query = {"cursor": cursors[-1]} if cursors else {}
            outgoing, command = self._outgoing(step, 1, **query)
            reply = (await self.client.send(outgoing)).value()
            self.cell.steps.append(
                StepRecord(step.id, command, {"result": _shown(reply)}, reply["seconds"])
            )
            page, path = reply, step.definition["entries"]
            if reply["status"] != HTTPStatus.OK:
                return {"status": reply["status"]}
            try:
                entries += value_at(page, path)
                holder = value_at(page, path.rpartition(".")[0])
            except (LookupError, TypeError):
                raise BrokenList(f"no list at {path}: {show(reply)}") from None
            if "next_cursor" not in holder:
                return {"status": reply["status"], "entries": entries, "pages": len(cursors) + 1}
            cursor = holder["next_cursor"]
            if not isinstance(cursor, str) or not cursor:
                number = len(cursors) + 1
                raise BrokenList(f"the next_cursor of page {number} is {show(cursor)}, and no text")
            if cursor in cursors or len(cursors) >= MOST_PAGES:
                raise BrokenList("the pages of the list never end")
            cursors.append(cursor)


def _shown(reply: dict[str, Any]) -> dict[str, Any]:
    """Return a reply for the list of steps; its body also stands in the exchange."""
    length = int(reply["headers"].get("content-length", 0))
    return reply if length <= LARGE_BODY else {**reply, "body": f"{length} bytes"}


def value_at(value: Any, path: str) -> Any:
    """Return the value to which a path with dots leads; a number enters a list.

    Raises:
        LookupError: It leads nowhere.

    Example:
        >>> value_at({"body": {"items": [{"id": "a"}]}}, "body.items.0.id")
        'a'
    """
    for part in path.split("."):
        if isinstance(value, list) and part.isdecimal():
            value = value[int(part)]
        elif isinstance(value, dict):
            value = value[part]
        else:
            raise LookupError(path)
    return value


def _relations(step: Step, replies: list[Mapping[str, Any]] | list[dict[str, Any]]) -> list[str]:
    """Return how the values of several replies differ from what `same` and `distinct` say."""
    problems = []
    for relation in ("same", "distinct"):
        path = step.definition.get(relation)
        if path is None:
            continue
        try:
            written = [show(value_at(reply, path)) for reply in replies]
        except LookupError:
            problems.append(f"a reply has no {path}")
            continue
        expected = 1 if relation == "same" else len(written)
        if len(set(written)) != expected:
            problems.append(f"{path}: expected the {relation} value in all replies, got {written}")
    return problems
