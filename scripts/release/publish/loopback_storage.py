"""What the services on loopback are asked, answer and keep."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Request(NamedTuple):
    """A request to a service: `base` is the address of the service, `path` the segments behind it."""

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    base: str


class Reply(NamedTuple):
    """What a service answers: bytes, a page, or what is sent as JSON."""

    status: int = 200
    content: Any = b""


@dataclass(frozen=True)
class Shelf:
    """What one service keeps: documents, and files."""

    folder: Path

    def documents(self, kind: str) -> dict[str, Any]:
        """Return all documents of a kind, by name."""
        path = self.folder / f"{kind}.json"
        found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
        return found

    def keep(self, kind: str, documents: Mapping[str, Any]) -> None:
        """Keep all documents of a kind, in the place of those of before."""
        _write(self.folder / f"{kind}.json", json.dumps(documents, indent=1).encode())

    def keep_file(self, name: str, content: bytes) -> None:
        """Keep a file whose name came with a request, in the place of one of this name."""
        _write(self.file(name), content)

    def file(self, name: str) -> Path:
        """Return the path of a file, whose name came with a request."""
        path = self.folder / "files" / name.replace("/", "_")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def _write(path: Path, content: bytes) -> None:
    """Write a file: whoever reads it meanwhile has the old content or the new one.

    What a killed process had started, as twine, still sends while the check looks at what is there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content)
    beside.replace(path)


@dataclass(frozen=True)
class Storage:
    """What all services keep."""

    folder: Path

    def of(self, service: str) -> Shelf:
        """Return what one service keeps."""
        return Shelf(self.folder / service)
