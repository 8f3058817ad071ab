"""Let each SDK open what each other seals, through their conformance adapters, against one engine."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import yaml

from scripts import processes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from scripts.engine import Engine

REPLY_SECONDS = 30.0
PROTOCOL = 1

# A secret is any text: it must come back character by character.
VALUES = {
    "chinese": "祕密金鑰・河道測試",
    "astral": "𠮷野家 😀 全形　空白",
    "combining": "e\u0301 é",  # decomposed and composed: no one may normalise it
    "byte-order-mark": "\ufeff行首",
    "lines": '{"private_key": "第一行\\n第二行"}\n\t"引號"',
}


class SealingFailed(Exception):
    """An SDK could not open what another had sealed; the message has no secrets."""


def check_sealing(
    sdks: Sequence[str], engine: Engine, *, adapters: Path, python: Path, runtimes: Path, work: Path
) -> dict[str, int]:
    """Let each SDK seal every value, and each open what all have sealed.

    Args:
        sdks: Names in the registry of adapters; two or more.
        engine: A running engine that keeps sealed credentials.
        adapters: The registry, `adapters.yaml`.
        python: The interpreter that has the Python SDK.
        runtimes: The folder in which the JavaScript adapters run.
        work: A private folder for the logs of the adapters and an empty home folder.

    Returns:
        How many values were `sealed`, and how many were `opened`.

    Raises:
        SealingFailed: A value was not sealed, could not be opened, or came back changed.
    """
    commands = _commands(adapters, python, runtimes)
    if unknown := [name for name in sdks if name not in commands]:
        raise SealingFailed(
            f"{adapters} has no adapter {', '.join(unknown)}; it has {', '.join(commands)}"
        )
    figures = {"sealed": 0, "opened": 0}
    with contextlib.ExitStack() as stack:
        running = {name: stack.enter_context(_adapter(name, commands[name], work)) for name in sdks}
        # One client seals and another opens, so that none can remember what it has sealed itself.
        for adapter in running.values():
            for client in ("sealing", "opening"):
                options = {"api_key": engine.keys[0], "base_url": engine.url}
                adapter.send("construct", client=client, options=options)
        for sealer in running.values():
            for label, value in VALUES.items():
                account = f"{sealer.name}_{label}".replace("-", "_")
                _seal(sealer, engine, account, value)
                figures["sealed"] += 1
                for opener in running.values():
                    _open(opener, sealer, label, account, value)
                    figures["opened"] += 1
    return figures


class Adapter:
    """The adapter of an SDK, in a process of its own: a line for each command, and one for each reply."""

    def __init__(self, name: str, process: subprocess.Popen[str], log: Path) -> None:
        self.name = name
        self._process = process
        self._log = log
        self._sent = 0

    def send(self, command: str, **body: Any) -> Any:
        """Send a command; return the result.

        Raises:
            SealingFailed: The reply is an error, or there is none.
        """
        self._sent += 1
        line = json.dumps({"id": self._sent, "command": command, **body}, ensure_ascii=False)
        try:
            assert self._process.stdin is not None  # noqa: S101 - it was opened with a pipe
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
            reply = json.loads(processes.first_line(self._process, self._log, REPLY_SECONDS))
        except (OSError, ValueError, processes.NotStarted) as error:
            log = self._log.read_text("utf-8", "replace")[-2000:]
            raise SealingFailed(
                f"{self.name} did not reply to {command}: {error}\n{log}"
            ) from error
        if "result" in reply:
            return reply["result"]
        problem = reply.get("error") or reply.get("failure") or {}
        raise SealingFailed(f"{self.name}, {command}: {problem.get('message', 'no reason')}")

    def call(self, client: str, method: str, **arguments: Any) -> Any:
        """Let it call a method of a client; return the result."""
        return self.send("call", client=client, method=method, arguments=arguments)


def _seal(sealer: Adapter, engine: Engine, account: str, value: str) -> None:
    name = f"notion_token__{account}"
    sealer.call("sealing", "creds.push", name=name, value=value, service="notion")
    request = urllib.request.Request(f"{engine.url}/credentials/{name}")  # noqa: S310 - our engine
    request.add_header("X-Arcrun-API-Key", engine.keys[0])
    try:
        with urllib.request.urlopen(request, timeout=REPLY_SECONDS) as response:  # noqa: S310
            stored = json.load(response)
    except urllib.error.HTTPError as error:
        error.close()
        message = f"{sealer.name} pushed a credential that the engine does not have in sealed form"
        raise SealingFailed(f"{message} (HTTP {error.code})") from error
    if not stored.get("encrypted") or value in json.dumps(stored, ensure_ascii=False):
        raise SealingFailed(f"{sealer.name} pushed a credential that is not sealed")


def _open(opener: Adapter, sealer: Adapter, label: str, account: str, value: str) -> None:
    what = f"what {sealer.name} sealed ({label})"
    try:
        opened = opener.call("opening", "auth.get_token", service="notion", account=account)
    except SealingFailed as problem:
        raise SealingFailed(f"{opener.name} could not open {what}: {problem}") from problem
    if opened != value:
        raise SealingFailed(f"{opener.name} opened {what}, and the text was another one")


def _commands(adapters: Path, python: Path, runtimes: Path) -> dict[str, list[str]]:
    registry = yaml.safe_load(adapters.read_text("utf-8"))["adapters"]
    placeholders = {
        "{python}": str(python),
        "{here}": str(adapters.parent.resolve()),
        "{runtimes}": str(runtimes.resolve()),
    }
    commands: dict[str, list[str]] = {}
    for entry in registry:
        arguments = list(entry["command"])
        for placeholder, value in placeholders.items():
            arguments = [argument.replace(placeholder, value) for argument in arguments]
        commands[entry["name"]] = arguments
    return commands


@contextlib.contextmanager
def _adapter(name: str, command: list[str], work: Path) -> Iterator[Adapter]:
    """Run an adapter in an environment without settings or a config file of the SDK."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith("ARCRUN_")}
    log, home = work / f"{name}.log", work / "home"
    home.mkdir(exist_ok=True)
    with log.open("w", encoding="utf-8") as errors:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**variables, "HOME": str(home)},
                encoding="utf-8",
                start_new_session=True,
            )
        except OSError as error:
            raise SealingFailed(
                f"the adapter {name} can't be started: {error}; the JavaScript ones need the folder "
                "that conformance/adapters/javascript/environment.py creates"
            ) from error
        try:
            adapter = Adapter(name, process, log)
            adapter.send("start", protocol=PROTOCOL)
            yield adapter
        finally:
            processes.stop(process)
            if process.stdin:
                with contextlib.suppress(OSError):
                    process.stdin.close()
