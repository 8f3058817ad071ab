"""Options that do not go together: one that would change nothing is refused, not ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_conformance.target import is_loopback

from .options import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

# What `run --coverage` reads.
_OF_COVERAGE = {"coverage", "suite", "scenarios"}
_OF_ENGINE_SUITE = ("second_api_key", "revoked_api_key", "standin_port")
_OF_SDKS = ("sdk", "adapters", "adapter_python", "adapter_runtimes", "reply_seconds")
# A dry run has the options of the run that it stands for: keys and pace are not used, but no promise either.
_NOT_DRY = ("gate", "strict", "report_dir", "artifacts")

_NOT_SHARED = ("deviations", "strict"), "only targets that others use have known deviations"
_STRICT = ("deviations",), "with --strict, no deviation is known"
_NOT_JUDGED = "without --gate, nothing is judged"


def refuse_ignored(
    options: argparse.Namespace, without_effect: Iterable[tuple[Sequence[str], str]]
) -> None:
    """Check that every option that was given has an effect.

    Args:
        options: The options of the command.
        without_effect: Options that have none, and why: as `of_run` yields them.

    Raises:
        UsageError: One has none; the message says why.
    """
    for names, reason in without_effect:
        given = [name for name in names if _is_given(options, name)]
        if given:
            listed = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise UsageError(f"{reason}; leave out {listed}")


def of_run(options: argparse.Namespace) -> Iterator[tuple[Sequence[str], str]]:
    """Yield options of `run` that have no effect beside the others, and why."""
    if options.coverage:
        yield [n for n in options.defaults if n not in _OF_COVERAGE], "--coverage runs nothing"
    if options.dry_run:
        yield _NOT_DRY, "--dry-run sends nothing to the target, so it judges and reports nothing"
    if options.suite == "engine":
        yield _OF_SDKS, "the engine suite uses no SDK"
    else:
        yield _OF_ENGINE_SUITE, "only --suite engine uses it"
    if options.target == "local":
        own = ("api_key", "api_key_file", *_OF_ENGINE_SUITE)
        yield own, "the target local has keys and a language model of its own"
    if not (options.remote or _is_shared(options.target)):
        yield _NOT_SHARED
    if options.strict:
        yield _STRICT
    if not options.gate:
        yield ("gate_file",), _NOT_JUDGED
    if not options.report_dir:
        yield ("artifacts",), "only reports name artifacts: without --report-dir, there are none"


def of_merge(
    options: argparse.Namespace, reports: Sequence[dict[str, Any]]
) -> Iterator[tuple[Sequence[str], str]]:
    """Yield options of `merge` that have no effect on these reports, and why."""
    if not options.gate:
        yield ("gate_file", "scenarios"), _NOT_JUDGED
    if not any(report["target"]["remote"] for report in reports):
        yield _NOT_SHARED
    if options.strict:
        yield _STRICT
    suites = {report.get("suite", "sdk") for report in reports}
    if options.suite not in suites:
        yield ("suite",), f"these reports are of the suite {', '.join(sorted(suites))}"


def of_replay(options: argparse.Namespace, suite: str) -> Iterator[tuple[Sequence[str], str]]:
    """Yield options of `replay` that have no effect on a recording of this suite, and why."""
    if options.suite != suite:
        yield ("suite",), f"{options.recording} is of the suite {suite}"


def _is_shared(target: str) -> bool:
    return target != "local" and not is_loopback(target)


def _is_given(options: argparse.Namespace, name: str) -> bool:
    value = getattr(options, name)
    return value not in (None, "") and value != options.defaults[name]
