"""Markdown files, written to pages of the knowledge base."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from arcrun import Arcrun
from arcrun._core.errors import ArcrunError

from .errors import CommandError, command_error
from .knowledge import blocks_of, put_knowledge
from .reading import bytes_of
from .sentences import sentence

_SUFFIXES = frozenset({".md", ".markdown"})
MOST_CHARACTERS = 262_144  # of a block (docs/contract.md, knowledge base)


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
    files = _files_by_page(root)
    texts = {name: _text_of(file) for name, file in files.items()}
    pages: list[dict[str, Any]] = []
    for name, text in texts.items():
        try:
            state = _write(client, name, text, type, dry_run=dry_run)
        except ArcrunError as error:
            raise _stopped_at(files[name], command_error(error), len(pages), len(texts)) from None
        except CommandError as error:
            raise _stopped_at(files[name], error, len(pages), len(texts)) from None
        pages.append({"page_name": name, "state": state})
    return {"pages": pages, **({"dry_run": True} if dry_run else {})}


def _stopped_at(file: Path, error: CommandError, done: int, all_files: int) -> CommandError:
    """Return the error of a file, with what has become of the others."""
    message = sentence("{file}: {problem}", file=file, problem=error.message)
    if all_files > 1:
        message = sentence(
            "{problem} ({done} of {count} files are in the knowledge base; the same command again leaves them as they "
            "are)",
            problem=message,
            done=done,
            count=all_files,
        )
    return CommandError(error.code, message, next=error.next, details=error.details)


def _write(client: Arcrun, name: str, text: str, kind: str | None, *, dry_run: bool) -> str:
    """Write a page, and return what became of it: created, replaced or unchanged."""
    before = blocks_of(client, name)
    if len(before) == 1 and before[0]["content"] == text and kind in {None, before[0].get("type")}:
        return "unchanged"
    put_knowledge(client, name, text, type=kind, replace=True, dry_run=dry_run)
    return "replaced" if before else "created"


def _files_by_page(root: Path) -> dict[str, Path]:
    """Return the files, by the names of their pages.

    Raises:
        CommandError: two files would be the same page.
    """
    files: dict[str, Path] = {}
    for file in _markdown_files(root):
        name = _page_name(root, file)
        if name in files:
            raise CommandError(
                "invalid_argument",
                sentence(
                    "{one} and {file} would both be page {name}: rename one of them",
                    one=files[name],
                    file=file,
                    name=repr(name),
                ),
            )
        files[name] = file
    return files


def _markdown_files(root: Path) -> list[Path]:
    """Return the files, by name; those in folders whose name begins with a dot are left out.

    Raises:
        CommandError: there are none, or one is a link to a file outside of the folder: what somebody else put
            into a folder must not name the files of the person who imports it.
    """
    if root.is_file():
        return [root]
    if not root.is_dir():
        raise CommandError(
            "file_not_found", sentence("there is no folder or file {path}", path=repr(str(root)))
        )
    found = sorted(
        file
        for file in root.rglob("*")
        if file.suffix.lower() in _SUFFIXES
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(root).parts)
    )
    if not found:
        raise CommandError(
            "invalid_argument",
            sentence("{path} has no Markdown files (*.md)", path=repr(str(root))),
        )
    inside = root.resolve()
    for file in found:
        if not file.resolve().is_relative_to(inside):
            raise CommandError(
                "invalid_argument",
                sentence(
                    "{file} is a link to {target}, outside of the folder: nothing was written; remove the link, or import that file by its own name",
                    file=file,
                    target=file.resolve(),
                ),
            )
    return found


def _page_name(root: Path, file: Path) -> str:
    return file.stem if file == root else file.relative_to(root).with_suffix("").as_posix()


def _text_of(file: Path) -> str:
    try:
        text = bytes_of(file, str(file)).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(
            "invalid_argument",
            sentence(
                "{file} is not UTF-8 (byte {number}): save it as UTF-8",
                file=file,
                number=error.start,
            ),
        ) from None
    except OSError as error:
        raise CommandError(
            "invalid_argument",
            sentence("{file} can't be read: {reason}", file=file, reason=error.strerror),
        ) from None
    if not text.strip():
        raise CommandError(
            "invalid_argument", sentence("{file} is empty: write its text, or remove it", file=file)
        )
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise CommandError(
            "invalid_argument",
            sentence(
                "{file}, line {line}: the character NUL, which no page may have: is it a text at all?",
                file=file,
                line=line,
            ),
        )
    if len(text) > MOST_CHARACTERS:
        raise CommandError(
            "invalid_argument",
            sentence(
                "{file} has {count} characters; a page has at most {most}: divide it",
                file=file,
                count=f"{len(text):,}",
                most=f"{MOST_CHARACTERS:,}",
            ),
        )
    return text
