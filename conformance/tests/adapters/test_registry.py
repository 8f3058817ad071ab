"""The registry of adapters: placeholders are filled in, and missing runtimes are reported."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from arcrun_conformance.adapters.protocol import AdapterFailure
from arcrun_conformance.adapters.registry import RegisteredAdapter, default_runtimes, read_registry
from arcrun_conformance.documents import DocumentError
from arcrun_conformance.resources import data_directory

ENTRY = """\
adapters:
- name: a-b
  language: x
  runtime: node99
  command: ["{python}", "{here}/a.py", "{runtimes}/{runtime}/node"]
  requires: ["{runtimes}/{runtime}/node", "{runtimes}/sdk.mjs"]
  install: "`make {runtime} {runtimes}`"
"""


def read(tmp_path: Path, text: str = ENTRY) -> RegisteredAdapter:
    path = tmp_path / "adapters.yaml"
    path.write_text(text, "utf-8")
    return read_registry(path, "/bin/py", tmp_path / "runtimes")["a-b"]


def test_interpreter_folder_runtimes_and_runtime_are_filled_in(tmp_path: Path) -> None:
    node = f"{tmp_path}/runtimes/node99/node"
    assert read(tmp_path).command == ("/bin/py", f"{tmp_path}/a.py", node)


def test_the_folder_of_runtimes_is_the_configured_one_or_that_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ARCRUN_CONFORMANCE_RUNTIMES", raising=False)
    assert default_runtimes() == data_directory().parent / ".arcrun/javascript"
    monkeypatch.setattr("arcrun_conformance.adapters.registry.checkout", lambda: None)
    monkeypatch.chdir(tmp_path)
    assert default_runtimes() == tmp_path / ".arcrun/javascript"
    monkeypatch.setenv("ARCRUN_CONFORMANCE_RUNTIMES", "/elsewhere")
    assert default_runtimes() == Path("/elsewhere")


async def test_a_missing_runtime_is_not_available_and_the_message_says_how_to_install_it(
    tmp_path: Path,
) -> None:
    adapter = read(tmp_path)
    (tmp_path / "runtimes").mkdir()
    (tmp_path / "runtimes/sdk.mjs").touch()
    with pytest.raises(AdapterFailure) as caught:
        await adapter.open()
    assert caught.value.kind == "not-available"
    assert str(caught.value) == (
        f"not available: {tmp_path}/runtimes/node99/node does not exist; install it with "
        f"`make node99 {tmp_path}/runtimes`"
    )


async def test_an_installed_adapter_is_started(tmp_path: Path) -> None:
    adapter = RegisteredAdapter(
        "a", "x", "y", (sys.executable, "-c", ""), requires=(str(tmp_path),)
    )
    assert adapter.why_unavailable() == ""
    connection = await adapter.open()
    await connection.close(20)


def test_each_shipped_javascript_adapter_lists_what_it_requires_and_how_to_install_it() -> None:
    path = data_directory() / "adapters/adapters.yaml"
    shipped = [a for a in read_registry(path, "python").values() if a.language == "javascript"]
    assert len(shipped) == 9
    for adapter in shipped:
        assert adapter.command[0] in adapter.requires
        assert adapter.install.split("`")[1].endswith(f" {adapter.runtime}")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ('comand: ["{python}"]', r"adapters\.yaml:6: adapters\.0: unknown key comand"),
        ('command: ["{pyton}"]', r"adapters\.yaml:6: .*does not match(.|\n)*\{runtimes\}"),
    ],
)
def test_an_invalid_registry_is_reported_with_the_line_and_what_is_expected(
    tmp_path: Path, wrong: str, message: str
) -> None:
    text = f"adapters:\n- name: a-b\n  language: x\n  runtime: y\n  default: false\n  {wrong}\n"
    with pytest.raises(DocumentError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (
            "{name: a-b, language: x, runtime: y, command: [z]}",
            r"adapters\.yaml:3: a second adapter is named a-b\n    Give it another name",
        ),
        (
            '{name: c, language: x, runtime: y, command: [z, "\\0"]}',
            r"adapters\.yaml:3: command has the character NUL\n    Remove it",
        ),
    ],
)
def test_what_no_schema_can_say_about_adapters_is_reported_with_the_line(
    tmp_path: Path, second: str, message: str
) -> None:
    first = "{name: a-b, language: x, runtime: y, command: [z]}"
    with pytest.raises(DocumentError, match=message):
        read(tmp_path, f"adapters:\n- {first}\n- {second}\n")
