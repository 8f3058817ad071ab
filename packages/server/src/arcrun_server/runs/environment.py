"""What a run can use: its own account's secrets, recipes and workflows, and no others."""

from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from arcrun_server import clock
from arcrun_server.components import claude_api, code, cron
from arcrun_server.components.registry import with_checked_names
from arcrun_server.engine import InvocationFailure, RunLimits, StepResult, delivered_result
from arcrun_server.errors import StorageUnavailableError
from arcrun_server.kbdb import components as kbdb
from arcrun_server.kbdb.base import WorkflowBlocks
from arcrun_server.kbdb.contracts import CONTRACTS
from arcrun_server.recipes.api.record import hash_id
from arcrun_server.recipes.auth.primitive_component import PREFIX, PRIMITIVES
from arcrun_server.recipes.prompt.output import OUTPUT
from arcrun_server.recipes.prompt_component import delivered_answer, prompt_component
from arcrun_server.recipes.prompts import Prompts
from arcrun_server.recipes.recorded_prompt import recorded_answer
from arcrun_server.runs.account_schedules import AccountSchedules
from arcrun_server.runs.run_ids import new_run_id
from arcrun_server.runs.usage import ModelUsage, counted
from arcrun_server.sealing.envelope import EnvelopeError, open_envelope
from arcrun_server.telemetry.tracing import Tracing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from typing import Any

    from arcrun_server.components.registry import Registry
    from arcrun_server.engine import (
        Component,
        Graph,
        Invocation,
        Invoke,
        RunResult,
        Step,
        TraceEntry,
    )
    from arcrun_server.recipes.prompts import PromptStore
    from arcrun_server.recipes.recorded_prompt import RecordedPrompt
    from arcrun_server.recipes.resolver import RecipeResolver
    from arcrun_server.store import Store
    from arcrun_server.store.credentials import StoredCredential

# The shipped API recipes that are not sent anywhere: this engine has the knowledge base that they are about.
_EMBEDDED = {alias: name for name in CONTRACTS for alias in (name, hash_id(name))}


