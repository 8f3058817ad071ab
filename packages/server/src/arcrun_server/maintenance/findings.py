"""What a check found, and how that is shown."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    Args:
        check: The name of the check.
        status: `ok`, `warn` or `fail`; a server can't be relied on with what failed.
        message: What is so, without anything secret.
        fix: What to do; None where all is well.
    """

    check: str
    status: str
    message: str
    fix: str | None = None

    def as_json(self) -> dict[str, str]:
        """Return the fields that have a value."""
        return {key: value for key, value in vars(self).items() if value is not None}

    def __str__(self) -> str:
        lines = [f"{self.status:<5} {self.check:<12} {self.message}"]
        if self.fix is not None:
            lines.append(textwrap.indent(self.fix, " " * 19))
        return "\n".join(lines)


def ok(check: str, message: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(check, OK, message)


def warn(check: str, message: str, fix: str) -> Finding:
    """Return a finding that needs to be looked at."""
    return Finding(check, WARN, message, fix)


def fail(check: str, message: str, fix: str) -> Finding:
    """Return a finding with which a server does not start, or can't be relied on."""
    return Finding(check, FAIL, message, fix)


def failed(check: str, error: Exception) -> Finding:
    """Return the finding for an error whose first line says what is wrong, and the others what to do."""
    message, _, fix = str(error).partition("\n")
    return fail(check, message, fix or "A server that is started now says the same.")
