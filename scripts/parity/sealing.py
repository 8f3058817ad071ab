"""What one SDK seals, each other opens: all of them against one engine, through their conformance adapters."""

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

ANSWER_SECONDS = 30.0
PROTOCOL = 1

# Any text is a secret: it comes back as it went, character by character.
VALUES = {
    "chinese": "祕密金鑰・河道測試",
    "astral": "𠮷野家 😀 全形　空白",
    "combining": "e\u0301 é",  # composed and not: nobody may normalise it
    "byte-order-mark": "\ufeff行首",
    "lines": '{"private_key": "第一行\\n第二行"}\n\t"引號"',
}


class SealingFailed(Exception):
    """An SDK could not open what another had sealed; secrets are not in the message."""


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
        work: A private folder: an empty home for the adapters, and their log.

    Returns:
        How many values were `sealed`, and how many times one was `opened`.

    Raises:
        SealingFailed: A value was not sealed, did not open, or came back as another one.
    """
    commands = _commands(adapters, python, runtimes)
    if unknown := [name for name in sdks if name not in commands]:
        raise SealingFailed(f"{adapters} has no {', '.join(unknown)}; it has {', '.join(commands)}")
    figures = {"sealed": 0, "opened": 0}
    with contextlib.ExitStack() as stack:
        running = {name: stack.enter_context(_adapter(name, commands[name], work)) for name in sdks}
        # One client seals, another opens: no client remembers what it has sealed itself.
        for adapter in running.values():
            for client in ("sealing", "opening"):
                options = {"api_key": engine.keys[0], "base_url": engine.url}
                adapter.ask("construct", client=client, options=options)
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
    """One SDK in its own process, which answers a line for each line."""

    def __init__(self, name: str, process: subprocess.Popen[str], log: Path) -> None:
        self.name = name
        self._process = process
        self._log = log
        self._asked = 0

    def ask(self, command: str, **body: Any) -> Any:
        """Let it carry out a command.

        Raises:
            SealingFailed: It answered an error, or not at all.
        """
        self._asked += 1
        line = json.dumps({"id": self._asked, "command": command, **body}, ensure_ascii=False)
        try:
            assert self._process.stdin is not None  # noqa: S101 - it was opened with a pipe
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
            answer = json.loads(processes.first_line(self._process, self._log, ANSWER_SECONDS))
        except (OSError, ValueError, processes.NotStarted) as error:
            said = self._log.read_text("utf-8", "replace")[-2000:]
            raise SealingFailed(
                f"{self.name} gave no answer to {command}: {error}\n{said}"
            ) from error
        if "result" in answer:
            return answer["result"]
        problem = answer.get("error") or answer.get("failure") or {}
        raise SealingFailed(f"{self.name}, {command}: {problem.get('message', 'no reason')}")

    def call(self, client: str, method: str, **arguments: Any) -> Any:
        """Let it call a method of a client."""
        return self.ask("call", client=client, method=method, arguments=arguments)


def _seal(sealer: Adapter, engine: Engine, account: str, value: str) -> None:
    name = f"notion_token__{account}"
    sealer.call("sealing", "creds.push", name=name, value=value, service="notion")
    request = urllib.request.Request(f"{engine.url}/credentials/{name}")  # noqa: S310 - our engine
    request.add_header("X-Arcrun-API-Key", engine.keys[0])
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
            stored = json.load(answer)
    except urllib.error.HTTPError as error:
        error.close()
        told = f"{sealer.name} pushed a credential that the engine does not hold sealed"
        raise SealingFailed(f"{told} (HTTP {error.code})") from error
    if not stored.get("encrypted") or value in json.dumps(stored, ensure_ascii=False):
        raise SealingFailed(f"{sealer.name} pushed a credential that is not sealed")


def _open(opener: Adapter, sealer: Adapter, label: str, account: str, value: str) -> None:
    what = f"what {sealer.name} sealed ({label})"
    try:
        opened = opener.call("opening", "auth.get_token", service="notion", account=account)
    except SealingFailed as problem:
        raise SealingFailed(f"{opener.name} does not open {what}: {problem}") from problem
    if opened != value:
        raise SealingFailed(f"{opener.name} opens {what} as another text")


def _commands(adapters: Path, python: Path, runtimes: Path) -> dict[str, list[str]]:
    registry = yaml.safe_load(adapters.read_text("utf-8"))["adapters"]
    places = {
        "{python}": str(python),
        "{here}": str(adapters.parent.resolve()),
        "{runtimes}": str(runtimes.resolve()),
    }
    commands: dict[str, list[str]] = {}
    for entry in registry:
        words = list(entry["command"])
        for place, value in places.items():
            words = [word.replace(place, value) for word in words]
        commands[entry["name"]] = words
    return commands


@contextlib.contextmanager
def _adapter(name: str, command: list[str], work: Path) -> Iterator[Adapter]:
    """Run an adapter without settings or a config file that would reach the SDK past its options."""
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
            told = f"the adapter {name} can't be started: {error}; what the JavaScript ones need"
            raise SealingFailed(
                f"{told} is made by conformance/adapters/javascript/environment.py"
            ) from error
        try:
            adapter = Adapter(name, process, log)
            adapter.ask("start", protocol=PROTOCOL)
            yield adapter
        finally:
            processes.stop(process)
            if process.stdin:
                with contextlib.suppress(OSError):
                    process.stdin.close()
