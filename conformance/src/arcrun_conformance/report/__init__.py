"""Reports of a run; all of them are made from the redacted data that `describe` returns."""

from __future__ import annotations

from .consistency import contradictions
from .document import describe, failed
from .files import PAGE, check_folder, copy_recordings, remove_old, write_all
from .merging import merged, missing_shards

__all__ = [
    "PAGE",
    "check_folder",
    "contradictions",
    "copy_recordings",
    "describe",
    "failed",
    "merged",
    "missing_shards",
    "remove_old",
    "write_all",
]
