"""Options of `run` that do not go together: one that would change nothing is refused, not ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arcrun_conformance.target import is_loopback

from .options import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

# What `run --coverage` reads.
_OF_COVERAGE = {"coverage", "suite", "scenarios"}
_OF_ENGINE_SUITE = ("second_api_key", "revoked_api_key", "standin_port")
_OF_SDKS = ("sdk", "adapters", "adapter_python", "adapter_runtimes", "reply_seconds")
# A dry run has the options of the run that it stands for: keys and pace are not used, but no promise either.
_NOT_DRY = ("gate", "strict", "report_dir", "artifacts")


def refuse_ignored(options: argparse.Namespace) -> None:
    """Check that every option that was given has an effect.

    Raises:
        UsageError: One has none; the message says why.
    """
    for names, reason in _without_effect(options):
        given = [name for name in names if _is_given(options, name)]
        if given:
            listed = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise UsageError(f"{reason}; leave out {listed}")


def _without_effect(options: argparse.Namespace) -> Iterator[tuple[Sequence[str], str]]:
    """Yield options that have no effect beside the others, and why."""
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
        yield ("deviations",), "only targets that others use have known deviations"
    if options.strict:
        yield ("deviations",), "with --strict, no deviation is known"
    if not options.gate:
        yield ("gate_file",), "without --gate, nothing is judged"
    if not options.report_dir:
        yield ("artifacts",), "only reports name artifacts: without --report-dir, there are none"


def _is_shared(target: str) -> bool:
    return target != "local" and not is_loopback(target)


def _is_given(options: argparse.Namespace, name: str) -> bool:
    value = getattr(options, name)
    return value not in (None, "") and value != options.defaults[name]
