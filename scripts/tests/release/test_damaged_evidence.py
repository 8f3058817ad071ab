"""Whatever others have put into evidence, `nox -s verify` ends with a sentence, and prints nothing that steers."""

import contextlib
import http.server
import json
import re
import runpy
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts import ROOT
from scripts.release import apply_gate, evidence_archive, verify_public, verify_rebuild
from scripts.release.artifacts import sha256
from scripts.release.foreign import NotReadable
from scripts.release.publish.attestations import NotAttested, verifier
from scripts.release.publish.http import NotAsked
from scripts.release.verify import NotProven, main, read_evidence
from scripts.release.verify_public import NotPublic
from scripts.release.verify_rebuild import NotRebuilt
from scripts.release.versions import NPM_NAME
from scripts.tests.release.rehearsed import ENGINE, FUZZ, SUITE, Rehearsed, entry, rehearse
from scripts.tests.release.test_foreign import DAMAGE

SBOM = "sbom-arcrun.json"
PARTS = (SUITE, ENGINE, FUZZ, SBOM)
OTHER_JSON: tuple[Any, ...] = (None, 7, "x", [], {}, [7], {"x": 7})


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Rehearsed:
    return rehearse(tmp_path_factory.mktemp("rehearsed"))


@pytest.fixture
def rehearsed(original: Rehearsed) -> Iterator[Rehearsed]:
    """A rehearsal whose parts a test may change: they are put back."""
    paths = [original.evidence.parent / part for part in PARTS]
    before = {path: path.read_bytes() for path in (original.evidence, *paths)}
    yield original
    for path, content in before.items():
        path.write_bytes(content)


def put(rehearsed: Rehearsed, part: str, content: bytes) -> None:
    """Give a part another content, and the evidence its hash."""
    path = rehearsed.evidence.parent / part
    path.write_bytes(content)
    rehearsed.edit(lambda it: entry(it, part).update(sha256=sha256(path)))


