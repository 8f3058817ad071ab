import errno
import io
import os
from pathlib import Path

import pytest
from rich.console import Console

from scripts.console import OutputFailed, make_console
from scripts.processes import CommandFailed
from scripts.rehearsal import Rehearsal, StepFailed, describe


@pytest.fixture
def rehearsal() -> Rehearsal:
    return Rehearsal(Console(file=io.StringIO(), width=200))


def shown(rehearsal: Rehearsal) -> str:
    assert isinstance(rehearsal.console.file, io.StringIO)
    return rehearsal.console.file.getvalue()


def test_without_a_step_it_is_no_go(rehearsal: Rehearsal) -> None:
    assert not rehearsal.go


def test_steps_that_pass_are_go_and_show_their_figures(rehearsal: Rehearsal) -> None:
    with rehearsal.step("build", "兩次") as figures:
        figures["artifacts"] = 6
    assert rehearsal.go
    assert rehearsal.steps[0].status == "passed"
    assert "✓ build" in shown(rehearsal)
    assert "artifacts 6" in shown(rehearsal)


def test_a_step_that_fails_is_no_go_and_says_why(rehearsal: Rehearsal) -> None:
    with pytest.raises(StepFailed, match="檔案不符"), rehearsal.step("check", "files"):
        raise ValueError("檔案不符")
    assert not rehearsal.go
    assert (rehearsal.steps[0].status, rehearsal.steps[0].problem) == ("failed", "檔案不符")
    assert "✗ check" in shown(rehearsal)


def test_an_interruption_is_no_go_and_is_raised_again(rehearsal: Rehearsal) -> None:
    with pytest.raises(KeyboardInterrupt), rehearsal.step("fuzz", "long"):
        raise KeyboardInterrupt
    assert not rehearsal.go
    assert rehearsal.steps[0].status == "interrupted"


class Closing(io.StringIO):
    """A stream that can be written until a text comes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def write(self, text: str) -> int:
        if self.text in text:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        return super().write(text)


@pytest.mark.parametrize("until", ["… build", "✓"])
def test_a_step_that_cannot_be_shown_has_failed_whether_it_passed_or_not(until: str) -> None:
    rehearsal = Rehearsal(make_console(Closing(until)))
    with pytest.raises(OutputFailed), rehearsal.step("build", "兩次"):
        pass
    assert not rehearsal.go
    (step,) = rehearsal.steps
    assert step.status == "failed"
    assert step.problem == f"the output can't be written: {os.strerror(errno.EPIPE)}"


def test_a_program_that_failed_is_described_with_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("\n".join(f"line {number}" for number in range(100)))
    described = describe(CommandFailed(["tool", "a b"], "exit code 1", log))
    assert "exit code 1: tool 'a b'" in described
    assert "| line 99" in described
    assert "| line 59\n" not in described
    assert str(log) in described
