"""What the command line prints for a call of a tool."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from arcrun.cli.app import run
from scripts.parity.faces.comparison import typed


def printed(tool: str, arguments: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return what `acr --json` prints for a tool's call, and whether it is an error."""
    words, text = typed(tool, arguments)
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(text.encode()))
    try:
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            run([*words, "--json"])
    finally:
        sys.stdin = before
    assert (out.getvalue() == "") != (err.getvalue() == ""), (out.getvalue(), err.getvalue())
    return json.loads(out.getvalue() or err.getvalue()), not out.getvalue()
