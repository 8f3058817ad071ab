"""Define every task of the project. A session prepares an environment and calls a package; it has no logic."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2026.10.20"
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "typecheck", "tests"]

# Without the caller's PYTHON… variables, in any locale.
NEUTRAL_PYTHON = ("python", "-E", "-X", "utf8")
# The modules of every session are those of the lock file, also for the build backends that uv starts.
for _name in ("PYTHONPATH", "PYTHONHOME"):
    os.environ.pop(_name, None)
# Sessions use this uv and no other; workflows install the same one with nox (`.github/nox.txt`).
UV_VERSION = "0.13.9"
# Every SDK of conformance/adapters/adapters.yaml that needs nothing but PyPI and npm, and its runtimes.
SDKS = (
    "python-sync",
    "python-async",
    "node18-esm",
    "node20-esm",
    "node22-esm",
    "node22-cjs",
    "node24-esm",
    "deno",
    "bun",
    "workerd",
)
RUNTIMES = ("node18", "node20", "node22", "node24", "deno", "bun", "workerd")
WORKFLOWS = tuple(
    f".github/workflows/{name}.yml" for name in ("ci", "rehearsal", "release", "website")
)


def provide_uv() -> None:
    """Put uv on the search path: the one installed with nox, or else one of our own, installed once.

    A block of script metadata would do this as well, but then nox calls pip at every start, which prints.
    """
    if _installed_version("uv") == UV_VERSION:
        from uv import find_uv_bin  # noqa: PLC0415 - it may not be installed

        program = Path(find_uv_bin())
    else:
        folder = Path(".nox", f"uv-{UV_VERSION}").absolute()
        windows = sys.platform == "win32"
        program = folder.joinpath("Scripts" if windows else "bin", "uv.exe" if windows else "uv")
        if not program.exists():
            # `uv tool install nox` makes an environment without pip.
            with_pip = (sys.executable, "-E", "-m", "pip", "install", "-qq", "--upgrade")
            tool = with_pip if importlib.util.find_spec("pip") else ("uv", "pip", "install", "-q")
            what = ("--no-deps", "--target", str(folder), f"uv=={UV_VERSION}")
            subprocess.run([*tool, *what], check=True)
    os.environ["UV"] = str(program)  # where nox looks for it
    os.environ["PATH"] = os.pathsep.join([str(program.parent), os.environ.get("PATH", os.defpath)])


def _installed_version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


provide_uv()


def sync(session: nox.Session, *groups: str, workspace: bool = True) -> None:
    """Install the locked dependency groups, and with `workspace` our own packages, editable."""
    command = ["uv", "sync", "--locked", "--quiet", "--no-default-groups"]
    command += ["--all-packages"] if workspace else []
    for group in groups:
        command += ["--group" if workspace else "--only-group", group]
    environment = {"UV_PROJECT_ENVIRONMENT": session.virtualenv.location}
    session.run_install(*command, env=environment, external=True)


def keeping_bytecode(session: nox.Session) -> dict[str, str | None]:
    """Return variables with which Python keeps what it compiles, also where it may not do so beside the sources.

    Tests start hundreds of programs; without, each compiles all that it imports anew, which doubles its start.
    """
    folder = Path(session.virtualenv.location, "bytecode").absolute()
    return {"PYTHONDONTWRITEBYTECODE": None, "PYTHONPYCACHEPREFIX": str(folder)}


def run_interruptible(session: nox.Session, *command: str, **environment: str | None) -> None:
    """Run a command that stops what it started when it is interrupted: this takes longer than nox waits by default.

    A signal that ends nox would leave the command running. Here nox does what it does at Ctrl-C: it sends SIGTERM to the
    command, which takes it for the same interruption where Ctrl-C has reached it already, and waits for its end.
    """
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    session.run(*command, env=environment, interrupt_timeout=0.5, terminate_timeout=120)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests of all packages. Arguments go to pytest, and leave the JavaScript tests out."""
    sync(session, "tests", "release", "publish", "parity", "js", "mutation")
    # Each worker takes neighbouring tests, which share fixtures, and at its end those that another has left.
    workers = ("-n", "auto", "--dist", "worksteal")
    run_interruptible(session, "pytest", *workers, *session.posargs, **keeping_bytecode(session))
    if not session.posargs:
        session.notify("js_test")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, imports, sizes of files, contract, workflows, and that generated files are up to date."""
    sync(session, "lint", workspace=False)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("openapi-spec-validator", "openapi/arcrun.yaml")
    session.run("python", "-m", "scripts.contract_copies", "--check")
    session.run("python", "-m", "scripts.unasync", "--check")
    session.run("python", "-m", "scripts.release.distribution_name", "--check")
    session.run("python", "-m", "scripts.release.mcp_registry", "--check")
    session.run("python", "-m", "scripts.known_recipes", "--check")
    session.run("python", "-m", "scripts.error_codes", "--check")
    session.run("python", "-m", "scripts.website.readme", "--check")
    session.run("python", "-m", "scripts.import_cycles")
    session.run("python", "-m", "scripts.file_sizes")
    session.run("zizmor", "--offline", "--quiet", "--pedantic", ".github")
    schema = ("check-jsonschema", "--builtin-schema")
    session.run(*schema, "vendor.github-workflows", *WORKFLOWS)
    session.run(*schema, "vendor.github-actions", ".github/actions/conformance/action.yml")
    registry = ("--schemafile", "scripts/release/mcp_registry.schema.json")
    session.run("check-jsonschema", *registry, "packages/python-sdk/server.json")


@nox.session
def typecheck(session: nox.Session) -> None:
    """Check the types, with mypy and with pyright, both strict."""
    sync(
        session,
        "typecheck",
        "release",
        "publish",
        "fuzz",
        "parity",
        "mutation",
        "website",
        "browser",
    )
    session.run("mypy")
    session.run("pyright")
    for checker in ("mypy", "pyright"):  # as strict users of the SDK do
        session.run(checker, "packages/python-sdk/tests/typed_program.py")


@nox.session
def serve(session: nox.Session) -> None:
    """Start the engine in development mode, with the site if `website` has built it; print URL, docs and a key."""
    sync(session)
    site = Path("packages/website/out")
    shown = ("--site", str(site)) if site.joinpath("index.html").is_file() else ()
    command = ("arcrun-server", "serve", "--dev", *shown, *session.posargs)
    run_interruptible(session, *command, ARCRUN_SERVER_COMMAND="nox -s serve --")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Fuzz the engine against the contract; `-- --seed N` repeats a run."""
    sync(session, "fuzz", "release")
    run_interruptible(session, "python", "-m", "scripts.fuzz", *session.posargs)


