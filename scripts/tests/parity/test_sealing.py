import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts import ROOT
from scripts.engine import Engine, engine_with_accounts
from scripts.parity.sealing import VALUES, SealingFailed, check_sealing

ADAPTERS = ROOT / "conformance" / "adapters"

# An adapter that replies to every command with the same text.
SAME_REPLY = """
import json, sys
for line in sys.stdin:
    command = json.loads(line)
    print(json.dumps({"id": command["id"], "result": sys.argv[1]}), flush=True)
"""
# An adapter that can start and construct, and nothing else.
ALWAYS_FAILS = """
import json, sys
for line in sys.stdin:
    command = json.loads(line)
    known = command["command"] in {"start", "construct"}
    reply = {"result": {}} if known else {"error": {"message": "不會"}}
    print(json.dumps({"id": command["id"], **reply}), flush=True)
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    data = tmp_path_factory.mktemp("engine")
    with engine_with_accounts(Path(sys.executable), data / "data", data / "log") as running:
        yield running


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """A registry with the Python adapters, and with broken ones."""
    commands: dict[str, list[str]] = {
        "python-sync": ["{python}", str(ADAPTERS / "python_sync.py")],
        "python-async": ["{python}", "{runtimes}/python_async.py"],
        "same-reply": ["{python}", "-c", SAME_REPLY, "whatever"],
        "always-fails": ["{python}", "-c", ALWAYS_FAILS],
        "dies": ["{python}", "-c", "raise SystemExit('沒有記憶體')"],
        "absent": ["{here}/no-such-program"],
    }
    entries = [{"name": name, "command": command} for name, command in commands.items()]
    path = tmp_path / "adapters.yaml"
    path.write_text(yaml.safe_dump({"adapters": entries}), "utf-8")
    return path


def run(engine: Engine, registry: Path, *sdks: str) -> dict[str, int]:
    work: dict[str, Any] = {
        "python": Path(sys.executable),
        "runtimes": ADAPTERS,
        "work": registry.parent,
    }
    return check_sealing(sdks, engine, adapters=registry, **work)


def test_each_client_opens_what_each_has_sealed(engine: Engine, registry: Path) -> None:
    figures = run(engine, registry, "python-sync", "python-async")
    assert figures == {"sealed": 2 * len(VALUES), "opened": 4 * len(VALUES)}
    assert any("密" in value for value in VALUES.values())


@pytest.mark.parametrize(
    ("sdks", "expected"),
    [
        (
            ("python-sync", "same-reply"),
            "same-reply opened what python-sync sealed (chinese), and the text was another one",
        ),
        (
            ("python-sync", "always-fails"),
            "always-fails could not open what python-sync sealed (chinese)",
        ),
        (
            ("same-reply", "python-sync"),
            "same-reply pushed a credential that the engine does not have in sealed form",
        ),
        (("python-sync", "dies"), "沒有記憶體"),
        (("absent",), "the adapter absent can't be started"),
        (("python-sync", "pascal"), "has no adapter pascal; it has python-sync, python-async"),
    ],
)
def test_an_sdk_that_does_not_seal_or_open_is_named(
    engine: Engine, registry: Path, sdks: tuple[str, ...], expected: str
) -> None:
    with pytest.raises(SealingFailed) as caught:
        run(engine, registry, *sdks)
    assert expected in str(caught.value)
    assert not any(value in str(caught.value) for value in VALUES.values())
    assert engine.keys[0] not in str(caught.value)


def test_a_credential_that_was_pushed_plain_is_found(engine: Engine, registry: Path) -> None:
    document = yaml.safe_load(registry.read_text("utf-8"))
    plain = "import runpy, sys, arcrun._core.config as config; config.check_format = lambda *_: 'plain'\n"
    plain += f"sys.path.insert(0, {str(ADAPTERS)!r})\n"
    plain += f"runpy.run_path({str(ADAPTERS / 'python_sync.py')!r}, run_name='__main__')"
    document["adapters"][0]["command"] = ["{python}", "-c", plain]
    registry.write_text(yaml.safe_dump(document), "utf-8")
    with pytest.raises(SealingFailed, match="python-sync pushed a credential that is not sealed"):
        run(engine, registry, "python-sync")


def test_settings_in_the_environment_do_not_reach_the_sdks(
    engine: Engine, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCRUN_CREDENTIAL_FORMAT", "plain")
    monkeypatch.setenv("ARCRUN_BASE_URL", "http://127.0.0.1:1")
    assert run(engine, registry, "python-sync")["opened"] == len(VALUES)
