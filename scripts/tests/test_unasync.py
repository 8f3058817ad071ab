"""The synchronous half of the Python SDK is generated from the asynchronous one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scripts import unasync

if TYPE_CHECKING:
    from pathlib import Path


def folder(tmp_path: Path, **modules: str) -> Path:
    source = tmp_path / "_async"
    source.mkdir()
    for name, text in modules.items():
        (source / f"{name}.py").write_text(text, encoding="utf-8")
    return source


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """A copy of the SDK's own source, which uses every rule."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in unasync.SOURCE.glob("*.py")}
    return folder(tmp_path, **texts)


def run(source: Path, *arguments: str) -> int:
    target = source.with_name("_sync")
    return unasync.main([*arguments, "--source", str(source), "--target", str(target)])


def test_the_committed_modules_are_up_to_date() -> None:
    assert unasync.main(["--check"]) == 0


def test_code_and_examples_become_synchronous() -> None:
    source = (
        "async def f(client: AsyncArcrun) -> Awaitable[T]:\n"
        '    """>>> await client.health()"""\n'
        "    async with client:\n"
        "        async for part in response.aiter_raw():\n"
        "            await async_sleep(1)\n"
    )
    assert unasync.translate(source, set()) == unasync.NOTICE + (
        "def f(client: Arcrun) -> T:\n"
        '    """>>> client.health()"""\n'
        "    with client:\n"
        "        for part in response.iter_raw():\n"
        "            sleep(1)\n"
    )


def test_a_change_on_either_side_fails_the_check(real: Path, capsys) -> None:
    assert run(real) == 0
    assert run(real, "--check") == 0
    generated = real.with_name("_sync") / "client.py"
    generated.write_text(generated.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert run(real, "--check") == 1
    assert "client.py is not what its source translates to" in capsys.readouterr().err


def test_a_missing_and_a_stray_module_fail_the_check(real: Path, capsys) -> None:
    run(real)
    target = real.with_name("_sync")
    (target / "creds.py").rename(target / "stray.py")
    assert run(real, "--check") == 1
    errors = capsys.readouterr().err
    assert "creds.py is missing" in errors
    assert "stray.py has no source" in errors
    assert run(real) == 0
    assert not (target / "stray.py").exists()
    assert run(real, "--check") == 0


def test_an_unused_rule_is_an_error_and_nothing_is_written(tmp_path: Path, capsys) -> None:
    source = folder(tmp_path, client="async def f() -> None: ...\n")
    assert run(source) == 1
    assert r"\baclose\b" in capsys.readouterr().err
    assert not source.with_name("_sync").exists()