@dataclass
class AccountEnvironment:
    """The engine's `Environment` for one run of one account.

    Args:
        account: Whose run it is.
        store: Where the account's credentials, recipes and workflows are.
        registry: The components of this engine.
        recipes: Finds the components that are recipes.
        limits: How much the run may use.
        run: The run's id; without one, its components can't be called back.
        used: Names of the credentials that the run has opened.
        usage: What it used of language models.
        tracing: Where the spans of its components go.
    """

    account: str
    store: Store
    registry: Registry
    recipes: RecipeResolver
    limits: RunLimits = field(default_factory=RunLimits)
    run: str = ""
    used: set[str] = field(default_factory=set)
    usage: ModelUsage = field(default_factory=ModelUsage)
    tracing: Tracing = field(default_factory=Tracing)

    def now(self) -> datetime:
        """Return the current time, in UTC."""
        return clock.utc()

    async def resolve(self, component_id: str) -> Component | None:
        """Find a component: of the catalog, a URL, or a recipe (docs/contract.md#execution).

        Raises:
            InvocationFailure: The store can't be read.
        """
        found = (
            self._of_catalog(component_id)
            or self._of_knowledge_base(component_id)
            or self._of_prompts(component_id)
            or self._of_primitives(component_id)
        )
        with _store_can_be_read(f"component {component_id!r}"):
            component = found or await self.recipes.component(
                self.account, component_id, self.secret
            )
        return component and self.tracing.component(component, component_id)

    async def step(self, step: Step, invoke: Invoke) -> StepResult:
        """Invoke a component; the results of a run that is waited for are not recorded."""
        del step
        return StepResult(await invoke(None))

    async def pause(self, step: Step, seconds: float) -> None:
        """Wait before an attempt; it counts as the run's time."""
        del step
        await asyncio.sleep(seconds)

    def _of_catalog(self, component_id: str) -> Component | None:
        component = self.registry.get(component_id)
        if component is not None and component_id == code.CONTRACT["canonical_id"]:
            return code.in_turn(component, self.registry.code_queues, self.account)
        if component is not None and component_id == cron.CONTRACT["canonical_id"] and self.run:
            schedules = AccountSchedules(self.store.schedules, self.account)
            return with_checked_names(cron.component(schedules), cron.CONTRACT)
        return component

    def _of_knowledge_base(self, component_id: str) -> Component | None:
        blocks = WorkflowBlocks(self.store.blocks, self.account)
        return kbdb.component(_EMBEDDED.get(component_id, ""), blocks)

    def _of_prompts(self, component_id: str) -> Component | None:
        if component_id != claude_api.CONTRACT["canonical_id"]:
            return None
        component = prompt_component(
            *(self._prompts(), self.registry.model, self.registry.check_schema),
            secret=self.secret,
            callback_token=self._callback_token,
            record=self._record_prompt,
        )
        return with_checked_names(counted(component, self.usage), claude_api.CONTRACT)

    def _callback_token(self, invocation: Invocation) -> str | None:
        return self.store.run_tokens.write(self.run, invocation.place()) if self.run else None

    async def delivered(self, component_id: str, place: str, pending: Any, data: Any) -> Any:
        """Return the result of a node that has waited: a model's answer is read as one that came at once."""
        if component_id != claude_api.CONTRACT["canonical_id"]:
            return delivered_result(data)
        check = self.registry.check_schema
        result = await delivered_answer(self._prompts(), check, pending, data)
        answer = await recorded_answer(result[OUTPUT]) if OUTPUT in result else None
        if answer is not None:
            self.store.recorded_prompts.answered(self.run, place, answer)
        return result

    def _record_prompt(self, place: str, prompt: RecordedPrompt) -> None:
        run = self.run or new_run_id()
        self.store.recorded_prompts.record(self.account, run, place, prompt)

    def _prompts(self) -> Prompts:
        store, check = self.store, self.registry.check_schema
        blocks = WorkflowBlocks(store.blocks, self.account)
        return Prompts(self.account, self._prompt_recipes(), store.prompt_texts, blocks, check)

    def _prompt_recipes(self) -> PromptStore:
        return self.store.prompt_recipes

    def _of_primitives(self, component_id: str) -> Component | None:
        primitive = component_id.removeprefix(PREFIX)
        contract = self.registry.contract(component_id)
        if contract is None or primitive not in PRIMITIVES or primitive == component_id:
            return None
        component = self.recipes.primitive(self.account, primitive, self.secret)
        return with_checked_names(component, contract)

    async def secret(self, name: str) -> str | None:
        """Return a credential's plaintext, or None if the account has none of this name.

        Raises:
            InvocationFailure: It was sealed under a key that this account no longer has, or the store can't be read.
        """
        with _store_can_be_read(f"credential {name!r}"):
            found = await self.store.credentials.get(self.account, name)
            if found is None:
                return None
            value = await self._open(found)
        self.used.add(name)
        return value

    async def workflow(self, name: str) -> Graph | None:
        """Find another workflow of the account.

        Raises:
            InvocationFailure: The store can't be read.
        """
        with _store_can_be_read(f"workflow {name!r}"):
            text = await self.store.workflows.graph_text(self.account, name)
        return None if text is None else json.loads(text)

    def sub_run_ended(self, name: str, started: datetime | None, result: RunResult) -> None:
        """Record the run of another workflow among its own executions."""
        started_ms = int((started or self.now()).timestamp() * 1000)
        self.store.executions.record(self.account, name, started_ms, result)

    def traced(self, trace: Sequence[TraceEntry]) -> None:
        """Do nothing: who waits for a run gets its trace at the end."""

    async def _open(self, found: StoredCredential) -> str:
        value = await self._value(found)
        if value is None:
            # The account's key may have been replaced since it was read: then it is sealed under the new one.
            again = await self.store.credentials.get(self.account, found.name)
            value = None if again is None else await self._value(again)
        if value is not None:
            return value
        raise InvocationFailure(
            f"credential {found.name!r} was sealed under another key or is damaged; push it again"
        )

    async def _value(self, found: StoredCredential) -> str | None:
        if found.encrypted is None or found.iv is None:
            return self.store.credentials.plain_value(self.account, found)
        for api_key in await self.store.accounts.keys_of(self.account):
            value = _opened(api_key, found.name, found.encrypted, found.iv)
            if value is not None:
                return value
        return None


class UnreadableFailure(InvocationFailure):
    """The store could not be read, so that the component was not invoked."""


@contextmanager
def _store_can_be_read(what: str) -> Iterator[None]:
    """Fail the node, not the request: other nodes of the run may have done their work already."""
    try:
        yield
    except StorageUnavailableError as error:
        raise UnreadableFailure(f"{what} can't be read now: {error.reason}") from None


def _opened(api_key: str, name: str, encrypted: str, iv: str) -> str | None:
    try:
        return open_envelope(api_key, name, encrypted, iv)
    except EnvelopeError:
        return None
