import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from scripts import ROOT, processes

# Starts a grandchild that would outlive it, prints its process id, and waits.
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
print(child.pid, flush=True)
child.wait()
"""


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_run_returns_standard_output_and_logs_everything(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "step.log"
    code = "import sys; print('輸出'); print('錯誤', file=sys.stderr)"
    printed = processes.run([sys.executable, "-X", "utf8", "-c", code], log=log)
    assert printed == "輸出\n"
    assert "輸出" in log.read_text()
    assert "錯誤" in log.read_text()
    assert log.read_text().startswith("$ ")


def test_an_exit_code_other_than_0_is_an_error_with_command_and_log(tmp_path: Path) -> None:
    with pytest.raises(processes.CommandFailed, match=r"exit code 3: .*raise SystemExit") as caught:
        processes.run([sys.executable, "-c", "raise SystemExit(3)"], log=tmp_path / "log")
    assert caught.value.log == tmp_path / "log"


def test_an_exit_code_that_the_caller_expects_is_no_failure(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('found'); raise SystemExit(1)"]
    assert processes.run(command, log=tmp_path / "log", exit_codes=(0, 1)) == "found\n"
    with pytest.raises(processes.CommandFailed, match="exit code 1"):
        processes.run(command, log=tmp_path / "log", exit_codes=(0, 2))


def test_a_program_that_does_not_end_is_stopped_at_the_time_out(tmp_path: Path) -> None:
    with pytest.raises(processes.CommandFailed, match=r"still running after 0\.2 s"):
        processes.run(
            [sys.executable, "-c", "import sys, threading; threading.Event().wait()"],
            log=tmp_path / "log",
            timeout=0.2,
        )


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_a_program_started_ends_with_it(tmp_path: Path) -> None:
    with (
        (tmp_path / "log").open("w") as log,
        processes.started([sys.executable, "-c", PARENT], stderr=log) as process,
    ):
        assert process.stdout is not None
        grandchild = int(process.stdout.readline())
        assert alive(grandchild)
    assert not alive(process.pid)
    assert not alive(grandchild)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_orphan_of_a_program_that_crashed_is_ended_too(tmp_path: Path) -> None:
    with (
        (tmp_path / "log").open("w") as log,
        processes.started([sys.executable, "-c", PARENT], stderr=log) as process,
    ):
        assert process.stdout is not None
        grandchild = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert not alive(grandchild)


def test_a_program_that_ignores_sigterm_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.2)
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); signal.pause()"
    with (
        (tmp_path / "log").open("w") as log,
        processes.started([sys.executable, "-c", code], stderr=log) as process,
    ):
        assert process.stdout is not None
        process.stdout.readline()
    assert process.returncode == -signal.SIGKILL


def test_a_program_has_the_time_to_clean_up_that_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.01)
    code = (
        "import signal, sys, time\n"
        "def clean_up(*_): time.sleep(0.3); sys.exit(130)\n"
        "signal.signal(signal.SIGTERM, clean_up); print(1, flush=True); signal.pause()"
    )
    with (
        (tmp_path / "log").open("w") as log,
        processes.started([sys.executable, "-c", code], stderr=log, grace=60) as process,
    ):
        assert process.stdout is not None
        process.stdout.readline()
    assert process.returncode == 130


def test_a_program_reads_no_standard_input(tmp_path: Path) -> None:
    printed = processes.run(
        [sys.executable, "-c", "import sys; print(repr(sys.stdin.read()))"], log=tmp_path / "log"
    )
    assert printed.strip() == "''"


def test_environment_and_umask_are_set(tmp_path: Path) -> None:
    code = "import os; print(os.environ['名'], oct(os.umask(0)))"
    printed = processes.run(
        [sys.executable, "-X", "utf8", "-c", code],
        log=tmp_path / "log",
        env={"名": "值"},
        umask=0o077,
    )
    assert printed.split() == ["值", "0o77"]


def test_a_program_on_this_terminal_gives_its_exit_code(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = "import os, pathlib; print(os.environ['GIVEN'], pathlib.Path.cwd()); raise SystemExit(3)"
    command = [sys.executable, "-X", "utf8", "-c", code]
    assert processes.attached(command, cwd=tmp_path, env={"GIVEN": "值"}) == 3
    assert capfd.readouterr().out == f"值 {tmp_path}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interrupt_lets_a_program_on_this_terminal_clean_up(tmp_path: Path) -> None:
    # It interrupts the caller, and cleans up when it is told to end.
    code = """
import os, pathlib, signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
os.kill(os.getppid(), signal.SIGINT)
signal.sigwait({signal.SIGTERM})
pathlib.Path("cleaned").touch()
"""
    with pytest.raises(KeyboardInterrupt):
        processes.attached([sys.executable, "-c", code], cwd=tmp_path, env={})
    assert (tmp_path / "cleaned").exists()


def test_a_program_that_is_held_ends_with_this_process() -> None:
    waits = [sys.executable, "-c", "import sys; print('began', flush=True); sys.stdin.read()"]
    program = (
        "import sys; from scripts import processes\n"
        f"with processes.started({waits!r}, stderr=sys.stderr, held=True) as held:\n"
        "    print(held.stdout.readline(), end='', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=Path(processes.__file__).parents[1],
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as outer:
        assert outer.stdout
        assert outer.stderr
        assert outer.stdout.readline() == "began\n"
        outer.kill()
        # Both write their errors here, so it ends only when both have.
        assert outer.stderr.read() == ""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_program_that_is_starting_when_a_signal_comes_is_stopped_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    begun = []

    def begin(*arguments: Any, **options: Any) -> "subprocess.Popen[str]":
        process = popen(*arguments, **options)
        begun.append(process)
        signal.raise_signal(signal.Signals[name])
        return process

    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", begin)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with (
            (tmp_path / "log").open("w") as log,
            pytest.raises(KeyboardInterrupt),
            processes.started([sys.executable, "-c", "import time; time.sleep(60)"], stderr=log),
        ):
            raise AssertionError("it was not interrupted")
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGTERM, before)
    (process,) = begun
    assert process.returncode == -signal.SIGTERM


# It cleans up for as long as its input is open, and says so first.
CLEANING = """
import sys
import tempfile
from scripts import processes
processes.SAME_SECONDS = 600  # however slow this machine is
processes.interrupt_on_signals()
try:
    print("begun", flush=True)
    sys.stdin.readline()
except KeyboardInterrupt:
    print("cleaning up", flush=True)
    sys.stdin.readline()
    print("clean", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
def test_the_signal_that_follows_an_interruption_at_once_does_not_end_the_cleaning_up() -> None:
    """Ctrl-C in a terminal reaches a program and nox, which then sends it SIGTERM."""
    with subprocess.Popen(
        [sys.executable, "-c", CLEANING],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "cleaning up\n"
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate("\n", timeout=30)
    assert (out, process.returncode) == ("clean\n", 0)


def test_a_later_signal_interrupts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([10.0, 10.0 + processes.SAME_SECONDS])
    monkeypatch.setattr(processes.time, "monotonic", lambda: next(now))
    before = signal.getsignal(signal.SIGTERM)
    try:
        processes.interrupt_on_signals()
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_folder_that_is_being_made_when_a_signal_comes_is_removed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def make(*_: Any) -> str:
        folder = mkdtemp(dir=tmp_path)
        signal.raise_signal(signal.Signals[name])
        return folder

    mkdtemp = tempfile.mkdtemp
    monkeypatch.setattr(tempfile, "mkdtemp", make)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), processes.temporary_folder("arcrun-test-"):
            raise AssertionError("it was not interrupted")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert list(tmp_path.iterdir()) == []
