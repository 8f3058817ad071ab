"""Measure what the conformance runner costs over the adapter that it drives."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from scripts.bench.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator


def measure() -> Iterator[Figure]:
    """Measure the same calls with the adapter alone and in a scenario, in turns."""
    command = [sys.executable, "-m", "arcrun_conformance.cost", "--json"]
    cost = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    note = f"adapter alone: {cost['bare_ms']:.2f} ms a call; in a scenario {cost['full_ms']:.2f} ms"
    yield Figure("conformance runner", cost["own_ms"], "ms", cost["goal_ms"], note)
