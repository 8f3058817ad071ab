"""Exit codes (docs/cli.md#exit-codes)."""

from __future__ import annotations

from typing import Any

OK = 0
FAILED = 1
USAGE = 2
NOT_FOUND = 3
NOT_ALLOWED = 4
RUN_FAILED = 5
CONFLICT = 6
UNREACHABLE = 7
INTERRUPTED = 130

_BY_CODE = {
    "invalid_argument": USAGE,
    "invalid_yaml": USAGE,
    "missing_api_key": NOT_ALLOWED,
    "unknown_api_key": NOT_ALLOWED,
    "recipe_immutable": NOT_ALLOWED,
    "insecure_transport": NOT_ALLOWED,
    "run_failed": RUN_FAILED,
    "run_cancelled": RUN_FAILED,
    "conflict": CONFLICT,
    "version_conflict": CONFLICT,
    "workflow_full": CONFLICT,
    "recipe_in_use": CONFLICT,
    "tests_failed": CONFLICT,
    "timeout": UNREACHABLE,
    "unreachable": UNREACHABLE,
}


def exit_code(code: str) -> int:
    """Return the exit code of an error code.

    Example:
        >>> exit_code("workflow_not_found")
        3
    """
    if code.endswith("_not_found"):
        return NOT_FOUND
    return _BY_CODE.get(code, FAILED)


def exit_codes() -> dict[int, Any]:
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
