"""Check from the reports of the fuzzer that it tested every operation, phase and check."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path

PHASES = ("examples", "coverage", "fuzzing", "stateful")
# What would leave the fuzzer without the key that everything else needs (disabled in `schemathesis.toml`).
OWN_KEY = frozenset({"PUT /me/api-key/rotate", "DELETE /me/api-key"})
# What is accepted only with a signature of its body, or from a person who logs in: the fuzzer can do neither.
NEVER_ACCEPTED = frozenset(
    {
        "POST /hooks/{id}",
        "POST /me/api-key/reveal",
        "POST /register",
        "GET /auth/google/start",
        "GET /auth/github/start",
        "GET /auth/dev/start",
        "POST /auth/dev/login",
        "GET /auth/callback",
        "POST /auth/device/token",
        "POST /auth/device",
    }
)
CHECKS = frozenset(
    {
        "allow_header_conformance",
        "content_type_conformance",
        "ensure_resource_availability",
        "ignored_auth",
        "missing_required_header",
        "negative_data_rejection",
        "not_a_server_error",
        "object_level_authorization",
        "only_meaning_is_refused",
        "positive_data_acceptance",
        "response_headers_conformance",
        "response_schema_conformance",
        "status_code_conformance",
        "unsupported_method",
        "use_after_free",
    }
)


def untested(document: dict[str, Any], expected: set[str], seen: Seen) -> list[str]:
    """List what a run of the fuzzer left out, from its JSON report.

    Args:
        document: The report.
        expected: The operations of the contract.
        seen: What its event log shows.
    """
    gaps = [] if document["complete"] else [f"the run stopped early: {document['stop_reason']}"]
    gaps += [
        f"phase {phase}: {document['phases'].get(phase, {}).get('status', 'did not run')}"
        for phase in PHASES
        if document["phases"].get(phase, {}).get("status") != "success"
    ]
    gaps += [f"check {name} was never applied" for name in sorted(CHECKS - seen.checks)]
    tested = document["operations"]["tested"]
    expected = expected - OWN_KEY
    if tested != len(expected):
        gaps.append(f"{tested} of {len(expected)} operations were tested")
    missing = sorted(expected - seen.accepted - NEVER_ACCEPTED)
    return gaps + [f"{name}: no request was accepted" for name in missing]


@dataclass
class Seen:
    """What an event log of the fuzzer shows.

    Attributes:
        checks: The checks that were applied to at least one response.
        accepted: The operations, each as `METHOD /path`, that returned 2xx at least once.
    """

    checks: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)


def seen_in(events: Path) -> Seen:
    """Read an event log of the fuzzer, which has a JSON document in each line."""
    seen = Seen()
    with events.open(encoding="utf-8") as lines:
        for line in lines:
            finished = json.loads(line).get("ScenarioFinished")
            if finished:
                _add_scenario(seen, finished["recorder"])
    return seen


def _add_scenario(seen: Seen, recorder: dict[str, Any]) -> None:
    for checks in recorder.get("checks", {}).values():
        seen.checks |= {check["name"] for check in checks}
    for case, interaction in recorder.get("interactions", {}).items():
        status = (interaction.get("response") or {}).get("status_code", 0)
        if 200 <= status < 300:
            sent = recorder["cases"][case]["value"]
            seen.accepted.add(f"{sent['method'].upper()} {sent['path']}")


def operations(contract: Path) -> set[str]:
    """Return the operations of a contract, each as `METHOD /path`."""
    document = yaml.safe_load(contract.read_text("utf-8"))
    methods = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
    return {
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        for method in methods & set(item)
    }
