"""Publish from the command line: `nox -s release -- --publish`, `--resume`, `--abort`, and `nox -s approve`."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import ROOT, processes
from scripts.console import exit_code, make_console
from scripts.release import git
from scripts.release.environment import for_remote
from scripts.release.foreign import visible
from scripts.release.packages import released
from scripts.release.publish import npm, preflight, pypi
from scripts.release.publish import record as records
from scripts.release.publish.approve import AtTerminal, approve
from scripts.release.publish.attestations import (
    check_signature,
    check_stand_in,
    sign,
    stand_in,
)
from scripts.release.publish.http import NotAsked
from scripts.release.publish.loopback import serve
from scripts.release.publish.loopback_npm import ONE_TIME_PASSWORD
from scripts.release.publish.machine import DONE, NO_GO, STEPS, WAITING, advance
from scripts.release.publish.proof import through_the_gate
from scripts.release.publish.publication import (
    Credentials,
    NotDone,
    Publication,
    Registries,
)
from scripts.release.publish.state import FINAL, STAGES, NoTransition, RecordInvalid
from scripts.release.results import AlreadyRunning, new_run, only_one
from scripts.release.verify import NotProven, read_evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rich.console import Console

    from scripts.release.publish.approve import Person

PYPI, PYPI_UPLOAD = "https://pypi.org", "https://upload.pypi.org/legacy/"
NPM, GITHUB = "https://registry.npmjs.org", "https://api.github.com/repos"
RECORD = Path("evidence", "publish.json")
# What GitHub's runner tells about itself and about the workflow: identity tokens and provenance need it.
_OIDC = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
_ABOUT_WORKFLOW = ("CI", "GITHUB_", "RUNNER_", "ACTIONS_ID_TOKEN_")
_PROBLEMS = (
    *(NotDone, NotAsked, NotProven, RecordInvalid, NoTransition),
    *(processes.CommandFailed, git.CheckoutUnusable, AlreadyRunning),
)


@dataclass
class OnLoopback:
    """Stands in for a person where nothing becomes public: what is compared is compared all the same."""

    name: str = "the loopback approver"

    def consents(self, version: str) -> bool:
        """Consent."""
        del version
        return True

    def one_time_password(self) -> str:
        """Return the one that the registry on loopback accepts."""
        return ONE_TIME_PASSWORD


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a publication to those of a rehearsal."""
    group = parser.add_argument_group("publishing what the last rehearsal has proven")
    which = group.add_mutually_exclusive_group()
    for name, told in {
        "publish": "publish dist/ to PyPI and npm; without credentials, check what can be checked",
        "resume": "continue a publication that was interrupted, failed, or waited for approval",
        "abort": "end a publication, and say what can't be undone",
    }.items():
        which.add_argument(f"--{name}", action="store_true", help=told)
    _add_settings(group)


# The options of `_add_settings`.
SETTINGS = ("registry", "pypi_url", "npm_url", "live_report")


def _add_settings(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--registry", choices=["public", "local"], default="public", help="local: on loopback"
    )
    parser.add_argument("--pypi-url", default=PYPI, help=f"the address of PyPI ({PYPI})")
    parser.add_argument("--npm-url", default=NPM, help=f"the address of the npm registry ({NPM})")
    parser.add_argument(
        "--live-report", type=Path, help="the report of the gate with the hosted engine"
    )


def credentials_of(caller: Mapping[str, str]) -> Credentials:
    """Return the credentials in an environment."""
    about = {name: caller[name] for name in caller if name.startswith(_ABOUT_WORKFLOW)}
    about.pop("GITHUB_TOKEN", None)
    return Credentials(
        npm=caller.get("NPM_TOKEN"),
        github=caller.get("GITHUB_TOKEN"),
        oidc=about if all(name in caller for name in _OIDC) else {},
    )


def run(options: argparse.Namespace, root: Path = ROOT) -> int:
    """Publish, resume or abort; return 0 when done, 3 when a person is needed, 1 for NO-GO."""
    return _or_no_go(lambda: _run(options, root))


def _run(options: argparse.Namespace, root: Path) -> int:
    git.require_checkout(root)
    with only_one(root, new_run()), _publication(options, root) as publication:
        console, path = make_console(), root / RECORD
        if options.abort:
            return abort(publication, path, console)
        if options.registry == "local":
            return _on_loopback(publication, path, console)
        if not _can_publish(publication.credentials):
            return _dry(publication, console)
        return advance(publication, path, console)


def main(arguments: list[str] | None = None) -> int:
    """Approve, for `nox -s approve`; return 0 when it is approved or refused."""
    parser = argparse.ArgumentParser(prog="nox -s approve --", description=__doc__)
    _add_settings(parser)
    options = parser.parse_args(arguments)
    options.publish = options.abort = False
    options.resume = True
    processes.interrupt_on_signals()
    return _or_no_go(lambda: _approve(options))


def _approve(options: argparse.Namespace) -> int:
    with _publication(options, ROOT) as publication:
        person: Person = OnLoopback() if options.registry == "local" else AtTerminal(ROOT)
        approve(publication, ROOT / RECORD, make_console(), person)
    return DONE


