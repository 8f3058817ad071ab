"""A publication on loopback, with the real clients: what is asked for, what is sent, and what a person decides."""

import io
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from scripts.console import make_console
from scripts.release.npm import tools
from scripts.release.publish import command, faults, loopback, machine, npm, proof, pypi, tiny
from scripts.release.publish import record as records
from scripts.release.publish.approve import approve
from scripts.release.publish.loopback_storage import Reply, Request
from scripts.release.publish.publication import Credentials, NotDone
from scripts.release.publish.world import World, on_npm, on_pypi, public_release

TOKENS = ("pypi-a-token-of-ours", "npm_a-token-of-ours", "ghp_a-token-of-ours")


@dataclass
class Person:
    """Somebody who approves, or refuses."""

    name: str = "A <a@example.com>"
    approves: bool = True
    password: str = loopback.loopback_npm.ONE_TIME_PASSWORD

    def consents(self, version: str) -> bool:
        return self.approves

    def one_time_password(self) -> str:
        return self.password


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    try:
        tools.program("npm")
    except tools.NodeMissing as missing:
        pytest.skip(str(missing))
    with loopback.serve(tmp_path / "registries") as serving:
        publication = tiny.make(tmp_path / "release", command.on_loopback(serving.url))
        credentials = Credentials(*TOKENS)
        publication = replace(publication, credentials=credentials)
        yield World(publication, tmp_path / "evidence" / "publish.json", serving)


@pytest.fixture
def shown() -> io.StringIO:
    return io.StringIO()


def advance(world: World, shown: io.StringIO) -> int:
    return machine.advance(world.publication, world.path, make_console(shown))


def decide(world: World, shown: io.StringIO, person: Person) -> str:
    return approve(world.publication, world.path, make_console(shown), person).state


def test_a_publication_waits_for_a_person_twice_and_is_then_everywhere(
    world: World, shown: io.StringIO
) -> None:
    assert advance(world, shown) == machine.WAITING
    assert (on_pypi(world), on_npm(world)) == ({}, {})
    decide(world, shown, Person())
    assert advance(world, shown) == machine.WAITING
    assert on_pypi(world) == {each.path.name: each.sha256 for each in world.publication.python}
    assert on_npm(world) == {}
    decide(world, shown, Person())
    assert advance(world, shown) == machine.DONE
    assert on_npm(world) == {tiny.VERSION: world.publication.tarball.sha256}
    assert public_release(world) == {
        *world.publication.files,
        "release.json",
        "evidence.tar.gz",
    }
    proof.install_by_hash(world.publication)
    assert advance(world, shown) == machine.DONE


