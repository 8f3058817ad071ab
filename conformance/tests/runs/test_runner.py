"""The runner with in-memory adapters: what passes, and which check catches each defect."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from mini_engine import KEY, MiniEngine
from mini_sdk import MiniSdk
from push_scenario import PUSH

from arcrun_conformance.adapters.adapter import InMemoryConnection
from arcrun_conformance.adapters.protocol import AdapterFailure
from arcrun_conformance.report import describe, failed
from arcrun_conformance.runs.runner import Opener, RunConfig, execute

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from arcrun_conformance.runs.results import Cell, Run
    from arcrun_conformance.scenarios.scenario import Scenario


class Connection(InMemoryConnection):
    """An in-memory adapter with the stderr of the mini SDK."""

    def __init__(self, sdk: MiniSdk) -> None:
        super().__init__(sdk)
        self._sdk = sdk

    async def take_stderr(self) -> str:
        taken, self._sdk.stderr = self._sdk.stderr, ""
        return taken


async def run(
    engine: MiniEngine, scenarios: Sequence[Scenario], defect: str = "", **options
) -> Run:
    async def opener() -> Connection:
        return Connection(MiniSdk(defect))

    return await execute(RunConfig(engine.target, scenarios, {"mini": opener}, **options))


async def test_a_correct_sdk_passes_and_everything_is_removed(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    done = await run(engine, [scenario_of(PUSH)])

    (cell,) = done.cells
    assert cell.outcome == "passed", [check for check in cell.checks if not check.passed]
    assert [check.id for check in cell.checks] == [
        "pushed",
        "sealed",
        "no-other-requests",
        "well-formed-http",
        "names-carry-the-run",
        "secret-api_key",
        "secret-token",
    ]
    assert not failed(describe(done))
    assert done.leftovers.created == 1
    assert done.leftovers.left == []
    assert engine.credentials == {}


@pytest.mark.parametrize(
    ("defect", "caught_by"),
    [
        ("wrong-result", "pushed"),
        ("plain-value", "secret-token"),
        ("leaks-secret-header", "secret-token"),
        ("leaks-secret-stderr", "secret-token"),
        ("leaks-key", "secret-api_key"),
        ("extra-request", "no-other-requests"),
        ("invalid-json", "adapter-invalid-json"),
        ("mismatched-id", "adapter-mismatched-id"),
    ],
)
async def test_each_defect_of_an_sdk_is_caught_by_a_named_check(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario], defect: str, caught_by: str
) -> None:
    done = await run(engine, [scenario_of(PUSH)], defect)

    (cell,) = done.cells
    failing = [check.id for check in cell.checks if check.outcome == "failed"]
    assert caught_by in failing
    assert cell.outcome == ("error" if caught_by.startswith("adapter-") else "failed")
    assert failed(describe(done))
    assert engine.credentials == {}, "what was created is removed after a failure as well"


async def test_steps_after_a_failed_one_are_not_reached(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    text = PUSH.replace(
        "wire:",
        "  - {id: healthy, call: health, expect: {result: {ok: true}}}\nwire:",
    )
    done = await run(engine, [scenario_of(text)], "wrong-result")

    outcomes = {check.id: check.outcome for check in done.cells[0].checks}
    assert outcomes["pushed"] == "failed"
    assert outcomes["healthy"] == "not-reached"


async def test_a_scenario_is_skipped_if_the_engine_lacks_a_capability(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    engine.capabilities = []
    done = await run(engine, [scenario_of(PUSH)])

    assert done.cells[0].outcome == "skipped"
    assert done.cells[0].reason == "the engine lacks sealed_credentials"


async def test_a_scenario_is_skipped_if_the_adapter_lacks_a_capability(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    done = await run(engine, [scenario_of(PUSH)], "incapable")

    assert done.cells[0].outcome == "skipped"
    assert done.cells[0].reason == "the adapter lacks creds.push"


async def test_an_expected_sdk_error_is_distinguished_from_a_result(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    done = await run(engine, [scenario_of(WRONG_KEY), scenario_of(EXPECTS_ERROR)])

    wrong_key, expects_error = done.cells
    assert wrong_key.outcome == "passed"
    assert expects_error.outcome == "failed"
    assert 'expected the SDK error "not_found", got the result' in expects_error.checks[0].message


WRONG_KEY = """\
id: a-wrong-key
title: a wrong key
spec: [docs/contract.md#routes]
secrets: {wrong: {value: ak_wrong_wrong_wrong, may_appear: [key-header]}}
client: {options: {api_key: "${secret.wrong}"}}
steps:
  - id: refused
    call: creds.delete
    with: {name: "${run}_x"}
    expect: {error: {name: authentication, status: 401}}
wire:
  - {id: asked, where: {method: DELETE}, count: 1}
"""

EXPECTS_ERROR = """\
id: b-expects-error
title: an error that does not come
spec: [docs/contract.md#routes]
steps:
  - {id: missing, call: health, expect: {error: {name: not_found}}}
wire:
  - {id: asked, where: {path: /health}, count: 1}
"""


class ShortTimeout(InMemoryConnection):
    """Waits for 0.05 s only, whatever the configuration says."""

    async def exchange(self, line: str, seconds: float) -> str:
        return await super().exchange(line, 0.05)


async def test_an_adapter_that_hangs_times_out_and_the_next_scenario_gets_a_new_one(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    opened: list[InMemoryConnection] = []

    async def opener() -> InMemoryConnection:
        sdk = MiniSdk()
        hangs = not opened

        async def handle(line: str) -> str:
            if hangs and json.loads(line)["command"] == "call":
                await asyncio.Event().wait()
            return await sdk(line)

        opened.append(ShortTimeout(handle) if hangs else InMemoryConnection(handle))
        return opened[-1]

    second = PUSH.replace("id: push\n", "id: push-again\n")
    config = RunConfig(
        engine.target,
        [scenario_of(PUSH), scenario_of(second)],
        {"mini": opener},
    )
    first, again = (await execute(config)).cells

    assert first.outcome == "error"
    assert first.checks[0].id == "adapter-timeout"
    assert again.outcome == "passed"
    assert [connection.closed for connection in opened] == [True, True]


def two_scenarios(scenario_of: Callable[[str], Scenario]) -> list[Scenario]:
    return [scenario_of(PUSH), scenario_of(PUSH.replace("id: push\n", "id: push-again\n"))]


async def test_nothing_of_a_scenario_is_left_for_the_next_one(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    sdk = MiniSdk()
    commands: list[str] = []

    async def opener() -> InMemoryConnection:
        async def handle(line: str) -> str:
            commands.append(json.loads(line)["command"])
            return await sdk(line)

        return InMemoryConnection(handle)

    done = await execute(RunConfig(engine.target, two_scenarios(scenario_of), {"mini": opener}))

    assert [cell.outcome for cell in done.cells] == ["passed", "passed"]
    of_one = ["construct", "call"]
    assert commands == ["start", *of_one, "reset", *of_one, "stop"]


async def test_an_adapter_that_can_not_be_reset_is_started_again(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    opened: list[InMemoryConnection] = []

    async def opener() -> InMemoryConnection:
        sdk = MiniSdk()

        async def handle(line: str) -> str:
            message = json.loads(line)
            if message["command"] == "reset":
                return json.dumps({"id": message["id"], "failure": {"message": "not known"}})
            return await sdk(line)

        opened.append(InMemoryConnection(handle))
        return opened[-1]

    done = await execute(RunConfig(engine.target, two_scenarios(scenario_of), {"mini": opener}))

    assert [cell.outcome for cell in done.cells] == ["passed", "passed"]
    assert [connection.closed for connection in opened] == [True, True]


async def test_an_adapter_that_crashes_when_it_is_reset_fails_the_scenario(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    async def opener() -> InMemoryConnection:
        sdk = MiniSdk()

        async def handle(line: str) -> str:
            if json.loads(line)["command"] == "reset":
                raise AdapterFailure("crash", "the adapter exited")
            return await sdk(line)

        return InMemoryConnection(handle)

    first, again = (
        await execute(RunConfig(engine.target, two_scenarios(scenario_of), {"mini": opener}))
    ).cells

    assert first.outcome == "passed"
    assert (again.outcome, [check.id for check in again.checks]) == ("error", ["adapter-crash"])


async def test_an_engine_that_does_not_delete_fails_the_run(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    class Keeping(dict):
        def pop(self, name: str, default: object = None) -> object:
            return self.get(name, default)

    engine.credentials = Keeping()
    done = await run(engine, [scenario_of(PUSH)])

    assert done.cells[0].outcome == "passed"
    assert done.leftovers.left == [f"credential {done.id}_0001_token"]
    assert failed(describe(done))


async def test_interrupting_a_run_removes_what_it_created(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    pushed = asyncio.Event()
    sdk = MiniSdk()

    async def handle(line: str) -> str:
        reply = await sdk(line)
        if json.loads(line)["command"] == "call":
            pushed.set()
            await asyncio.Event().wait()
        return reply

    async def opener() -> InMemoryConnection:
        return InMemoryConnection(handle)

    task = asyncio.ensure_future(
        execute(RunConfig(engine.target, [scenario_of(PUSH)], {"m": opener}))
    )
    await pushed.wait()
    assert len(engine.credentials) == 1
    task.cancel()  # what asyncio.run does on Ctrl-C
    done = await task

    assert done.interrupted
    assert failed(describe(done))
    assert engine.credentials == {}
    assert done.leftovers.created == 1


async def test_names_without_the_run_id_are_reported_and_never_deleted(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    text = PUSH.replace('"${run}_token"', "PRECIOUS")
    done = await run(engine, [scenario_of(text)])

    failing = [check.id for check in done.cells[0].checks if check.outcome == "failed"]
    assert failing == ["names-carry-the-run"]
    assert list(engine.credentials) == ["PRECIOUS"]
    assert done.leftovers.problems == [
        "credential PRECIOUS has no run id in its name, so it was not removed"
    ]


async def test_jobs_run_cells_at_the_same_time_and_report_them_in_order(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    scenarios = [scenario_of(PUSH.replace("id: push\n", f"id: push-{n}\n")) for n in range(6)]
    done = await run(engine, scenarios, jobs=3)

    assert [cell.scenario for cell in done.cells] == [scenario.id for scenario in scenarios]
    assert {cell.outcome for cell in done.cells} == {"passed"}
    assert engine.credentials == {}


async def test_workers_take_columns_of_their_own_and_share_the_last(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    scenarios = [scenario_of(PUSH.replace("id: push\n", f"id: push-{n}\n")) for n in range(6)]
    opened: list[str] = []

    def opener_of(sdk: str) -> Opener:
        async def opener() -> Connection:
            opened.append(sdk)
            return Connection(MiniSdk())

        return opener

    openers = {sdk: opener_of(sdk) for sdk in ("a", "b", "c")}
    done = await execute(RunConfig(engine.target, scenarios, openers, jobs=2))

    assert [(cell.scenario, cell.sdk) for cell in done.cells] == [
        (scenario.id, sdk) for scenario in scenarios for sdk in openers
    ]
    assert {cell.outcome for cell in done.cells} == {"passed"}
    assert sorted(opened[:3]) == ["a", "b", "c"]
    assert len(opened) <= 4, "only at the last column there may be two workers"


async def test_columns_begin_with_different_scenarios(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    scenarios = [scenario_of(PUSH.replace("id: push\n", f"id: push-{n}\n")) for n in range(4)]
    finished: dict[str, list[str]] = {"a": [], "b": []}

    async def opener() -> Connection:
        return Connection(MiniSdk())

    def on_cell(cell: Cell) -> None:
        finished[cell.sdk].append(cell.scenario)

    await execute(
        RunConfig(engine.target, scenarios, dict.fromkeys(finished, opener), on_cell=on_cell)
    )
    assert finished == {
        "a": ["push-0", "push-1", "push-2", "push-3"],
        "b": ["push-2", "push-3", "push-0", "push-1"],
    }


def test_the_repr_of_a_target_does_not_contain_the_key(engine_target: object) -> None:
    assert KEY not in repr(engine_target)


@pytest.fixture
async def engine_target(engine: MiniEngine) -> object:
    return engine.target


REPEATED = """\
id: repeated
title: pushes several
spec: [docs/contract.md#routes]
steps:
  - id: pushed
    call: creds.push
    with: {name: "${run}_${n}", value: "value ${n}"}
    repeat: 3
    expect: {result: {name: "${run}_${n}"}}
wire:
  - {id: each-sealed, where: {path: /credentials}, count: 3, distinct: body.name}
"""


async def test_a_repeated_step_is_carried_out_with_each_number(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    done = await run(engine, [scenario_of(REPEATED)])
    (cell,) = done.cells
    assert cell.outcome == "passed", [check for check in cell.checks if not check.passed]
    names = [step.command["arguments"]["name"] for step in cell.steps if step.id == "pushed"]
    assert [name.rsplit("_", 1)[1] for name in names] == ["1", "2", "3"]
    assert done.leftovers.created == 3


async def test_a_repeated_step_ends_with_the_first_that_differs(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    done = await run(engine, [scenario_of(REPEATED)], "wrong-result")
    (cell,) = done.cells
    assert [step.id for step in cell.steps].count("pushed") == 1
    assert [check.id for check in cell.checks if check.outcome == "failed"] == [
        "pushed",
        "each-sealed",
    ]


SENT = """\
id: sent
title: sends by itself
spec: [docs/contract.md#routes]
variables:
  path: /credentials
steps:
  - id: stored
    send: "${path}"
    method: POST
    json: {name: "${run}_sent"}
    expect: {status: 201, headers: {content-type: {$regex: json}}, body: {name: "${run}_sent"}}
  - id: missing
    send: "/credentials/${run}_another"
    method: DELETE
    query: {a: "1"}
    expect: {status: 404, body: {code: credential_not_found}}
wire:
  - {id: with-the-key, where: {path: {$regex: "^/credentials"}}, count: 2, request: {headers: {x-arcrun-api-key: "${api_key}"}}}
"""


async def test_the_runner_sends_what_no_sdk_has_a_method_for(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    done = await run(engine, [scenario_of(SENT)])
    (cell,) = done.cells
    assert cell.outcome == "passed", [check for check in cell.checks if not check.passed]
    assert [step.command["command"] for step in cell.steps] == ["construct", "send", "send"]
    assert cell.exchanges[1].request.query == {"a": "1"}
    assert done.leftovers.created == 1
    assert engine.credentials == {}


async def test_a_response_to_the_runner_that_differs_fails_its_step(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    done = await run(engine, [scenario_of(SENT.replace("status: 201", "status: 200"))])
    (failing,) = [check for check in done.cells[0].checks if check.id == "stored"]
    assert failing.message == "result.status: expected 200, got 201"
