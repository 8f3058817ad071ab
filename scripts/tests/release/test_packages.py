import argparse
import json
import re
import shutil
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from scripts import ROOT
from scripts.rehearsal import StepFailed
from scripts.release import packages
from scripts.release.artifacts import Artifact, sha256
from scripts.release.claims import release_files
from scripts.release.npm import tools
from scripts.release.publish import tiny_evidence
from scripts.release.verify import NotProven
from scripts.release.versions import PACKAGES, version_file

VERSION = "97.98.99"  # of no source
NPM_FILE = f"arcrun-sdk-{VERSION}.tgz"
FILES = release_files(VERSION, npm=True)


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """Files with the names of packages."""
    folder = tmp_path / "發行 dist"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text(f"這是 {name}", "utf-8")
    return folder


def evidence_of(dist: Path, *, leaving_out: str = "", **changed: Any) -> Path:
    """Write the evidence of a rehearsal that made these files."""
    files = sorted(path for path in dist.iterdir() if path.name != leaving_out)
    artifacts = [Artifact(FILES.get(path.name, "other"), path, sha256(path)) for path in files]
    path = tiny_evidence.write(dist.parent, artifacts, VERSION, "0" * 40)
    document = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**document, **changed}), "utf-8")
    return path


def test_all_packages_of_the_evidence_are_tested(dist: Path) -> None:
    found = packages.released(dist, evidence_of(dist))
    assert {each.path.name: each.package for each in found} == FILES
    assert all(each.sha256 == sha256(each.path) for each in found)


def refused(
    dist: Path, evidence: Path, capsys: pytest.CaptureFixture[str], *further: str
) -> tuple[int, str]:
    given = ["--packages", str(dist), "--evidence", str(evidence), "--gate", *further]
    return packages.main(given), capsys.readouterr().err