def refused(rehearsed: Rehearsed, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["--evidence", str(rehearsed.evidence)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("✗ ")
    return said.err


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_part_is_a_sentence_that_names_it(
    rehearsed: Rehearsed, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content, says = DAMAGE[damage]
    for part in PARTS:
        put(rehearsed, part, content)
    lines = refused(rehearsed, capsys).splitlines()
    for part in PARTS:
        assert any(part in line and says in line for line in lines), lines


@pytest.mark.parametrize("value", OTHER_JSON, ids=repr)
def test_a_part_that_is_other_json_is_a_sentence_that_names_it(
    rehearsed: Rehearsed, value: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in PARTS:
        put(rehearsed, part, json.dumps(value).encode())
    lines = refused(rehearsed, capsys).splitlines()
    for part in PARTS:
        assert any(part in line for line in lines), lines


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_evidence_is_a_sentence_that_names_it_and_says_what_to_do(
    rehearsed: Rehearsed, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content, says = DAMAGE[damage]
    rehearsed.evidence.write_bytes(content)
    said = refused(rehearsed, capsys)
    assert said.startswith(f"✗ {rehearsed.evidence} is not ")
    assert says in said
    assert said.endswith("name its release.json, with its parts beside it, with --evidence\n")


def fields(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every object and list in a document with each of its keys; of lists the first item."""
    keys = (
        list(value) if isinstance(value, dict) else [0] if isinstance(value, list) and value else []
    )
    for key in keys:
        yield value, key
        yield from fields(value[key])


def test_evidence_with_any_field_replaced_is_read_or_refused(rehearsed: Rehearsed) -> None:
    rehearsed.edit(lambda it: it.update(tools={"python": "3"}, steps=it["steps"][:2]))
    text, refusals = rehearsed.evidence.read_text("utf-8"), list[str]()
    for number in range(sum(1 for _ in fields(json.loads(text)))):
        for value in ("2026", "\x00", "\ud800", "a\n::error::b", None, [], -1, 1e300):
            document = json.loads(text)
            where, key = list(fields(document))[number]
            where[key] = value
            rehearsed.evidence.write_text(json.dumps(document), "utf-8")
            try:
                read_evidence(rehearsed.evidence)
            except NotProven as problem:
                refusals.append(str(problem))
    assert len(refusals) > 100
    assert [each for each in refusals if len(each.splitlines()) != 1] == []


def test_a_report_with_any_field_replaced_is_judged_or_refused(
    rehearsed: Rehearsed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = rehearsed.evidence.parent / SUITE
    document = json.loads(path.read_text("utf-8"))
    document["cells"], document["scenarios"] = document["cells"][:1], document["scenarios"][:1]
    gate = rehearsed.folder / "gate.yaml"
    contract, scenario = document["gate"]["contract"], document["cells"][0]["scenario"]
    gate.write_text(f'contracts: {{"{contract}": {{local: [{scenario}], live: []}}}}\n')
    text, program = json.dumps(document), rehearsed.folder / "program.py"
    program.write_text(apply_gate.PROGRAM, "utf-8")
    monkeypatch.setattr(sys, "argv", ["-c", str(path), str(gate), "2026-11-29", "src"])
    for number in range(sum(1 for _ in fields(document))):
        for value in (None, 7, "x", [], {}):
            changed = json.loads(text)
            where, key = list(fields(changed))[number]
            where[key] = value
            path.write_text(json.dumps(changed), "utf-8")
            runpy.run_path(str(program))
            assert isinstance(json.loads(capsys.readouterr().out), list)


HOSTILE = "a\x1b[2J\n::error::forged\n✓ evidence: forged ##[error]"


@pytest.mark.parametrize(
    ("part", "change"),
    [
        (SUITE, lambda it: it["gate"].update(contract=HOSTILE)),
        (SUITE, lambda it: it.update(suite=HOSTILE)),
        (SUITE, lambda it: it["cells"][0].update(outcome="failed", reason=HOSTILE)),
        (SUITE, lambda it: it["sdks"][0].update(name=HOSTILE)),
        (SUITE, lambda it: it["artifacts"][0].update(file=HOSTILE)),
        (FUZZ, lambda it: it.update(seed=HOSTILE)),
        (SBOM, lambda it: it.update({HOSTILE: 1})),
    ],
)
def test_no_text_of_a_part_steers_a_terminal_or_ci_or_passes_for_a_line_of_ours(
    rehearsed: Rehearsed, part: str, change: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    rehearsed.change(part, change, hide=True)
    harmless(refused(rehearsed, capsys))


def harmless(said: str) -> None:
    assert "\x1b" not in said
    assert not re.search(r"^\s*::|^✓|##\[", said, re.MULTILINE), said


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda it: it["results"][0].update(file=HOSTILE), "$.results[0].file: 'a\\x1b[2J\\n::error"),
        (lambda it: it["results"][0].update(file="a\x00b"), "$.results[0].file: 'a\\x00b'"),
        (lambda it: it["results"][0].update(file="a\ud800b"), "is not valid JSON: it has half a character"),
        (lambda it: it["results"][0].update(file="n" * 5000), "can't be read: File name too long"),
        (lambda it: it.update(version="7.0.0\n"), "$.version: "),
        (lambda it: it["git"].update(commit="0" * 40 + "\n"), "$.git.commit: "),
        (lambda it: it["git"].update(changed=[HOSTILE]), "the working tree was not the commit 0000"),
        (lambda it: it["steps"][0].update(name=HOSTILE), "$.steps[0].name: "),
        (lambda it: it["sboms"].update({HOSTILE: "x"}), "$.sboms: "),
        (lambda it: it.update({HOSTILE: "x"}), "is not evidence of a release: $: "),
        (lambda it: it.update(finished_at="2026"), "run or finished_at: "),
        (lambda it: it.update(finished_at="2026-11-29T08:00:00"), "does not say how far it is from UTC"),
        (lambda it: it.update(finished_at="0001-01-01T00:00:00+14:00"), "is no time in UTC"),
        (lambda it: it.update(run="20269999T999999Z-00abcd"), "run or finished_at: "),
        (lambda it: it.update(seconds=10**400), "is not evidence of a release: $.seconds: 1000"),
    ],
)  # fmt: skip
def test_hostile_evidence_is_a_sentence(
    rehearsed: Rehearsed, change: Any, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rehearsed.edit(change)
    said = refused(rehearsed, capsys)
    assert says in said
    harmless(said)


def test_a_part_that_is_a_link_to_itself_is_a_sentence(
    rehearsed: Rehearsed, capsys: pytest.CaptureFixture[str]
) -> None:
    loop = rehearsed.evidence.parent / "loop"
    loop.symlink_to(loop)
    rehearsed.edit(lambda it: it["results"][0].update(file="loop"))
    assert "evidence/loop " in refused(rehearsed, capsys)


def test_where_the_gate_can_not_be_applied_the_message_says_why_and_names_no_file_that_is_gone(
    rehearsed: Rehearsed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout = rehearsed.folder / "checkout"
    (checkout / "conformance").mkdir(parents=True)
    (checkout / "conformance" / "src").symlink_to(ROOT / "conformance" / "src")
    monkeypatch.setattr(apply_gate, "ROOT", checkout)
    said = refused(rehearsed, capsys)
    assert "the gate of this checkout can't be applied to it: FileNotFoundError: " in said
    named = [Path(each) for each in re.findall(r"(?<=[\s'])/[^\s':]+", said)]
    gone = {each for each in named if not each.exists()}
    assert gone == {checkout / "conformance" / "gate.yaml"}


@pytest.mark.parametrize("url", ["--upload-pack=touch planted", "-u", "--help"])
def test_what_is_cloned_is_never_an_option_of_git(url: str, tmp_path: Path) -> None:
    with pytest.raises(NotRebuilt, match=f"^{re.escape(url)} can't be cloned: "):
        verify_rebuild.clone(url, "1.2.3", "0" * 40, tmp_path / "clone", tmp_path / "log")
    log = (tmp_path / "log").read_text("utf-8")
    assert f"repository '{url}' does not exist" in log
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_a_log_stays_where_a_message_names_it_and_only_then(tmp_path: Path) -> None:
    folder = tmp_path / ".arcrun" / "verify"
    with verify_rebuild.kept_log(folder) as log:
        log.write_text("fine", "utf-8")
        log.with_name("of-a-build.log").write_text("fine", "utf-8")
    assert list(folder.iterdir()) == []
    with (
        pytest.raises(NotRebuilt) as caught,
        verify_rebuild.kept_log(folder) as log,
    ):
        verify_rebuild.clone("./nowhere", "1.2.3", "0" * 40, tmp_path / "clone", log)
    assert f"full log: {log}" in str(caught.value)
    assert "does not exist" in log.read_text("utf-8")


@pytest.mark.parametrize("damage", [*DAMAGE, "other JSON"])
def test_a_damaged_file_of_attestations_is_a_sentence_that_names_it(
    damage: str, tmp_path: Path
) -> None:
    path = tmp_path / "bundles.jsonl"
    path.write_bytes(DAMAGE[damage][0] if damage in DAMAGE else b"[7]\n")
    with pytest.raises((NotReadable, NotPublic), match=f"^{re.escape(str(path))}") as caught:
        verify_public.bundles_in(path)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("damage", [*DAMAGE, "other JSON"])
def test_a_damaged_trust_root_is_a_sentence_that_names_it(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "trust_root.json"
    path.write_bytes(DAMAGE[damage][0] if damage in DAMAGE else b"[7]\n")
    with pytest.raises(NotAttested, match=re.escape(str(path))):
        verifier(path)


def test_a_damaged_archive_of_evidence_is_a_sentence(rehearsed: Rehearsed, tmp_path: Path) -> None:
    content = evidence_archive.pack(rehearsed.evidence, tmp_path / "archive").read_bytes()
    step = max(1, len(content) // 40)
    for position in range(0, len(content), step):
        flipped = bytes([content[position] ^ 0xFF])
        for damaged in (content[:position], content[:position] + flipped + content[position + 1 :]):
            with contextlib.suppress(evidence_archive.ArchiveInvalid):
                found = evidence_archive.unpack(damaged, tmp_path / "there")
                assert found.is_file()


class _Answers(http.server.BaseHTTPRequestHandler):
    """Answers every request with the same JSON."""

    body, url = b"", ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def answering() -> Iterator[type[_Answers]]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        _Answers.url = f"http://127.0.0.1:{server.server_port}"
        yield _Answers
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"urls": 7, "versions": 7, "assets": 7, "attestations": 7}',
        b'{"urls": [7], "versions": [], "assets": [7], "attestations": [7]}',
        b'{"urls": [{}], "versions": {"7.0.0": {"dist": 7}}, "attestations": [{"bundle": 7}]}',
    ],
    ids=["deep", "numbers", "lists", "objects"],
)
def test_a_registry_that_answers_with_other_json_is_a_sentence(
    answering: type[_Answers], body: bytes, rehearsed: Rehearsed, tmp_path: Path
) -> None:
    answering.body = body
    public = verify_public.Public(answering.url, answering.url, answering.url, "OWNER/NAME")
    of_python, of_npm = rehearsed.artifacts[0], rehearsed.artifacts[-1]
    for ask in (
        lambda: verify_public.require_same_in_registry(public, "arcrun", "7.0.0", of_python.path),
        lambda: verify_public.require_same_in_registry(public, NPM_NAME, "7.0.0", of_npm.path),
        lambda: verify_public.evidence_of(public, "7.0.0", tmp_path / "evidence"),
        lambda: verify_public.attestations_of(public, "0" * 64),
    ):
        with pytest.raises(NotAsked, match=r"is not JSON|answered with JSON that it does not doc"):
            ask()


@pytest.mark.parametrize("name", ["PYTHONHASHSEED", "PYTHONHOME", "PYTHONIOENCODING"])
def test_variables_for_python_do_not_decide(
    rehearsed: Rehearsed, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """nox starts verify without them; so does verify the suite's gate."""
    monkeypatch.setenv(name, "utf-16")
    assert rehearsed.reasons() == []
