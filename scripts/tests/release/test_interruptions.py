import os
import signal
import sys
from pathlib import Path

import pytest

from scripts.release.interruptions import left

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")

# It waits for the signal itself: one that comes just before a sleep would be noticed after it only.
CLEAN = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
print("… the step", flush=True)
signal.sigwait({signal.SIGINT})
sys.exit(130)
"""
LEAVING = """
import os, pathlib, subprocess, sys, time
pathlib.Path(os.environ["TMPDIR"], "forgotten").write_text("")
child = subprocess.Popen(["sleep", "60"], start_new_session=True, stdout=subprocess.DEVNULL)
print("… the step", flush=True)
time.sleep(60)
"""


def interrupted(code: str, by: str, work: Path) -> list[str]:
    command = [sys.executable, "-c", code]
    return left(command, work, until="… the step", by=by, scratch=work / "scratch")


def test_a_program_that_cleans_up_leaves_nothing(tmp_path: Path) -> None:
    assert interrupted(CLEAN, "SIGINT", tmp_path) == []


def test_what_a_program_leaves_is_named_with_its_exit_code(tmp_path: Path) -> None:
    process, forgotten, code = interrupted(LEAVING, "SIGTERM", tmp_path)
    os.kill(int(process.removeprefix("left: process ")), signal.SIGKILL)
    assert forgotten == "left: forgotten"
    assert code == f"its exit code is {-signal.SIGTERM}, not 130"


def test_a_step_that_is_never_reached_is_no_interruption(tmp_path: Path) -> None:
    assert interrupted("pass", "SIGINT", tmp_path) == [
        "it never printed '… the step'",
        "its exit code is 0, not 130",
    ]