def test_a_package_with_other_bytes_than_the_evidence_has_is_no_go(
    dist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evidence = evidence_of(dist)
    (dist / NPM_FILE).write_text("別的", "utf-8")
    code, said = refused(dist, evidence, capsys)
    assert code == 1
    assert said.startswith(f"NO-GO {NPM_FILE} is not the file that was released:\n  its SHA-256 is")


def test_a_missing_sdk_is_no_go(dist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evidence = evidence_of(dist)
    (dist / NPM_FILE).unlink()
    code, said = refused(dist, evidence, capsys)
    assert (code, said) == (1, f"NO-GO {dist} lacks {NPM_FILE}, which {evidence} lists\n")


def test_a_rehearsal_without_an_sdk_is_no_go(
    dist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (dist / NPM_FILE).unlink()
    code, said = refused(dist, evidence_of(dist, scope="python"), capsys)
    assert code == 1
    assert said.startswith("NO-GO the rehearsal made no @arcrun/sdk (its scope is python)")


def test_a_file_that_the_rehearsal_did_not_make_is_no_go(
    dist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (dist / "另一個.whl").touch()
    code, said = refused(dist, evidence_of(dist, leaving_out="另一個.whl"), capsys)
    assert code == 1
    assert said.startswith("NO-GO 另一個.whl is not in the evidence")


def test_the_reports_of_an_earlier_run_do_not_outlive_a_refusal(
    dist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evidence = evidence_of(dist)
    (dist / NPM_FILE).unlink()
    reports = dist.with_name("own reports")
    reports.mkdir()
    for name in ("summary.md", "conformance.json", "index.html", "own.txt"):
        (reports / name).touch()
    code, _ = refused(dist, evidence, capsys, "--report-dir", str(reports))
    assert code == 1
    assert [path.name for path in reports.iterdir()] == ["own.txt"]


@pytest.mark.parametrize("gate", [True, False])
def test_the_gate_is_no_go_where_the_suite_wrote_no_report(tmp_path: Path, gate: bool) -> None:
    options = argparse.Namespace(report_dir=tmp_path, gate=gate)
    if gate:
        with pytest.raises(StepFailed, match="nothing is proved"):
            packages._require_proof(options, [])
    else:
        assert packages._require_proof(options, []) is None


def test_packages_of_a_rehearsal_that_ended_with_no_go_are_not_tested(
    dist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = refused(dist, evidence_of(dist, decision="NO-GO"), capsys)
    assert (code, said) == (1, f"NO-GO the rehearsal of {VERSION} ended with NO-GO\n")


def test_evidence_whose_parts_do_not_lead_to_go_is_no_go(
    dist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evidence = evidence_of(dist)
    (evidence.parent / "fuzz" / "fuzz.json").write_text("{}", "utf-8")
    code, said = refused(dist, evidence, capsys)
    assert code == 1
    assert said.startswith("NO-GO evidence/fuzz/fuzz.json was changed after the rehearsal")


@pytest.mark.parametrize("below", ["", "folder"])
def test_a_report_folder_that_can_not_be_made_is_no_go(
    dist: Path, capsys: pytest.CaptureFixture[str], below: str
) -> None:
    file = dist.with_name("mine.txt")
    file.write_text("mine", "utf-8")
    folder = file / below
    code, said = refused(dist, evidence_of(dist), capsys, "--report-dir", str(folder))
    assert code == 1
    assert said.startswith(f"NO-GO reports can't be written to --report-dir {folder}: ")
    assert said.endswith("; name another folder\n")
    assert file.read_text("utf-8") == "mine"


def test_an_earlier_report_that_can_not_be_removed_is_no_go(
    dist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = dist.with_name("own reports")
    (reports / "summary.md").mkdir(parents=True)
    code, said = refused(dist, evidence_of(dist), capsys, "--report-dir", str(reports))
    assert code == 1
    assert said.startswith(f"NO-GO reports can't be written to --report-dir {reports}: ")
    assert f"{reports}/summary.md: " in said


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "is not valid JSON"),
        (b"\xff", "is not UTF-8"),
        (b"[]", "is not evidence of a release"),
        (b"[" * 100_000, "is not valid JSON: it is nested more than 100 levels deep"),
    ],
    ids=["no JSON", "no UTF-8", "a list", "deep"],
)
def test_a_file_that_is_no_evidence_is_no_go(
    dist: Path, capsys: pytest.CaptureFixture[str], content: bytes, reason: str
) -> None:
    evidence = evidence_of(dist)
    evidence.write_bytes(content)
    code, said = refused(dist, evidence, capsys)
    assert code == 1
    assert said.startswith(f"NO-GO {evidence} {reason}")


def test_packages_that_are_a_file_and_evidence_that_is_a_folder_are_named(
    dist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evidence = evidence_of(dist)
    code, said = refused(dist / NPM_FILE, evidence, capsys)
    assert (code, said) == (1, f"NO-GO {dist / NPM_FILE} can't be read: Not a directory\n")
    code, said = refused(dist, dist, capsys)
    assert code == 1
    assert said.startswith(f"NO-GO {dist} can't be read: Is a directory; evidence is written by ")


def test_a_folder_among_the_packages_is_no_go(
    dist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evidence = evidence_of(dist)
    (dist / NPM_FILE).unlink()
    (dist / NPM_FILE).mkdir()
    code, said = refused(dist, evidence, capsys)
    assert (code, said) == (1, f"NO-GO {dist / NPM_FILE} can't be read: Is a directory\n")


def test_the_gate_is_no_part_of_a_dry_run(dist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        refused(dist, evidence_of(dist), capsys, "--dry-run")
    assert "--dry-run proves nothing; leave out --gate" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["evidence", "packages"])
def test_what_is_not_there_is_named(dist: Path, missing: str) -> None:
    evidence, nowhere = evidence_of(dist), dist.with_name("nowhere")
    given = (dist, nowhere) if missing == "evidence" else (nowhere, evidence)
    with pytest.raises(NotProven, match=f"^{re.escape(str(nowhere))} can't be read: No such file"):
        packages.released(*given)


def test_the_gate_needs_both_sdks(dist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        refused(dist, evidence_of(dist), capsys, "--sdk", "python-sync,python-async,deno")
    assert "--sdk leaves out node24-esm, workerd" in capsys.readouterr().err


def python_packages(work: Path, dist: Path) -> None:
    """Build the Python packages from copies that state the version."""
    for package, folder in PACKAGES.items():
        shutil.copytree(ROOT / folder, work / folder)
        stated = version_file(work, package)
        text = re.sub(r'".+"$', f'"{VERSION}"', stated.read_text("utf-8").rstrip())
        stated.write_text(f"{text}\n", "utf-8")
        command = [sys.executable, "-m", "hatchling", "build", "-d", str(dist)]
        subprocess.run(command, cwd=work / folder, check=True, capture_output=True)


def npm_tarball(path: Path) -> None:
    """Write a package of that name that says who it is when it is loaded."""
    files = {
        "package.json": json.dumps(
            {"name": "@arcrun/sdk", "version": VERSION, "type": "module", "main": "index.js"}
        ),
        "index.js": 'throw new Error("the package of the tarball");\n',
    }
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(text)
            archive.addfile(member, BytesIO(text.encode()))


def test_what_runs_is_what_is_in_the_packages_and_not_the_sources(tmp_path: Path) -> None:
    try:
        tools.program("npm")
    except tools.NodeMissing as node_missing:
        pytest.skip(str(node_missing))
    dist = tmp_path / "dist"
    dist.mkdir()
    python_packages(tmp_path / "sources", dist)
    npm_tarball(dist / NPM_FILE)
    reports = tmp_path / "live"
    given = ["--packages", str(dist), "--evidence", str(evidence_of(dist))]
    given += ["--sdk", "python-sync,python-async,node24-esm", "--scenario", "health"]
    ran = subprocess.run(
        [sys.executable, "-m", "scripts.release.packages", *given, "--report-dir", str(reports)],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    report = json.loads((reports / "conformance.json").read_text("utf-8"))
    sdks = {each["name"]: each for each in report["sdks"]}
    assert [sdks[name]["version"] for name in ("python-sync", "python-async")] == [VERSION] * 2
    cells = {cell["sdk"]: cell for cell in report["cells"]}
    assert cells["python-sync"]["outcome"] == cells["python-async"]["outcome"] == "passed"
    assert not sdks["node24-esm"]["started"]
    assert "the package of the tarball" in cells["node24-esm"]["reason"]
    assert {each["file"]: each["sha256"] for each in report["artifacts"]} == {
        path.name: sha256(path) for path in dist.iterdir()
    }
