"""Keep the record of a publication in `evidence/publish.json`, so that no crash leaves half of one."""

from __future__ import annotations

import datetime as dt
import json
import os
from typing import TYPE_CHECKING

from scripts.release.publish.state import Record, RecordInvalid, record_of

if TYPE_CHECKING:
    from pathlib import Path


def now() -> str:
    """Return the time, as records have it."""
    return dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds")


def read(path: Path) -> Record | None:
    """Return the record in a file; None where there is no file.

    Raises:
        RecordInvalid: It holds none; the message names the file and says what to do.
    """
    try:
        return record_of(json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError, RecordInvalid) as error:
        raise RecordInvalid(
            f"{path} is no record of a publication: {error}. Move it away and publish again: "
            "each step asks the registries what is there"
        ) from None


def write(path: Path, record: Record) -> None:
    """Write a record: the file has the old one or the new one, whenever this process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record.as_document(), ensure_ascii=False, indent=2) + "\n"
    beside = path.with_name(f".{path.name}.new")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
