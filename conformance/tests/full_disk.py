"""Calls the command line where no file can grow beyond a size, as on a disk that is almost full."""

from __future__ import annotations

import subprocess
import sys

# SIGXFSZ is ignored, as Python does itself, so that a write fails with EFBIG.
_PROGRAM = """
import resource, sys
from arcrun_conformance.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
sys.exit(main(sys.argv[1:]))
"""


def called_with_files_up_to(size: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the command line; a file of more bytes can't be written."""
    command = [sys.executable, "-B", "-c", _PROGRAM.format(size=size), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)
