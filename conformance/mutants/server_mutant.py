"""The reference engine with one defect: `python server_mutant.py DEFECT serve …`.

A defect is a function of one of the modules in `servers/`, named as its id in the mutants' files, with
underscores. It replaces a part of `arcrun_server` before the engine starts.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from arcrun_server.cli import main  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable


def defect_named(identifier: str) -> Callable[[], None]:
    """Return the function that makes a defect.

    Raises:
        SystemExit: No module has it.
    """
    name = identifier.replace("-", "_")
    for path in sorted((HERE / "servers").glob("[a-z]*.py")):
        found: Callable[[], None] | None = getattr(
            importlib.import_module(f"servers.{path.stem}"), name, None
        )
        if found is not None:
            return found
    raise SystemExit(f"no module of {HERE / 'servers'} has the defect {identifier}")


if __name__ == "__main__":
    defect_named(sys.argv[1])()
    sys.exit(main(sys.argv[2:]))
