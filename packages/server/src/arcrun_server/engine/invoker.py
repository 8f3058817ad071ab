"""Invoking a component: finding it, passing it the secrets that its node names, redacting its result."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from .attempts import in_time
from .builtin_components import BUILTINS
from .environment import ComponentError, Invocation
from .failures import InvocationFailure
from .filling import fill_data
from .redaction import Redactor
from .shorten import redacting
from .sizes import rough_size

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from .environment import Component, Environment, Step, StepResult
    from .model import JsonObject
    from .plan import PlannedNode
    from .scope import Scope
    from .sizes import KnownSizes


# From here on redacting may take long.
_LARGE = 64 * 1024


class Invoker:
    """Invokes the components of one run.

    Args:
        environment: Where components and secrets come from.
        started: When the run started.
        deadline: When its time is over, on the clock of `time.monotonic`.
        sizes: What the run knows of the sizes of its values.
    """

    def __init__(
        self, environment: Environment, started: datetime, deadline: float, sizes: KnownSizes
    ) -> None:
        self._environment = environment
        self._started = started
        self._deadline = deadline
        self._sizes = sizes
        self._components: dict[str, Component] = {}

    async def step(
        self,
        node: PlannedNode,
        scope: Scope,
        context: JsonObject,
        own: JsonObject,
        context_bytes: int,
        *,
        workflow: str | None,
        step: Step,
    ) -> StepResult:
        """Invoke a node's component through the environment, which may know its result from an earlier execution.

        Args:
            node: The node.
            scope: As for `invoke`.
            context: As for `invoke`.
            own: As for `invoke`.
            context_bytes: As for `invoke`.
            workflow: As for `invoke`.
            step: Which attempt it is.

        Raises:
            InvocationFailure: There is no such component or credential, or the component failed.
        """

        async def invoke(repeat_key: str | None) -> Any:
            work = self.invoke(
                *(node, scope, context, own, context_bytes),
                workflow=workflow,
                place=step.place,
                repeat_key=repeat_key,
            )
            seconds = node.policy.timeout_seconds
            return await (work if seconds is None else in_time(seconds, work))

        return await self._environment.step(step, invoke)

    async def invoke(
        self,
        node: PlannedNode,
        scope: Scope,
        context: JsonObject,
        own: JsonObject,
        context_bytes: int,
        *,
        workflow: str | None,
        place: Callable[[], str],
        repeat_key: str | None,
    ) -> Any:
        """Invoke a node's component.

        Args:
            node: The node.
            scope: What its templates can see.
            context: What the component is given besides the node's data.
            own: The node's data, filled, with credentials left as they are written.
            context_bytes: How large the context is at most.
            workflow: The name of the workflow that is run.
            place: As for `Step`; passed on to the component.
            repeat_key: Passed on to the component.

        Returns:
            The component's result. If the node names credentials, their values are redacted in it, so
            that they never leave the node.

        Raises:
            InvocationFailure: There is no such component or credential, or the component failed.
        """
        component = await self._resolve(node.component or "")
        redactor = None
        if node.credentials:
            secrets = await self._secrets(node.credentials)
            redactor = Redactor(secrets.values())
            scope = scope.with_secrets(secrets)
            own = await fill_data(node, scope, context_bytes)
        invocation = Invocation(
            node_id=node.id,
            started=self._started,
            deadline=self._deadline,
            look_up=scope.find_text,
            workflow=workflow,
            own=own,
            written=node.written,
            credentials=node.credentials,
            fill=scope.fill_text,
            place=place,
            repeat_key=repeat_key,
            measure=self._sizes.rough,
        )
        try:
            with redacting(redactor):
                result = await component({**context, **own} if own else context, invocation)
        except Exception as problem:  # noqa: BLE001 - whatever a component raises fails its node
            reason = _describe(problem)
            reason = redactor.text(reason) if redactor else reason
            if not isinstance(problem, ComponentError):
                raise InvocationFailure(reason) from None
            record = redactor.value(problem.record) if redactor else problem.record
            raise InvocationFailure(
                reason, record, kind=problem.kind, retry_after=problem.retry_after
            ) from None
        if redactor is None:
            return result
        try:
            if rough_size(result, _LARGE) <= _LARGE:
                return redactor.value(result)
            return await asyncio.to_thread(redactor.value, result)
        except RecursionError:
            raise InvocationFailure("its result is nested too deeply") from None

    async def _resolve(self, component_id: str) -> Component:
        component = self._components.get(component_id)
        if component is None:
            component = _builtin(component_id) or await self._environment.resolve(component_id)
        if component is None:
            raise InvocationFailure(
                f"there is no component '{component_id}'; use one of the engine, a URL, or the name of a recipe"
            )
        self._components[component_id] = component
        return component

    async def _secrets(self, names: frozenset[str]) -> dict[str, str]:
        secrets = {}
        for name in sorted(names):
            secret = await self._environment.secret(name)
            if secret is None:
                raise InvocationFailure(
                    f"there is no credential '{name}'; push it under this name first"
                )
            secrets[name] = secret
        return secrets


def _builtin(component_id: str) -> Component | None:
    builtin = BUILTINS.get(component_id)
    if builtin is None:
        return None

    async def component(given: JsonObject, _invocation: Invocation) -> Any:
        return builtin(given)

    return component


def _describe(problem: Exception) -> str:
    text = str(problem).strip()
    if isinstance(problem, ComponentError) and text:
        return text
    return f"{type(problem).__name__}: {text}" if text else type(problem).__name__
