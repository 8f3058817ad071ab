import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.table import Table

from scripts import ROOT
from scripts.console import OutputFailed, exit_code, make_console


def test_what_is_printed_into_a_log_is_whole_and_as_it_is() -> None:
    log = io.StringIO()
    console = make_console(log)
    console.print("src/auth.ts:100:3 " + "很長" * 200)
    assert log.getvalue() == "src/auth.ts:100:3 " + "很長" * 200 + "\n"


def test_a_table_in_a_log_cuts_no_cell() -> None:
    log = io.StringIO()
    table = Table()
    for number in range(3):
        table.add_column(f"column {number}")
    table.add_row(*("x" * 40 for _ in range(3)))
    make_console(log).print(table)
    assert log.getvalue().count("x" * 40) == 3


class Unwritable(io.StringIO):
    """A stream of which nobody reads, or that has no place."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def write(self, text: str) -> int:
        raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ENOSPC])
def test_an_output_that_cannot_be_written_is_an_error_that_says_so(number: int) -> None:
    with pytest.raises(OutputFailed, match=f"can't be written: {os.strerror(number)}"):
        make_console(Unwritable(number)).print("進度")


PRINTING = """
import sys
from scripts.console import exit_code, make_console
raise SystemExit(exit_code(lambda: {what} and 0))
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("what", ["make_console().print('x')", "print('x')"])
@pytest.mark.parametrize("closed", [True, False], ids=["pipe", "full"])
def test_a_program_whose_output_cannot_be_written_ends_with_a_sentence(
    what: str, closed: bool
) -> None:
    if closed:
        reading, writing = os.pipe()
        os.close(reading)
    else:
        writing = os.open("/dev/full", os.O_WRONLY)
    try:
        ran = subprocess.run(
            [sys.executable, "-c", PRINTING.format(what=f"[{what}]")],
            cwd=ROOT,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writing)
    why = os.strerror(errno.EPIPE if closed else errno.ENOSPC)
    assert ran.stderr == f"NO-GO: the output can't be written: {why}\n"
    assert ran.returncode == 1


def test_a_program_whose_output_was_closed_does_not_begin() -> None:
    ran = subprocess.run(
        [
            "/bin/sh",
            "-c",
            'exec "$0" -c "$1" >&-',
            sys.executable,
            PRINTING.format(what="[make_console().print('x')]"),
        ],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    said = f"NO-GO: the output can't be written: {os.strerror(errno.EBADF)}\n"
    assert (ran.stderr, ran.returncode) == (said, 1)


def test_another_error_of_a_program_is_raised() -> None:
    def fails() -> int:
        raise FileNotFoundError(errno.ENOENT, "No such file", "a.txt")

    with pytest.raises(FileNotFoundError):
        exit_code(fails)
