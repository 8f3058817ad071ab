"""An Arazzo document from the scenarios of the engine suite, and why the others are not in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from arcrun_conformance._version import __version__
from arcrun_conformance.runs.values import scenario_values
from arcrun_conformance.scenarios.template import fill

from .criteria import criteria
from .expressions import embedded, of_reply, written
from .inexpressible import Inexpressible
from .operations import Operations

if TYPE_CHECKING:
    from arcrun_conformance.scenarios.scenario import Scenario, Step

VERSION = "1.0.1"
SOURCE = "arcrun"
KEY_HEADER = "X-Arcrun-API-Key"
KEYS = {
    "api_key": "The key of an account",
    "second_api_key": "The key of another account",
    "fresh_api_key": "The key of an account that has nothing",
    "revoked_api_key": "A key that was revoked",
    "unknown_api_key": "A well-formed key that the engine never made",
    "near_api_key": "The key of the account with another last digit",
    "capital_api_key": "The key of the account with its digits in capitals",
}
# What a document of more than this would be for, nobody can read.
_LARGEST_STEP = 20_000
_ONLY_THE_RUNNER = "it needs the stand-in, or an address, which only the runner has"
_OF_STEPS = {
    "list": "it reads all pages of a list",
    "advance": "it needs an engine of its own",
    "repeat": "it sends a request several times",
    "text": "it sends a body that is no JSON value",
    "bytes": "it sends a body that is no JSON value",
    "chunked": "it sends a body that is no JSON value",
    "signed": "it signs what it sends",
    "raw": "it sends bytes that are no HTTP request",
}


@dataclass
class Export:
    """The result of an export.

    Attributes:
        document: The Arazzo document.
        left_out: The ids of the scenarios that it does not have, by the reason.
    """

    document: dict[str, Any]
    left_out: dict[str, list[str]] = field(default_factory=dict)

    @property
    def exported(self) -> int:
        """Return how many scenarios the document has."""
        return len(self.document["workflows"])


def export(scenarios: Sequence[Scenario], openapi: dict[str, Any], url: str, run: str) -> Export:
    """Write scenarios of the engine suite as an Arazzo document.

    Args:
        scenarios: The scenarios.
        openapi: The OpenAPI document of the routes that they send requests to.
        url: Where the Arazzo document finds it.
        run: The prefix of all names that the workflows create.
    """
    operations = Operations(openapi)
    result = Export(
        {
            "arazzo": VERSION,
            "info": {
                "title": "arcrun engine conformance",
                "summary": "Scenarios that an engine has to pass, as requests and criteria",
                "description": (
                    "Exported from the engine suite of arcrun-conformance. In a condition, `@` is the root of its "
                    "context. The names that workflows create belong to this export: make a new one for another run, "
                    f"and remove what is left by `arcrun-conformance sweep --run {run}`."
                ),
                "version": __version__,
            },
            "sourceDescriptions": [{"name": SOURCE, "type": "openapi", "url": url}],
            "workflows": [],
        }
    )
    for number, scenario in enumerate(scenarios, start=1):
        try:
            workflow = _workflow(scenario, operations, f"{run}_{number:04}")
        except Inexpressible as reason:
            result.left_out.setdefault(str(reason), []).append(scenario.id)
        else:
            result.document["workflows"].append(workflow)
    return result


def _workflow(scenario: Scenario, operations: Operations, run: str) -> dict[str, Any]:
    if scenario.engine is not None:
        raise Inexpressible("it needs an engine of its own")
    if scenario.standin or scenario.wire:
        raise Inexpressible(_ONLY_THE_RUNNER)
    if "$sealed" in scenario.source or "$opens" in scenario.source:
        raise Inexpressible("it seals or opens a credential")
    keys = [name for name in KEYS if name == "api_key" or scenario.uses(name)]
    values: dict[str, Any] = {"run": run, "run_in_capitals": run.upper()}
    values |= {name: embedded(f"$inputs.{name}") for name in keys}
    try:
        values |= scenario_values(scenario, values)
        steps = [_step(step, operations, values) for step in scenario.steps]
    except KeyError:  # a placeholder that only the runner fills
        raise Inexpressible(_ONLY_THE_RUNNER) from None
    workflow = {
        "workflowId": scenario.id,
        "summary": scenario.title,
        "description": f"Checks {', '.join(scenario.spec)}.",
        "inputs": _inputs(keys),
        "steps": steps,
    }
    return workflow | ({"x-arcrun-needs": list(scenario.needs)} if scenario.needs else {})


def _inputs(keys: Sequence[str]) -> dict[str, Any]:
    properties = {name: {"type": "string", "description": KEYS[name]} for name in keys}
    return {"type": "object", "required": list(keys), "properties": properties}


def _step(step: Step, operations: Operations, values: dict[str, Any]) -> dict[str, Any]:
    """Return a step; what it saves is added to the values, for the steps after it."""
    for part, reason in _OF_STEPS.items():
        if part in step.definition:
            raise Inexpressible(reason)
    definition = fill({k: v for k, v in step.definition.items() if k != "expect"}, values)
    method = definition.get("method", "GET")
    path, _, query = definition["send"].partition("?")
    if query:
        raise Inexpressible("it writes a query as it is sent")
    operation, in_path = operations.find(method, path)
    headers = _headers(definition, values["api_key"])
    result: dict[str, Any] = {"stepId": step.id}
    result |= {"description": step.definition["note"]} if "note" in step.definition else {}
    result["operationId"] = operation
    content_type = headers.pop("content-type", "application/json")
    parameters = [
        *_parameters("path", in_path),
        *_parameters("query", definition.get("query", {})),
        *_parameters("header", headers),
    ]
    result |= {"parameters": parameters} if parameters else {}
    if "json" in definition:
        payload = written(definition["json"])
        result["requestBody"] = {"contentType": content_type, "payload": payload}
    result["successCriteria"] = criteria(fill(step.expect, values))
    saved = {name: of_reply(path) for name, path in definition.get("save", {}).items()}
    if any(_is_whole(step.expect, path) for path in definition.get("save", {}).values()):
        raise Inexpressible("it saves a list or an object, which conditions don't compare")
    result |= {"outputs": saved} if saved else {}
    for name in saved:
        values[name] = embedded(f"$steps.{step.id}.outputs.{name}")
    text = json.dumps(result, ensure_ascii=False)
    if len(text) > _LARGEST_STEP:
        raise Inexpressible("it sends or expects too much to be written down")
    copied: dict[str, Any] = json.loads(text)  # so that YAML writes no references to shared parts
    return copied


def _is_whole(expect: Any, path: str) -> bool:
    """Return whether a step expects a list or an object at a path: there is no equality of these."""
    for part in path.split("."):
        expect = expect.get("$equals", expect) if isinstance(expect, Mapping) else expect
        if isinstance(expect, list) and part.isdecimal() and int(part) < len(expect):
            expect = expect[int(part)]
        else:
            expect = expect.get(part) if isinstance(expect, Mapping) else None
    fields = (
        [key for key in expect if key == "$equals" or not key.startswith("$")]
        if isinstance(expect, Mapping)
        else ()
    )
    return isinstance(expect, list) or bool(fields)


def _headers(definition: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return the headers of a request, by names in lower case but for the one with the key."""
    sent = definition.get("key", key)
    headers = {} if sent is None else {KEY_HEADER: sent}
    for name, value in definition.get("headers", {}).items():
        if value is None:
            raise Inexpressible("it leaves out a header that every client sends")
        if name.lower() == KEY_HEADER.lower():
            raise Inexpressible("it writes the header with the key itself")
        headers[name.lower()] = value
    return headers


def _parameters(place: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    if any(isinstance(value, list) for value in values.values()):
        raise Inexpressible("it gives a parameter several times")
    return [{"name": name, "in": place, "value": written(value)} for name, value in values.items()]
