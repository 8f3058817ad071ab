# /// script
# requires-python = ">=3.10"
# dependencies = ["nox[uv]==2026.10.20", "uv==0.13.9"]
# ///
"""Every task of the project. A session prepares an environment and calls a package; it holds no logic."""

from __future__ import annotations

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "typecheck", "tests"]


def sync(session: nox.Session, *groups: str, workspace: bool = True) -> None:
    """Install the locked dependency groups, and with `workspace` our own packages, editable."""
    command = ["uv", "sync", "--locked", "--quiet", "--inexact"]
    command += ["--all-packages", "--no-default-groups"] if workspace else []
    for group in groups:
        command += ["--group" if workspace else "--only-group", group]
    session.run_install(
        *command, env={"UV_PROJECT_ENVIRONMENT": session.virtualenv.location}, external=True
    )


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests of all packages, in parallel. Arguments go to pytest."""
    sync(session, "tests")
    session.run("pytest", "-n", "auto", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, and that generated files and the contract are as they should be."""
    sync(session, "lint", workspace=False)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def typecheck(session: nox.Session) -> None:
    """Check the types, with mypy and with pyright."""
    sync(session, "typecheck")
    session.run("mypy")
    session.run("pyright")
