"""The command `arcrun-conformance merge`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arcrun_conformance.report import copy_recordings, merged, missing_shards, remove_old

from .combinations import of_merge, refuse_ignored
from .numbers import whole_number
from .options import (
    UsageError,
    add_deviations,
    add_gate,
    add_reports,
    add_scenarios,
    check_report_folder,
    command,
    conclude,
    read_artifacts,
    read_deviations,
    read_gate,
    read_report,
)

if TYPE_CHECKING:
    import argparse

    from .options import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    merge = command(commands, "merge", "Merge the reports of shards into one.")
    merge.add_argument(
        "reports",
        nargs="+",
        type=Path,
        metavar="D",
        help="report folders, or conformance.json files",
    )
    merge.add_argument(
        "--shards",
        type=whole_number(1, 999_999_999),
        metavar="N",
        help="refuse reports other than those of all N shards",
    )
    add_reports(merge)
    add_gate(merge)
    add_deviations(merge)
    add_scenarios(merge)
    merge.set_defaults(command=_merge, defaults=vars(merge.parse_args(["D"])))


def _merge(options: argparse.Namespace) -> int:
    _require_other_folder(options)
    reports = [read_report(path) for path in options.reports]
    refuse_ignored(options, of_merge(options, reports))
    gate = read_gate(options)
    artifacts, known = read_artifacts(options), read_deviations(options)
    check_report_folder(options)
    sources = [path if path.is_dir() else path.parent for path in options.reports]
    if options.report_dir and options.report_dir.resolve() not in [s.resolve() for s in sources]:
        remove_old(options.report_dir)
    _require_all(reports, options.shards)
    try:
        described = merged(reports, list(map(str, options.reports)))
    except ValueError as error:
        raise UsageError(f"these reports can't be merged: {error}") from error
    if artifacts:
        _require_same(described.get("artifacts", []), artifacts, options.artifacts)
        described["artifacts"] = artifacts
    return conclude(options, described, gate, known, partial(_record, sources))


def _require_other_folder(options: argparse.Namespace) -> None:
    """Check that the merged report replaces none of several; a single one may be judged in its own folder.

    Raises:
        UsageError: It would.
    """
    if options.report_dir is None or len(options.reports) == 1:
        return
    files = [path / "conformance.json" if path.is_dir() else path for path in options.reports]
    if (options.report_dir / "conformance.json").resolve() in [file.resolve() for file in files]:
        raise UsageError(
            f"--report-dir {options.report_dir} would replace one of the reports that are merged: name another folder"
        )


def _record(sources: list[Path], folder: Path) -> list[str]:
    """Copy the recordings of all reports to a folder; return no problem, since nothing has to be made."""
    for source in sources:
        copy_recordings(source, folder)
    return []


def _require_same(tested: list[dict[str, str]], given: list[dict[str, str]], file: Path) -> None:
    """Check that artifacts that are given are those that were tested, if the reports say which ones.

    Raises:
        UsageError: They are others.
    """
    known, named = ({(each["file"], each["sha256"]) for each in one} for one in (tested, given))
    if tested and known != named:
        differing = ", ".join(sorted({name for name, _ in known ^ named}))
        raise UsageError(
            f"{file} lists other artifacts than were tested: {differing}; leave out --artifacts, since the "
            "reports have them"
        )


def _require_all(reports: list[dict[str, Any]], expected: int | None) -> None:
    """Check that the reports are those of all shards: `expected` of them, or as many as they say.

    Raises:
        UsageError: One is missing, or they are those of another number of shards.
    """
    divisions = {report.get("shard", {"of": 1})["of"] for report in reports}
    if expected and divisions != {expected}:
        found = ", ".join(map(str, sorted(divisions)))
        raise UsageError(f"these reports are of a run in {found} shards, not in {expected}")
    if missing := missing_shards(reports):
        raise UsageError(f"these reports are not all of the run: {missing} is missing")
