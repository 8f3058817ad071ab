"""Exit codes (docs/cli.md#exit-codes)."""

from __future__ import annotations

OK = 0
FAILED = 1
USAGE = 2
NOT_FOUND = 3
NOT_ALLOWED = 4
RUN_FAILED = 5
CONFLICT = 6
UNREACHABLE = 7
INTERRUPTED = 130


def exit_code(code: str) -> int:
    """Return the exit code of an error code.

    Example:
        >>> exit_code("workflow_not_found")
        3
    """
    from arcrun.commands.error_codes import EXPLANATIONS

    if code in EXPLANATIONS:
        return EXPLANATIONS[code].exit_code
    return NOT_FOUND if code.endswith("_not_found") else FAILED


def exit_codes() -> dict[int, str]:
    """Return what each exit code means."""
    return {
        OK: "done",
        FAILED: "it failed, or the engine refused",
        USAGE: "the command, an argument or a file is not valid",
        NOT_FOUND: "what was named does not exist",
        NOT_ALLOWED: "no key, or one that may not do this",
        RUN_FAILED: "the run failed or was cancelled",
        CONFLICT: "it conflicts with something that exists",
        UNREACHABLE: "the engine could not be reached, or did not respond in time",
        INTERRUPTED: "interrupted by Ctrl-C",
    }