@nox.session
def load(session: nox.Session) -> None:
    """Load an engine with 200 clients, and attack one, for a minute each; print the figures."""
    sync(session, "tests", "release", "parity", "js")
    environment = {"ARCRUN_LOAD_SECONDS": "60", "ARCRUN_LOAD_CLIENTS": "200", **session.env}
    command = ("pytest", "-s", "packages/server/tests/load", *session.posargs)
    run_interruptible(session, *command, **environment)


@nox.session
def survival(session: nox.Session) -> None:
    """Kill engines a hundred times while they execute 1,000 accepted runs, and stop their database; print the figures."""
    sync(session, "tests", "release", "parity", "js")
    environment = {
        "ARCRUN_SURVIVAL_RUNS": "1000",
        "ARCRUN_SURVIVAL_KILLS": "100",
        "ARCRUN_SURVIVAL_OUTAGE": "30",
        "ARCRUN_SURVIVAL_SECONDS": "1800",
        **session.env,
    }
    command = ("pytest", "-s", "-n", "0", "packages/server/tests/survival", *session.posargs)
    run_interruptible(session, *command, **environment)


def without_keys(arguments: list[str]) -> tuple[list[str], dict[str, str]]:
    """Move keys from arguments, which nox prints, to the environment; return what is left, and the variables."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for option in ("--api-key", "--second-api-key", "--revoked-api-key"):
        parser.add_argument(option)
    found, left = parser.parse_known_args(arguments)
    return left, {
        f"ARCRUN_CONFORMANCE_{name.upper()}": key for name, key in vars(found).items() if key
    }


@nox.session
def conformance(session: nox.Session) -> None:
    """Run the conformance suite on the sources, or with `--packages dist/` on those of a rehearsal.

    Other arguments go to `arcrun-conformance run`.
    """
    arguments, keys = without_keys(session.posargs)
    if any(argument.partition("=")[0] == "--packages" for argument in arguments):
        sync(session, "release", "parity", "js", workspace=False)
        command = (*NEUTRAL_PYTHON, "-m", "scripts.release.packages", *arguments)
        run_interruptible(session, *command, **keys)
        return
    sync(session, "models")
    again = {"ARCRUN_CONFORMANCE_COMMAND": "nox -s conformance --"}
    run_interruptible(session, "arcrun-conformance", "run", *arguments, **keys, **again)


@nox.session
def generated_mutants(session: nox.Session) -> None:
    """Judge a sample of generated mutants: what suite and tests don't notice is listed."""
    sync(session, "tests", "release", "parity", "js", "mutation")
    with session.chdir("scripts/mutation/typescript"):
        session.run_install("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
    run_interruptible(session, "python", "-m", "scripts.mutation", *session.posargs)


@nox.session
def mcp_conformance(session: nox.Session) -> None:
    """Measure arcrun-mcp by the suite of the Model Context Protocol, against exceptions with reasons."""
    sync(session, "release", "js")
    with session.chdir("scripts/mcp_conformance"):
        session.run_install("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
    run_interruptible(session, "python", "-m", "scripts.mcp_conformance", *session.posargs)


@nox.session
def release(session: nox.Session) -> None:
    """Rehearse the release, from sources to installed and tested packages: GO or NO-GO."""
    sync(session, "release", "fuzz", "js", "parity", "publish", workspace=False)
    command = (*NEUTRAL_PYTHON, "-m", "scripts.release", *session.posargs)
    run_interruptible(session, *command)


@nox.session
def next_version(session: nox.Session) -> None:
    """Say what the next version must be at least, and why: `-- --against REV` compares with that commit."""
    sync(session, "release", "parity", workspace=False)
    command = (*NEUTRAL_PYTHON, "-m", "scripts.release.compatibility", *session.posargs)
    session.run(*command)


@nox.session
def verify(session: nox.Session) -> None:
    """Recompute GO from the evidence; with `-- FILE` check a download: registry, attestation, `--rebuild`."""
    sync(session, "release", "publish", "parity", "js", workspace=False)
    run_interruptible(session, *NEUTRAL_PYTHON, "-m", "scripts.release.verify", *session.posargs)


@nox.session
def approve(session: nox.Session) -> None:
    """Compare what will be published with the evidence, and approve it; a person does this, twice."""
    sync(session, "release", "parity", "js", workspace=False)
    run_interruptible(
        session, *NEUTRAL_PYTHON, "-m", "scripts.release.publish.command", *session.posargs
    )


@nox.session
def release_faults(session: nox.Session) -> None:
    """Rehearse and publish releases with one fault each: the right step must say NO-GO, and nothing be half done."""
    sync(session, "release", "fuzz", "js", "parity", "publish", workspace=False)
    command = (*NEUTRAL_PYTHON, "-m", "scripts.release.faults", *session.posargs)
    # Some faults run nox, which `python -m nox` starts without a program on the search path.
    run_interruptible(session, *command, ARCRUN_NOX_PYTHON=sys.executable)


def javascript(session: nox.Session, *groups: str) -> None:
    """Install Node.js, the engine to test against, and the locked npm packages; build the SDK."""
    sync(session, "js", *groups)
    session.chdir("packages/js-sdk")
    session.run_install("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    session.run("npm", "run", "build")


def javascript_adapters(session: nox.Session, *runtimes: str) -> None:
    """Prepare the adapters that run the built SDK on these runtimes."""
    environment = "conformance/adapters/javascript/environment.py"
    session.run("python", environment, "--sdk", "packages/js-sdk", ".arcrun/javascript", *runtimes)


@nox.session
def js_build(session: nox.Session) -> None:
    """Build the JavaScript SDK."""
    javascript(session)


@nox.session
def js_test(session: nox.Session) -> None:
    """Build and test the JavaScript SDK, in part against a real engine. Arguments go to vitest."""
    javascript(session)
    session.run("npm", "test", "--", *session.posargs)


@nox.session
def js_lint(session: nox.Session) -> None:
    """Build the JavaScript SDK; check its style, its types, its API report and its package."""
    javascript(session)
    session.run("npm", "run", "lint")


@nox.session
def website(session: nox.Session) -> None:
    """Build the site to packages/website/out; `-- --engine URL` for one that another host serves."""
    sync(session, "js", "website")
    session.run("python", "-m", "scripts.website", *session.posargs)


@nox.session
def website_test(session: nox.Session) -> None:
    """Build the site, serve it by the engine, and test it in Chromium. Arguments go to pytest."""
    javascript(session, "website", "browser", "tests")
    session.chdir("../..")
    session.run("python", "-m", "scripts.website")
    run_interruptible(session, "pytest", "packages/website/tests", *session.posargs)


@nox.session
def website_screenshots(session: nox.Session) -> None:
    """Build the site, and take its pages in Chromium, for the README too."""
    sync(session, "js", "website", "browser")
    session.run("python", "-m", "scripts.website")
    session.run("python", "-m", "scripts.website.screenshots")


@nox.session
def matrix(session: nox.Session) -> None:
    """Run the conformance suite on the sources, with every SDK and runtime but the browser.

    Arguments go to `arcrun-conformance run`: `--shard 2/4` runs a part, and the session `merge` puts all together.
    """
    javascript(session, "models")
    session.chdir("../..")
    javascript_adapters(session, *RUNTIMES)
    arguments, keys = without_keys(session.posargs)
    command = ("arcrun-conformance", "run", "--sdk", ",".join(SDKS), *arguments)
    run_interruptible(session, *command, **keys)


@nox.session
def merge(session: nox.Session) -> None:
    """Merge the reports of shards into one. Arguments go to `arcrun-conformance merge`."""
    sync(session)
    session.run("arcrun-conformance", "merge", *session.posargs)


@nox.session
def mutants(session: nox.Session) -> None:
    """Test the suite itself: it must find every broken engine and SDK, by the right check."""
    javascript(session, "models")
    session.chdir("../..")
    javascript_adapters(session, "node24")
    command = ("arcrun-conformance", "mutants", "--require-javascript", *session.posargs)
    run_interruptible(session, *command)


@nox.session
def parity(session: nox.Session) -> None:
    """Compare what contract, Python SDK and TypeScript SDK offer, send and seal: GO or NO-GO."""
    javascript(session, "parity", "release", "models")
    session.chdir("../..")
    javascript_adapters(session, "node24")
    run_interruptible(session, "python", "-m", "scripts.parity", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure speed and size, each against a baseline in the same run."""
    javascript(session, "release", "tests")
    session.chdir("../..")
    session.run("python", "-m", "scripts.bench", *session.posargs)
