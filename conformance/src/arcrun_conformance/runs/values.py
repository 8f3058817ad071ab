"""The values of a scenario's placeholders, and what they refer to: files, a port, secrets."""

from __future__ import annotations

import contextlib
import socket
import tempfile
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from arcrun_conformance.scenarios import service_account
from arcrun_conformance.scenarios.scenario import Scenario, Secret
from arcrun_conformance.scenarios.template import fill

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def service_account_values(scenario: Scenario) -> dict[str, Any]:
    """Return the values of a service account, if the scenario uses them: a key takes a moment to make."""
    if "${service_account" not in scenario.source:
        return {}
    return {
        "service_account": service_account.key_file(),
        "service_account_key": service_account.private_key(),
    }


def unknown_key() -> str:
    """Return a well-formed key that no engine knows (docs/contract.md#transport)."""
    return f"ak_{token_hex(24)}"


def scenario_values(scenario: Scenario, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scenario's variables and secrets; a variable may use those above it."""
    own: dict[str, Any] = {}
    for name, secret in scenario.secrets.items():
        own[f"secret.{name}"] = fill(secret.value, values)
    for name, value in scenario.variables.items():
        own[name] = fill(value, {**values, **own})
    return own


def secrets_of(scenario: Scenario, values: Mapping[str, Any]) -> dict[str, Secret]:
    """Return the API key and the scenario's secrets, with their values and where they may appear."""
    secrets = {"api_key": Secret(values["api_key"], frozenset({"key-header"}))}
    for name, secret in scenario.secrets.items():
        secrets[name] = Secret(values[f"secret.{name}"], secret.may_appear)
    return secrets


@contextlib.contextmanager
def temporary_folder() -> Iterator[str]:
    """Create a folder for the scenario's files, with an unpredictable name."""
    with tempfile.TemporaryDirectory(prefix="arcrun-conformance-") as folder:
        yield folder


def write_files(scenario: Scenario, values: Mapping[str, Any]) -> None:
    """Write the scenario's files, for this user only."""
    for name, text in scenario.files.items():
        path = Path(values["files"], name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # a config file holds a key
        path.write_text(fill(text, values), "utf-8")


@contextlib.contextmanager
def unused_port() -> Iterator[int]:
    """Reserve a port that refuses every connection, so that nothing else can listen on it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@contextlib.contextmanager
def silent_port() -> Iterator[int]:
    """Reserve a port that neither accepts nor refuses a connection: its queue is full, and stays so."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]
