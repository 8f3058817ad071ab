"""GO is recomputed from the parts of the evidence: each lie about one of them is found, and named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.release import evidence_archive
from scripts.release.artifacts import sha256
from scripts.release.verify import main
from scripts.tests.release.rehearsed import ENGINE, FUZZ, SUITE, Rehearsed, entry, rehearse, step


@pytest.fixture
def rehearsed(tmp_path: Path) -> Rehearsed:
    return rehearse(tmp_path)


def test_parts_that_lead_to_go_are_go(rehearsed: Rehearsed) -> None:
    assert rehearsed.reasons() == []


def test_a_changed_byte_in_any_part_is_found_and_named(rehearsed: Rehearsed) -> None:
    parts = [
        path
        for folder in ("evidence", "reports")
        for path in sorted((rehearsed.folder / folder).rglob("*"))
        if path.is_file() and path != rehearsed.evidence
    ]
    assert len(parts) > 6
    for path in parts:
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        found = rehearsed.reasons()
        shown = path.relative_to(rehearsed.folder).as_posix()
        assert found[0].startswith(f"{shown} was changed after the rehearsal: its SHA-256 is ")
        assert found[1:] == ["the evidence says GO, and its parts do not"]
        path.unlink()
        assert rehearsed.reasons()[0] == f"{shown} is not there, and the evidence lists it"
        path.write_bytes(content)
    assert rehearsed.reasons() == []


def without(report: Any, sdk: str) -> None:
    """Remove an SDK and its cells from a report, consistently."""
    report["sdks"] = [each for each in report["sdks"] if each["name"] != sdk]
    report["cells"] = [each for each in report["cells"] if each["sdk"] != sdk]


@pytest.mark.parametrize(
    ("file", "change", "says"),
    [
        (SUITE, lambda it: it["cells"][0].update(outcome="failed"), "the gate says NO-GO: "),
        (SUITE, lambda it: [check.update(outcome="failed") for cell in it["cells"] for check in cell["checks"]], "the gate says NO-GO: account-names with python-sync: passed, but not passed: check; "),
        (ENGINE, lambda it: it["cells"][0]["checks"].clear(), "passed, but no check passed"),
        (SUITE, lambda it: it["target"].update(remote=True), "it is about the target local, which others use"),
        (SUITE, lambda it: it["target"].update(name="live"), "it is about the target live, no engine of its own"),
        (SUITE, lambda it: it["target"].update(remote=""), "it is about the target local, no engine of its own"),
        (ENGINE, lambda it: it["target"].update(remote=True), "it is about the target local, which others use"),
        (SUITE, lambda it: it.update(gate=None), "it is no report of the suite: TypeError"),
        (SUITE, lambda it: it.update(started="1999-12-31T23:59:59+00:00"), "it began at 1999-12-31 23:59:59+00:00, and the rehearsal"),
        (SUITE, lambda it: it.update(started="2026"), "is no report of the step conformance: ValueError"),
        (SUITE, lambda it: it["sdks"][0].pop("started"), "the gate says NO-GO: python-sync: it was not started"),
        (ENGINE, lambda it: it["cells"].pop(), "was not run"),
        (SUITE, lambda it: it.update(cells=[]), "the gate says NO-GO: "),
        (SUITE, lambda it: it.update(sdks=[]), "it is not about python-sync, python-async, "),
        (SUITE, lambda it: without(it, "deno"), "it is not about deno"),
        (SUITE, lambda it: it["sdks"][0].update(name="theirs"), "it is not about python-sync"),
        (SUITE, lambda it: it["sdks"].append({"name": "theirs"}), "it is about theirs, which a "),
        (ENGINE, lambda it: it.update(sdks=[]), "no SDK took part"),
        (SUITE, lambda it: it.update(interrupted=True), "the run was interrupted"),
        (SUITE, lambda it: it["leftovers"]["left"].append("x"), "left credentials or workflows"),
        (SUITE, lambda it: it["gate"].update(verdict="NO-GO"), "the suite's report says NO-GO"),
        (SUITE, lambda it: it["gate"].update(reasons=["bad"]), "the suite's report says GO: ['bad']"),
        (SUITE, lambda it: it["gate"].update(contract="0.0.1"), "the gate of contract 0.0.1 was applied, not "),
        (SUITE, lambda it: it["sdks"][0].update(version="6.0.0"), "the suite ran python-sync 6.0.0, but"),
        (SUITE, lambda it: it["artifacts"].pop(), "it is not about these bytes of arcrun-sdk-7"),
        (SUITE, lambda it: it["artifacts"].append({"file": "theirs.whl", "sha256": "0" * 64}), "it is not about these bytes of theirs.whl"),
        (SUITE, lambda it: it.update(suite="engine"), "it is the report of the suite engine"),
        (SUITE, lambda it: it.pop("target"), "is no report of the step conformance: KeyError 'target'"),
        (SUITE, lambda it: it.pop("suite"), "is no report of the step conformance"),
        (
            ENGINE,
            lambda it: it["cells"][0]["checks"].append({"id": "more", "outcome": "passed"}),
            "the step engine_suite records checks = ",
        ),
        (FUZZ, lambda it: it["failures"].append("x"), "the fuzzer has found something"),
        (FUZZ, lambda it: it.update(failures=None, errors=None), "the fuzzer has found something"),
        (FUZZ, lambda it: it.update(exit_code=False), "the fuzzer has found something"),
        (FUZZ, lambda it: it["test_cases"].update(generated=0), "the fuzzer has sent nothing"),
        (FUZZ, lambda it: it.update(exit_code=1), "the fuzzer has found something"),
        (FUZZ, lambda it: it.update(complete=False), "the fuzzer has tested "),
        (FUZZ, lambda it: it["phases"]["stateful"].update(status="failure"), "did not end its phase stateful"),
        (FUZZ, lambda it: it["operations"].update(tested=6), "the fuzzer has tested 6 of "),
        (FUZZ, lambda it: it.update(seed=8), "the step fuzz records seed = 7, and its results show 8"),
        (FUZZ, lambda it: it.pop("operations"), "is no report of the step fuzz: KeyError"),
        (
            "sbom-arcrun-server.json",
            lambda it: it["metadata"]["component"]["externalReferences"].pop(),
            "sbom-arcrun-server.json is not about the files of arcrun-server",
        ),
        (
            "sbom-arcrun.json",
            lambda it: it["metadata"]["component"].update(purl="pkg:pypi/evil@9"),
            "sbom-arcrun.json is about pkg:pypi/evil@9, not about pkg:pypi/arcrun@7.0.0",
        ),
        (
            "sbom-arcrun.json",
            lambda it: it.pop("metadata"),
            "sbom-arcrun.json is about None, not about pkg:pypi/arcrun@7.0.0",
        ),
        (
            "sbom-arcrun.json",
            lambda it: it.update(bomFormat="SPDX"),
            "sbom-arcrun.json is no bill of materials of CycloneDX 1.6",
        ),
    ],
)  # fmt: skip
def test_results_that_were_changed_with_their_hashes_do_not_lead_to_go(
    rehearsed: Rehearsed, file: str, change: Callable[[Any], Any], says: str
) -> None:
    rehearsed.change(file, change, hide=True)
    found = rehearsed.reasons()
    assert says in found[0]
    assert found[-1] == "the evidence says GO, and its parts do not"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda it: it["steps"].pop(3), "the step npm_build is not in the evidence: it did not run, or was"),
        (lambda it: it["steps"].reverse(), "the steps are in another order than they run"),
        (lambda it: it.update(steps=it["steps"][::-1] * 2), "the step versions is in the evidence 2 times"),
        (lambda it: it.update(artifacts=[]), "does not list arcrun-7.0.0-py3-none-any.whl of arcrun, which belongs to 7.0.0"),
        (lambda it: it["artifacts"].pop(), "does not list arcrun-sdk-7.0.0.tgz of @arcrun/sdk, which belongs to"),
        (lambda it: it["artifacts"].append(it["artifacts"][0]), "lists arcrun-7.0.0-py3-none-any.whl 2 times"),
        (lambda it: it["artifacts"][0].update(package="arcrun-server"), "lists arcrun-7.0.0-py3-none-any.whl of arcrun-server, which does not belong"),
        (lambda it: it["artifacts"].append({**it["artifacts"][0], "file": "more.whl"}), "lists more.whl of arcrun, which does not belong"),
        (lambda it: it.update(version=None), "the evidence names no version"),
        (lambda it: it["reports"].append(it["reports"][0]), "the evidence lists reports/index.html 2 times"),
        (lambda it: it["results"].append(it["results"][0]), " 2 times"),
        (lambda it: it.update(reports=[]), "does not list reports/index.html, which a rehearsal writes"),
        (lambda it: it["reports"].pop(), "does not list reports/engine-suite/summary.md, which a rehearsal writes"),
        (lambda it: it["results"].remove(entry(it, "conformance/index.html")), "reports/index.html is not what the suite has written"),
        (lambda it: it.update(finished_at="1999-12-31T23:59:59+00:00"), "the rehearsal can't have ended at 1999-12-31"),
        (lambda it: it.update(finished_at="2999-12-31T23:59:59+00:00"), "which is in the future"),
        (lambda it: it.update(seconds=3600), "as its id says, and took 3600 s"),
        (lambda it: it["sboms"].update(more="sbom-arcrun.json"), "a bill of materials of more, which is no package of it"),
        (lambda it: step(it, "fuzz").update(status="failed"), "the step fuzz did not pass: it failed"),
        (lambda it: step(it, "fuzz").update(problem="壞"), "the step fuzz did not pass"),
        (lambda it: step(it, "fuzz").update(name="dance"), "the step dance is none of this checkout"),
        (lambda it: step(it, "fuzz")["figures"].update(cases=1), "the step fuzz records cases = 1, and"),
        (lambda it: step(it, "conformance")["figures"].clear(), "the step conformance records scenarios"),
        (lambda it: step(it, "versions")["figures"].clear(), "the step versions has found another version"),
        (lambda it: it.update(decision="NO-GO"), "the rehearsal of 7.0.0 ended with NO-GO"),
        (lambda it: it.update(version="7.0.1"), "the suite ran python-sync 7.0.0, python-async 7.0.0, "),
        (lambda it: it.update(scope="python"), "the step npm_build is none of this checkout"),
        (lambda it: it["git"].update(dirty=True), "the working tree was not the commit 0000"),
        (lambda it: it["git"].update(changed=["新.py"]), "the working tree was not the commit 0000"),
        (lambda it: it["artifacts"][0].update(sha256="1" * 64), "is not about these bytes of arcrun-7"),
        (lambda it: it["sboms"].clear(), "arcrun has no bill of materials in the evidence"),
        (lambda it: it["sboms"].update(arcrun="sbom-arcrun-server.json"), "sbom-arcrun-server.json is not about"),
        (lambda it: it.update(results=[]), "the evidence has no conformance/conformance.json, which"),
        (lambda it: entry(it, FUZZ).update(file="../dist/x"), "the evidence names ../dist/x, which is outside"),
    ],
)  # fmt: skip
def test_evidence_that_was_edited_does_not_lead_to_go(
    rehearsed: Rehearsed, change: Callable[[Any], Any], says: str
) -> None:
    rehearsed.edit(change)
    assert any(says in reason for reason in rehearsed.reasons()), rehearsed.reasons()


def test_without_a_file_the_parts_are_verified(
    rehearsed: Rehearsed, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--evidence", str(rehearsed.evidence)]) == 0
    assert "✓ evidence: GO of 7.0.0 at 000000000000, recomputed from 2" in capsys.readouterr().out
    rehearsed.edit(lambda it: it["steps"].pop())
    assert main(["--evidence", str(rehearsed.evidence)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("✗ the step npm_tests is not in the evidence")


def test_a_released_file_is_proven_and_another_is_not(
    rehearsed: Rehearsed, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel, given = rehearsed.artifacts[0].path, ["--offline", "--evidence", str(rehearsed.evidence)]
    assert main([str(wheel), *given]) == 0
    assert f"✓ {wheel.name}: arcrun 7.0.0, as released" in capsys.readouterr().out
    other = wheel.with_name("other.whl")
    other.write_bytes(wheel.read_bytes())
    assert main([str(wheel), str(other), *given]) == 1  # one that is not proven is enough
    assert "other.whl is not in the evidence, which lists arcrun-7.0.0" in capsys.readouterr().err
    wheel.write_bytes(b"tampered with")
    assert main([str(wheel), *given]) == 1
    assert f"{wheel.name} is not the file that was released" in capsys.readouterr().err


def test_files_that_do_not_exist_prove_nothing(
    rehearsed: Rehearsed, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel, missing = rehearsed.artifacts[0].path, rehearsed.folder / "missing"
    assert main([str(wheel), "--offline", "--evidence", str(missing)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"✗ {missing} can't be read: No such file or directory; evidence is")
    assert said.endswith("name its release.json, with its parts beside it, with --evidence\n")
    wheel.unlink()
    assert main([str(wheel), "--offline", "--evidence", str(rehearsed.evidence)]) == 1
    assert capsys.readouterr().err == f"✗ {wheel} can't be read: No such file or directory\n"


def test_a_page_that_no_suite_has_written_is_named(rehearsed: Rehearsed) -> None:
    page = rehearsed.folder / "reports" / "other.html"
    page.write_text("<!DOCTYPE html>", "utf-8")
    more = {"file": page.name, "sha256": sha256(page)}
    rehearsed.edit(lambda it: it["reports"].append(more))
    says = "reports/other.html is not what the suite has written as evidence/conformance/other.html"
    assert rehearsed.reasons()[0] == says


def test_a_recording_of_what_failed_is_shown_as_the_suite_has_written_it(
    rehearsed: Rehearsed,
) -> None:
    for shown, written in {
        "failures/a.har": "conformance/failures/a.har",
        "engine-suite/failures/b.har": "engine-suite/failures/b.har",
    }.items():
        for path in (rehearsed.folder / "reports" / shown, rehearsed.evidence.parent / written):
            path.parent.mkdir(exist_ok=True)
            path.write_text(shown, "utf-8")
        digest = sha256(path)
        rehearsed.edit(lambda it: it["reports"].append({"file": shown, "sha256": digest}))  # noqa: B023
        rehearsed.edit(lambda it: it["results"].append({"file": written, "sha256": digest}))  # noqa: B023
    assert rehearsed.reasons() == []


def test_the_archive_has_every_part_and_the_same_bytes_each_time(rehearsed: Rehearsed) -> None:
    one, two = (evidence_archive.pack(rehearsed.evidence, rehearsed.folder / name) for name in "ab")
    assert one.read_bytes() == two.read_bytes()
    there = rehearsed.folder / "there"
    unpacked = rehearsed._replace(evidence=evidence_archive.unpack(one.read_bytes(), there))
    assert unpacked.reasons() == []


def test_what_is_no_archive_of_evidence_is_refused(rehearsed: Rehearsed) -> None:
    there = rehearsed.folder / "there"
    for content, says in {
        b"no archive": "is no archive of evidence",
        rehearsed.artifacts[-1].path.read_bytes(): "has no evidence/release.json",
    }.items():
        with pytest.raises(evidence_archive.ArchiveInvalid, match=says):
            evidence_archive.unpack(content, there)


def test_only_a_browser_may_be_missing_where_a_machine_has_none(rehearsed: Rehearsed) -> None:
    rehearsed.change(SUITE, lambda it: without(it, "chromium"), hide=True)
    reasons = rehearsed.reasons()
    assert not [each for each in reasons if "it is not about" in each]
    # The step has recorded the figures of a report with it.
    assert any("the step conformance records sdks = " in each for each in reasons)