def require_no_publication(root: Path) -> None:
    """Check that no publication is under way, whose record and files a new rehearsal would remove.

    Raises:
        NotDone: One is.
    """
    found = records.read(root / RECORD)
    if found and found.registry == "public" and found.state not in FINAL:
        raise NotDone(
            f"the publication of {found.version} is {found.state}: end it first, by "
            "nox -s release -- --resume or --abort"
        )


def _or_no_go(action: Callable[[], int]) -> int:
    """Return what an action returns; where it can't be done, say why in a sentence and return 1."""
    try:
        return action()
    except _PROBLEMS as problem:
        print(f"NO-GO: {visible(str(problem))}", file=sys.stderr)
    except KeyboardInterrupt:
        print("NO-GO: interrupted; continue with: nox -s release -- --resume", file=sys.stderr)
    return NO_GO


@contextlib.contextmanager
def _publication(options: argparse.Namespace, root: Path) -> Iterator[Publication]:
    """Gather what is published, and serve the registries where they are on loopback.

    The names come first: where one belongs to another project, nothing else matters.
    """
    with contextlib.ExitStack() as stack:
        registries = _registries(options, root, stack)
        if options.publish:
            _ask_names(registries)
        file = root / "evidence" / "release.json"
        artifacts = released(root / "dist", file)
        work = stack.enter_context(processes.temporary_folder("arcrun-publish-"))
        local = options.registry == "local"
        report = root / "evidence/conformance" if local else root / "reports/live"
        yield Publication(
            root=root,
            artifacts=artifacts,
            evidence=read_evidence(file),
            evidence_file=file,
            live_report=options.live_report or report / "conformance.json",
            work=work,
            log=root / "evidence" / "logs" / "publish.log",
            registries=registries,
            credentials=Credentials("loopback", "loopback", "loopback")
            if local
            else credentials_of(os.environ),
            network={} if local else for_remote(os.environ),
            attest=stand_in if local else sign,
            check_attestation=check_stand_in if local else check_signature,
            prove=through_the_gate,
        )


def _ask_names(registries: Registries) -> None:
    try:
        found = preflight.ask_names(registries.pypi, registries.npm)
    except NotDone as problem:
        raise NotDone(f"at step names:\n{problem}") from None
    print("names: " + ", ".join(f"{name} {state}" for name, state in found.items()))


def _registries(options: argparse.Namespace, root: Path, stack: contextlib.ExitStack) -> Registries:
    if options.registry == "public":
        repository = os.environ.get("GITHUB_REPOSITORY")
        github = f"{GITHUB}/{repository}" if repository else None
        return Registries("public", options.pypi_url, PYPI_UPLOAD, options.npm_url, github)
    folder, found = root / ".arcrun" / "release" / "registries", records.read(root / RECORD)
    if options.publish and (found is None or found.state in FINAL):
        shutil.rmtree(folder, ignore_errors=True)
        (root / RECORD).unlink(missing_ok=True)
    return on_loopback(stack.enter_context(serve(folder)).url)


def on_loopback(url: str) -> Registries:
    """Return the addresses of the services that `loopback.serve` has at this address."""
    return Registries("local", f"{url}/pypi", f"{url}/pypi/legacy/", f"{url}/npm", f"{url}/github")


def _can_publish(credentials: Credentials) -> bool:
    return bool(credentials.oidc or credentials.npm)


def _on_loopback(publication: Publication, path: Path, console: Console) -> int:
    """Run everything, also what a person does elsewhere."""
    code = advance(publication, path, console)
    while code == WAITING:
        approve(publication, path, console, OnLoopback())
        code = advance(publication, path, console)
    return code


def _dry(publication: Publication, console: Console) -> int:
    """Check what can be checked without credentials, and say what would follow; nothing is sent or recorded."""
    begun = publication.begin()
    checks = ("names", "evidence", "live")
    for name in checks:
        console.print(f"  ✓ {name}: {STEPS[name](publication, begun).told}", markup=False)
    console.print("dry: there are no credentials, and nothing was sent. With them would follow")
    for stage in STAGES[len(checks) :]:
        console.print(f"  - {stage.step}: {stage.summary}")
    return DONE


def abort(publication: Publication, path: Path, console: Console) -> int:
    """End a publication; say what is public and stays so."""
    record = records.read(path)
    if record is None or record.state in FINAL:
        state = record.state if record else "not begun"
        raise NotDone(f"there is nothing to abort: the publication is {state}")
    there, public = pypi.stored(publication), npm.published(publication)
    told = _stays(publication, there, npm_public=public is not None)
    if record.npm_stage and public is None:
        told.append(f"npm may still have the stage: npm stage reject {record.npm_stage}")
    changed = record.after("aborted", at=records.now(), told="; ".join(told) or "nothing is public")
    records.write(path, changed)
    console.print("aborted", *(told or ["nothing is public anywhere"]), sep="\n", markup=False)
    return DONE


def _stays(
    publication: Publication, there: dict[str, pypi.Stored], *, npm_public: bool
) -> list[str]:
    told = []
    if there:
        version, names = publication.version, ", ".join(sorted(there))
        day = pypi.closed_on(there)
        told = [
            f"PyPI has {names}, and keeps them: yank {version} there, so that nobody installs it by chance",
            f"{version} can never have other bytes; PyPI takes files for it only until {day}",
        ]
    if npm_public:
        told.append(
            "npm has the package: deprecate that version; after 72 hours it can't be removed"
        )
    return told


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
