"""Markdown files, written to pages of the knowledge base."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from arcrun import Arcrun

from .errors import CommandError
from .knowledge import blocks_of, put_knowledge
from .reading import bytes_of

_SUFFIXES = frozenset({".md", ".markdown"})


def import_pages(
    client: Arcrun,
    path: str,
    *,
    type: Literal["template"] | None = None,  # noqa: A002 - the contract's word
    dry_run: bool = False,
) -> dict[str, Any]:
    """Write Markdown files to pages of the knowledge base.

    A page has the path of its file below the folder as name, without the suffix. A page that has one block gets the
    text of the file instead; one that has this text already is left as it is.

    Args:
        path: a folder, or one file
        type: template for texts that prompts may use as fragments
        dry_run: only say what would be written
    """
    root = Path(path)
    texts = {_page_name(root, file): _text_of(file) for file in _markdown_files(root)}
    pages = [
        {"page_name": name, "state": _write(client, name, text, type, dry_run=dry_run)}
        for name, text in texts.items()
    ]
    return {"pages": pages, **({"dry_run": True} if dry_run else {})}


def _write(client: Arcrun, name: str, text: str, kind: str | None, *, dry_run: bool) -> str:
    """Write a page, and return what became of it: created, replaced or unchanged."""
    before = blocks_of(client, name)
    if len(before) == 1 and before[0]["content"] == text and kind in {None, before[0].get("type")}:
        return "unchanged"
    put_knowledge(client, name, text, type=kind, replace=True, dry_run=dry_run)
    return "replaced" if before else "created"


def _markdown_files(root: Path) -> list[Path]:
    """Return the files, by name; those in folders whose name begins with a dot are left out.

    Raises:
        CommandError: there are none.
    """
    if root.is_file():
        return [root]
    if not root.is_dir():
        raise CommandError("invalid_argument", f"there is no folder or file {str(root)!r}")
    found = sorted(
        file
        for file in root.rglob("*")
        if file.suffix.lower() in _SUFFIXES
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(root).parts)
    )
    if not found:
        raise CommandError("invalid_argument", f"{str(root)!r} has no Markdown files (*.md)")
    return found


def _page_name(root: Path, file: Path) -> str:
    return file.stem if file == root else file.relative_to(root).with_suffix("").as_posix()


def _text_of(file: Path) -> str:
    try:
        text = bytes_of(file, str(file)).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(
            "invalid_argument", f"{file} is not UTF-8 (byte {error.start}): save it as UTF-8"
        ) from None
    except OSError as error:
        raise CommandError("invalid_argument", f"{file} can't be read: {error.strerror}") from None
    if not text.strip():
        raise CommandError("invalid_argument", f"{file} is empty: write its text, or remove it")
    return text