def test_tokens_reach_the_registries_and_nothing_else(
    world: World, shown: io.StringIO, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sent: dict[str, set[str]] = {"pypi": set(), "npm": set(), "github": set()}
    answer = world.loopback.answer

    def noting(service: str, request: Request) -> Reply:
        if request.method != "GET":
            sent[service].add(request.headers.get("authorization", ""))
        return answer(service, request)

    monkeypatch.setattr(world.loopback, "answer", noting)
    command._on_loopback(world.publication, world.path, make_console(shown))
    assert sent["npm"] == {f"Bearer {TOKENS[1]}"}
    assert sent["github"] == {f"Bearer {TOKENS[2]}"}
    assert all(each.startswith("Basic ") for each in sent["pypi"])
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    told = [*written, shown.getvalue().encode(), repr(world.publication).encode()]
    assert len(written) > 20
    for secret in [*TOKENS, loopback.loopback_npm.ONE_TIME_PASSWORD]:
        assert [each for each in told if secret.encode() in each] == []


def test_a_person_sends_nothing_and_finds_what_the_workflow_has_sent(
    world: World, shown: io.StringIO
) -> None:
    public = replace(world.publication.registries, name="public")
    root, report = world.publication.root, world.publication.live_report
    report.write_text(report.read_text("utf-8").replace('"local"', '"live"'), "utf-8")
    who = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    tag = ("tag", "--annotate", f"v{tiny.VERSION}", "--message", "…")
    subprocess.run(["git", *who, *tag], cwd=root, check=True)
    of_person = Credentials(npm=TOKENS[1], github=TOKENS[2])
    workflow, person = (
        world,
        world._replace(
            publication=replace(world.publication, registries=public, credentials=of_person)
        ),
    )
    assert advance(person, shown) == machine.WAITING
    assert "approve its job npm" in shown.getvalue()
    assert world.loopback.storage.of("npm").documents("stages") == {}
    npm.stage(workflow.publication, workflow.publication.begin())
    assert advance(person, shown) == machine.WAITING
    decide(person, shown, Person())
    assert advance(person, shown) == machine.WAITING
    assert "approve its job pypi" in shown.getvalue()
    assert on_pypi(world) == {}
    pypi.upload(workflow.publication, workflow.publication.begin())
    assert advance(person, shown) == machine.WAITING
    decide(person, shown, Person())
    assert advance(person, shown) == machine.DONE


def test_a_refusal_removes_the_stage_and_nothing_is_public(
    world: World, shown: io.StringIO
) -> None:
    advance(world, shown)
    assert decide(world, shown, Person(approves=False)) == "refused"
    assert world.loopback.storage.of("npm").documents("stages") == {}
    assert advance(world, shown) == machine.NO_GO
    assert (on_pypi(world), on_npm(world), public_release(world)) == ({}, {}, set())


def test_only_who_has_approved_makes_it_public_and_only_with_the_second_factor(
    world: World, shown: io.StringIO
) -> None:
    advance(world, shown)
    decide(world, shown, Person())
    advance(world, shown)
    with pytest.raises(
        NotDone, match=r"A <a@example\.com> has approved this publication, and must"
    ):
        decide(world, shown, Person(name="B <b@example.com>"))
    with pytest.raises(NotDone, match="401 asks for another one-time password"):
        decide(world, shown, Person(password="123456"))
    assert on_npm(world) == {}
    decide(world, shown, Person())
    assert on_npm(world) != {}


def test_an_approval_of_other_bytes_is_none(world: World, shown: io.StringIO) -> None:
    advance(world, shown)
    decide(world, shown, Person())
    record = records.read(world.path)
    assert record is not None
    assert record.approval is not None
    other = replace(record.approval, files={**record.approval.files, "arcrun.whl": "0" * 64})
    records.write(world.path, record.approved(other))
    assert advance(world, shown) == machine.WAITING
    assert on_pypi(world) == {}


def test_nobody_is_asked_where_nothing_waits_for_a_person(world: World, shown: io.StringIO) -> None:
    with pytest.raises(NotDone, match="no person is needed now: the publication is not begun"):
        decide(world, shown, Person())


def test_other_files_are_not_published_under_the_record_of_a_publication(
    world: World, shown: io.StringIO, tmp_path: Path
) -> None:
    advance(world, shown)
    rebuilt = tiny.wheel(tmp_path, world.publication.python[0].package, text="other = 1\n")
    shutil.copyfile(rebuilt, world.publication.python[0].path)
    digest = tiny.sha256(rebuilt)
    first, *others = world.publication.artifacts
    changed = replace(world.publication, artifacts=[replace(first, sha256=digest), *others])
    with pytest.raises(NotDone, match="and these files are others: end that one first"):
        machine.advance(changed, world.path, make_console(shown))


def test_an_abort_says_what_stays_public(world: World, shown: io.StringIO) -> None:
    advance(world, shown)
    decide(world, shown, Person())
    advance(world, shown)
    assert command.abort(world.publication, world.path, make_console(shown)) == machine.DONE
    told = shown.getvalue().replace("\n", " ")
    assert f"yank {tiny.VERSION} there" in told
    assert "takes files for it only until" in told
    assert "npm may still have the stage: npm stage reject" in told
    with pytest.raises(NotDone, match="nothing to abort: the publication is aborted"):
        command.abort(world.publication, world.path, make_console(shown))


@pytest.mark.parametrize(
    "name",
    [
        "npm_stage: 5xx after it was stored",
        "pypi_upload: 5xx after it was stored (the fourth file)",
        "pypi_upload: killed while sending, after it was stored (the first file)",
        "pypi_upload: other bytes on PyPI",
        "pypi_upload: half of it there for 15 days",
        "pypi_verify: PyPI gives out other bytes",
        "npm_approve: killed, done but not recorded",
        "npm_approve: the stage expired",
    ],
)
def test_a_fault_ends_in_one_consistent_state(name: str, world: World, tmp_path: Path) -> None:
    folder = tmp_path / "fault"
    folder.mkdir()
    assert faults.checks()[name](folder) == []


def test_what_contradicts_a_record_is_noticed(world: World, shown: io.StringIO) -> None:
    advance(world, shown)
    record = records.read(world.path)
    assert record is not None
    records.write(world.path, replace(record, state="npm_public"))
    found = faults.inconsistencies(world)
    assert "the record says npm_public, and PyPI has []" in found
    assert "the record says npm_public, and npm has nothing" in found


def test_without_credentials_nothing_is_sent(
    world: World, shown: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    methods: list[str] = []
    answer = world.loopback.answer
    monkeypatch.setattr(
        world.loopback,
        "answer",
        lambda service, request: methods.append(request.method) or answer(service, request),
    )
    assert command._dry(world.publication, make_console(shown)) == machine.DONE
    assert set(methods) == {"GET"}
    assert not world.path.exists()
    assert "nothing was sent" in shown.getvalue()


@pytest.mark.parametrize(
    ("variables", "can"),
    [
        ({}, False),
        ({"GITHUB_TOKEN": "a"}, False),
        ({"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x.example"}, False),
        ({"NPM_TOKEN": "a"}, True),
        ({"TWINE_PASSWORD": "a"}, False),
        (
            {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "a"},
            True,
        ),
    ],
)
def test_credentials_come_from_the_environment(variables: Mapping[str, str], can: bool) -> None:
    found: Any = command.credentials_of(variables)
    assert command._can_publish(found) is can
    assert repr(found) == "Credentials()"
