"""Check the evidence of a release, and with the names of downloaded files that these are what was released.

nox -s verify                                # the parts of evidence/: GO is recomputed from them
nox -s verify -- arcrun-0.1.0-py3-none-any.whl           # a file: registry, attestation, evidence
nox -s verify -- arcrun-0.1.0-py3-none-any.whl --rebuild # and a build from the tag: the same bytes
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jsonschema

from scripts import ROOT, processes
from scripts.console import exit_code
from scripts.rehearsal import describe
from scripts.release import verdict, verify_public, verify_rebuild
from scripts.release.artifacts import sha256
from scripts.release.claims import began, ended
from scripts.release.environment import isolated
from scripts.release.foreign import NotReadable, in_a_line, read_json, visible
from scripts.release.npm.tools import NodeMissing
from scripts.release.publish.attestations import (
    Identity,
    NotAttested,
    check_bundles,
    check_provenance,
    verifier,
)
from scripts.release.publish.http import NotAsked
from scripts.release.verify_public import NotPublic, Public
from scripts.release.verify_rebuild import NotRebuilt
from scripts.release.versions import NPM_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sigstore.verify import Verifier

SCHEMA = Path(__file__).with_name("evidence.schema.json")
_WHERE_FROM = (
    "evidence is written by nox -s release, or comes with a release: name its release.json, "
    "with its parts beside it, with --evidence"
)


class NotProven(Exception):
    """The evidence does not prove that this file was released; the message says why."""


_NO_PROOF = (
    *(NotProven, NotPublic, NotAttested, NotRebuilt, NotAsked, NotReadable, NodeMissing),
    processes.CommandFailed,
)


def read_evidence(path: Path) -> dict[str, Any]:
    """Read evidence and validate it.

    Raises:
        NotProven: It can't be read, is not valid JSON, or does not match the schema.
    """
    try:
        document: dict[str, Any] = read_json(path)
        jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(document)
        for point in (began, ended):
            point(document)
    except NotReadable as problem:
        raise NotProven(f"{problem}; {_WHERE_FROM}") from None
    except jsonschema.ValidationError as error:
        what = in_a_line(f"{error.json_path}: {error.message[:300]}")
        raise NotProven(f"{path} is not evidence of a release: {what}") from None
    except ValueError as error:
        raise NotProven(
            f"{path} is not evidence of a release: run or finished_at: {error}"
        ) from None
    return document


def verify(artifact: Path, evidence: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of the evidence for a file.

    Raises:
        NotProven: The decision was not GO, the working tree was not the commit that the evidence
            names, or the evidence has no file of this name with these bytes.
    """
    if evidence["decision"] != "GO":
        raise NotProven(f"the rehearsal of {evidence['version']} ended with {evidence['decision']}")
    failed = [step["name"] for step in evidence["steps"] if step["status"] != "passed"]
    if failed:
        raise NotProven(f"the evidence says GO, but {', '.join(failed)} did not pass")
    state = evidence["git"]
    if state["dirty"] or state["changed"]:
        raise NotProven(
            f"the working tree was not the commit {state['commit']}: "
            f"{', '.join(state['changed']) or 'it changed during the rehearsal'}"
        )
    entries: dict[str, dict[str, Any]] = {each["file"]: each for each in evidence["artifacts"]}
    entry = entries.get(artifact.name)
    if entry is None:
        raise NotProven(f"{artifact.name} is not in the evidence, which lists {', '.join(entries)}")
    found = sha256(artifact)
    if found != entry["sha256"]:
        raise NotProven(
            f"{artifact.name} is not the file that was released:\n"
            f"  its SHA-256 is    {found}\n  the evidence says {entry['sha256']}"
        )
    if (size := artifact.stat().st_size) != entry["bytes"]:
        raise NotProven(f"{artifact.name} has {size} bytes, and the evidence says {entry['bytes']}")
    return entry


def require_go(evidence: dict[str, Any], path: Path, work: Path) -> verdict.Verdict:
    """Recompute the decision from the parts of the evidence, which are beside it; return the verdict.

    Raises:
        NotProven: They lead to NO-GO, or one of them was changed; says everything that is wrong.
    """
    found = verdict.recompute(evidence, path.parent, work)
    if found.reasons:
        raise NotProven("\n".join(found.reasons))
    return found


