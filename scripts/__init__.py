"""Programs that releases and checks need, and that no package imports."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
