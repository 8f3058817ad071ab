"""Run the release and its checks: programs that no package imports."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