class Checks(NamedTuple):
    """What one call checks, and by what.

    Attributes:
        options: The options of the command line.
        public: Where the release is public; None with `--offline`.
        work: A temporary folder.
    """

    options: argparse.Namespace
    public: Public | None
    work: Path

    def evidence(self) -> Path:
        """Return the path of the evidence: the given one, or that of the release on GitHub."""
        if self.options.evidence or not (self.public and self.options.artifact):
            return Path(self.options.evidence or "evidence/release.json")
        version = verify_public.version_in(self.options.artifact[0].name)
        return verify_public.evidence_of(self.public, version, self.work / "evidence")

    def attested(self, evidence: dict[str, Any], files: Sequence[Path]) -> str | None:
        """Check the attestations of files; return by whom they are, or None where none is asked for.

        Raises:
            NotAttested: A file has none that is right.
        """
        given = self.options.attestation
        if self.public is None and given is None:
            return None
        repository = self.options.repository or verify_public.repository_of(ROOT)
        identity = Identity(repository, f"v{evidence['version']}", evidence["git"]["commit"])
        verifies = verifier(self.options.trust_root)
        for path in files:
            digest = sha256(path)
            bundles = [bundle for each in given or () for bundle in verify_public.bundles_in(each)]
            if given is None and self.public:
                bundles = verify_public.attestations_of(self.public, digest)
            check_bundles(bundles, path.name, digest, identity, verifies)
        for each in evidence["artifacts"] if self.public else ():
            self._attested_on_pypi(each, evidence["version"], files, identity, verifies)
        return identity.workflow_url

    def _attested_on_pypi(
        self,
        entry: dict[str, Any],
        version: str,
        files: Sequence[Path],
        identity: Identity,
        verifies: Verifier,
    ) -> None:
        """Check what PyPI gives out as the provenance of a file, if it is one of these and is there."""
        if (
            self.public
            and entry["package"] != NPM_NAME
            and entry["file"] in {f.name for f in files}
        ):
            given = (entry["package"], version, entry["file"])
            provenance = verify_public.provenance_of(self.public, *given)
            check_provenance(
                provenance, f"{entry['file']} on PyPI", entry["sha256"], identity, verifies
            )

    def rebuilt(self, evidence: dict[str, Any], files: Sequence[Path]) -> None:
        """Build files again, from the tag in a fresh clone, and compare the bytes."""
        repository = self.options.repository or verify_public.repository_of(ROOT)
        url = self.options.clone or verify_rebuild.address(repository)
        commit, version = evidence["git"]["commit"], evidence["version"]
        with verify_rebuild.kept_log(ROOT / ".arcrun" / "verify") as log:
            checkout = verify_rebuild.clone(url, version, commit, self.work / "clone", log)
            # The caller's settings, as PYTHONPATH, are not those of the release, which was built without.
            with isolated(self.work / "home") as downloads:
                for number, path in enumerate(files):
                    verify_rebuild.rebuild(
                        path,
                        verify(path, evidence)["package"],
                        checkout,
                        self.work / f"build-{number}",
                        log=log,
                        downloads=downloads,
                    )


def _check(checks: Checks) -> None:
    """Make all checks, and print a line for each that holds."""
    files: list[Path] = checks.options.artifact
    path = checks.evidence()
    evidence = read_evidence(path)
    version, commit = evidence["version"], evidence["git"]["commit"]
    found = require_go(evidence, path, checks.work)
    steps = len(evidence["steps"])
    told = (
        f"GO of {version} at {commit[:12]}, recomputed from {steps} steps and {found.files} files"
    )
    _say(f"evidence: {told}")
    entries = [verify(each, evidence) for each in files]
    for each, entry in zip(files, entries, strict=True):
        _say(
            f"evidence: {each.name}: its SHA-256, and that in {evidence['sboms'][entry['package']]}"
        )
        if checks.public:
            registry = verify_public.require_same_in_registry(
                checks.public, entry["package"], version, each
            )
            _say(f"registry: {each.name}: {registry} gives out these bytes")
    by = checks.attested(evidence, [path, *files])
    if by:
        names = ", ".join(each.name for each in (path, *files))
        _say(f"attestation: {names}: made by {by}, at this commit")
    if checks.options.rebuild:
        checks.rebuilt(evidence, files)
        _say(f"rebuild: v{version} in a fresh clone gives the same bytes")
    for each, entry in zip(files, entries, strict=True):
        _say(f"{each.name}: {entry['package']} {version}, as released")


def _say(told: str) -> None:
    """Print a line for what holds; names in it are those of others."""
    print(f"✓ {in_a_line(told)}")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="nox -s verify --",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("artifact", type=Path, nargs="*", help="a wheel, an sdist or a tarball of npm")
    add("--evidence", type=Path, help="release.json, with its parts beside it; by default that of GitHub's release, and without files that in evidence/")  # fmt: skip
    add("--attestation", type=Path, action="append", help="a Sigstore bundle, in place of GitHub's")
    add("--offline", action="store_true", help="ask no registry, and not GitHub")
    add("--rebuild", action="store_true", help="build from the tag, and compare the bytes")
    add("--repository", metavar="OWNER/NAME", help="by default the one that this checkout is a clone of")  # fmt: skip
    add("--clone", metavar="URL", help="what to clone for --rebuild, in place of GitHub's address")
    add("--trust-root", type=Path, help="another trust root than that of Sigstore")
    for name, url in (("pypi", verify_public.PYPI), ("npm", verify_public.NPM)):
        add(f"--{name}-url", default=url, help=f"another address ({url})")
    add("--github-url", default=verify_public.GITHUB_API, help="another address of GitHub's API")
    options = parser.parse_args(arguments)
    if options.rebuild and not options.artifact:
        parser.error("--rebuild needs the file to compare with")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Check; return 0 if the evidence proves GO, and that all files were released."""
    options = _options(arguments)
    processes.interrupt_on_signals()
    try:
        public = None
        if options.artifact and not options.offline:
            repository = options.repository or verify_public.repository_of(ROOT)
            public = Public(options.pypi_url, options.npm_url, options.github_url, repository)
        with processes.temporary_folder("arcrun-verify-") as work:
            _check(Checks(options, public, work))
    except OSError as problem:
        return _refused(
            f"{problem.filename or 'a file'} can't be read: {problem.strerror or problem}"
        )
    except _NO_PROOF as problem:
        return _refused(describe(problem))
    except KeyboardInterrupt:
        print("✗ interrupted", file=sys.stderr)
        return 130
    return 0


def _refused(why: str) -> int:
    """Print why something is not proven; texts of others steer neither terminal nor CI system."""
    print(f"✗ {visible(why)}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
