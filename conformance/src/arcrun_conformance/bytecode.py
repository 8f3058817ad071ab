"""Compiled modules of the Python processes that a run starts: engines, their workers, adapters."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache

_FORBIDDEN = "PYTHONDONTWRITEBYTECODE"
_FOLDER = "PYTHONPYCACHEPREFIX"


def keeping_bytecode(environment: dict[str, str]) -> dict[str, str]:
    """Return an environment in which processes share what they compile, until this program ends.

    Where nothing may be written beside the sources, every process would compile each module again:
    for an engine, that takes as long as all the rest of its start.

    Example:
        >>> keeping_bytecode({"PATH": "/bin"})
        {'PATH': '/bin'}
    """
    if not environment.get(_FORBIDDEN) or _FOLDER in environment:
        return environment
    kept = {name: value for name, value in environment.items() if name != _FORBIDDEN}
    return {**kept, _FOLDER: _folder()}


@cache
def _folder() -> str:
    folder = tempfile.mkdtemp(prefix="arcrun-conformance-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
