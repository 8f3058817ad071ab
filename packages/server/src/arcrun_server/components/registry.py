"""The components of an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.engine.check import is_url
from arcrun_server.llm.scripted import ScriptedProvider
from arcrun_server.slots import Queues
from arcrun_server.workers import WorkerPool

from . import (
    array_ops,
    auth_oauth2,
    auth_service_account,
    auth_static_key,
    claude_api,
    code,
    cron,
    date_ops,
    foreach_control,
    http_request,
    if_control,
    merge,
    number_ops,
    string_ops,
    switch,
    try_catch,
    url_component,
    validate_json,
    wait,
)
from . import filter as filter_component
from . import hash as hash_component
from . import set as set_component
from .contract import check_names, parameters_of
from .off_loop import off_loop

if TYPE_CHECKING:
    from arcrun_server.engine import Component, Invocation, JsonObject
    from arcrun_server.llm.provider import Models, Provider
    from arcrun_server.outbound import Outbound

    from .contract import ComponentContract

_LOGIC = (
    array_ops,
    date_ops,
    filter_component,
    foreach_control,
    hash_component,
    if_control,
    merge,
    number_ops,
    set_component,
    switch,
    try_catch,
)
# What fills these containers depends on the account, so that a run finds them and not the registry.
_BY_ACCOUNT = (auth_oauth2, auth_service_account, auth_static_key, claude_api)

_PURE = frozenset(
    module.CONTRACT["canonical_id"] for module in (*_LOGIC, string_ops, validate_json)
)


class Registry:
    """The components of an engine, by id; URLs are components too.

    Args:
        outbound: The components' HTTP client. Closing it is left to the caller.
        workers: Do what may take long; closing them is left to the caller. By default they are the
            registry's own, and end with this process.
        sandboxes: Run the code of workflows, and nothing else; as `workers`.
        provider: Calls language models; by default none is configured.
        models: Their ids and prices.

    Attributes:
        code_queues: How many nodes of an account run code at once.
        model: The container of `claude_api`; what fills it depends on the account, so it is no component here.
        check_schema: Returns where a value does not fit a JSON Schema.

    Example:
        >>> from arcrun_server.outbound import Outbound
        >>> registry = Registry(Outbound())
        >>> registry.contract("switch")["display_name"]
        '多路分支 Switch'
        >>> registry.get("https://example.com/翻譯") is None, registry.get("swich") is None
        (False, True)
    """

    def __init__(
        self,
        outbound: Outbound,
        workers: WorkerPool | None = None,
        sandboxes: WorkerPool | None = None,
        provider: Provider | None = None,
        models: Models | None = None,
    ) -> None:
        self.outbound = outbound
        workers = workers or WorkerPool()
        self.code_queues = Queues(1)
        self.model = claude_api.Model(provider or ScriptedProvider([]), models)
        self.check_schema = validate_json.schema_check(workers)
        components: dict[str, Component] = {
            module.CONTRACT["canonical_id"]: off_loop(module.run, parameters_of(module.CONTRACT))
            for module in _LOGIC
        }
        components["wait"] = wait.run  # it waits on the loop
        components["cron"] = cron.component(None)  # a run has the schedules of its account
        components["validate_json"] = validate_json.component(workers)
        components["string_ops"] = string_ops.component(workers)
        components["code"] = code.component(sandboxes or WorkerPool())
        components["http_request"] = http_request.component(outbound)
        self._contracts: dict[str, ComponentContract] = {
            module.CONTRACT["canonical_id"]: module.CONTRACT
            for module in (
                *_LOGIC,
                *_BY_ACCOUNT,
                code,
                cron,
                http_request,
                string_ops,
                validate_json,
                wait,
            )
        }
        self._components = {
            name: with_checked_names(component, self._contracts[name])
            for name, component in components.items()
        }

    @property
    def pure(self) -> frozenset[str]:
        """Return the ids of those that reach nothing outside of the run: given the same, they return the same."""
        return _PURE

    @property
    def ids(self) -> frozenset[str]:
        """Return the ids of the catalog's components."""
        return frozenset(self._contracts)

    def get(self, component_id: str) -> Component | None:
        """Return the component of a catalog id or an http(s) URL, or None."""
        if is_url(component_id):
            return url_component.component(component_id, self.outbound)
        return self._components.get(component_id)

    def contract(self, component_id: str) -> ComponentContract | None:
        """Return one component's contract, or None if there is no such component."""
        return self._contracts.get(component_id)

    def contracts(self) -> list[ComponentContract]:
        """Return all contracts, sorted by id."""
        return [self._contracts[component_id] for component_id in sorted(self._contracts)]


def with_checked_names(component: Component, contract: ComponentContract) -> Component:
    """Return a component that refuses misspelled parameters; those of if_control are also what it compares."""
    if contract is if_control.CONTRACT:
        return component

    async def run(given: JsonObject, invocation: Invocation) -> Any:
        check_names(contract, invocation.own)
        return await component(given, invocation)

    return run
