import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.release import __main__ as program
from scripts.release import git
from scripts.release.publish import command, preflight, tiny
from scripts.release.publish import record as records
from scripts.release.publish.http import NotAsked, ask
from scripts.release.publish.publication import NotDone, Publication, Registries
from scripts.release.publish.state import Record

NOWHERE = "http://127.0.0.1:9"
PUBLIC = Registries("public", NOWHERE, NOWHERE, NOWHERE, None)


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    return tiny.make(tmp_path, PUBLIC)


@pytest.fixture
def in_checkout(publication: Publication) -> Callable[..., None]:
    def run(*arguments: str) -> None:
        quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        who = ("-c", "user.name=A", "-c", "user.email=a@example.com")
        subprocess.run(
            ["git", *who, *arguments],
            cwd=publication.root,
            check=True,
            capture_output=True,
            env={**os.environ, **quiet},
        )

    return run


def check(publication: Publication) -> str:
    return preflight.evidence(publication, publication.begin()).told


def test_a_clean_tagged_commit_on_main_passes(
    publication: Publication, in_checkout: Callable[..., None]
) -> None:
    in_checkout("tag", "--annotate", f"v{tiny.VERSION}", "--message", "…")
    assert check(publication).startswith(f"GO of v{tiny.VERSION} at ")


def test_a_tag_that_does_not_say_who_has_released_is_refused(
    publication: Publication, in_checkout: Callable[..., None]
) -> None:
    in_checkout("tag", f"v{tiny.VERSION}")
    with pytest.raises(NotDone, match=rf"the tag v{tiny.VERSION} is not annotated"):
        check(publication)


def test_a_commit_without_the_tag_is_refused(publication: Publication) -> None:
    with pytest.raises(NotDone, match=rf"the tag v{tiny.VERSION} does not exist"):
        check(publication)


def test_a_tag_that_was_moved_is_refused(
    publication: Publication, in_checkout: Callable[..., None]
) -> None:
    in_checkout("commit", "--allow-empty", "--message", "another")
    in_checkout("tag", f"v{tiny.VERSION}")
    in_checkout("checkout", "--quiet", "HEAD~1")
    with pytest.raises(NotDone, match=rf"the tag v{tiny.VERSION} is at "):
        check(publication)


def test_a_tag_on_a_commit_that_is_not_on_main_is_refused(
    publication: Publication, in_checkout: Callable[..., None]
) -> None:
    in_checkout("checkout", "--quiet", "--orphan", "orphan")
    in_checkout("commit", "--message", "orphan")
    in_checkout("tag", "--annotate", f"v{tiny.VERSION}", "--message", "…")
    commit = git.head_commit(publication.root)
    orphan = replace(publication, evidence={**publication.evidence, "git": {"commit": commit}})
    with pytest.raises(NotDone, match="is not on main"):
        check(orphan)


def test_another_commit_than_that_of_the_evidence_is_refused(
    publication: Publication, in_checkout: Callable[..., None]
) -> None:
    in_checkout("commit", "--allow-empty", "--message", "another")
    with pytest.raises(NotDone, match="the evidence is about the commit"):
        check(publication)


def test_a_changed_tree_is_refused_with_the_file(publication: Publication) -> None:
    (publication.root / "README.md").write_text("changed\n")
    with pytest.raises(NotDone, match=r"the working tree is not the commit: README\.md"):
        check(publication)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"gate": {"verdict": "NO-GO"}}, "says NO-GO"),
        ({"target": {"name": "local"}}, "not about the hosted engine"),
        ({"artifacts": []}, r"is not about these bytes of .*arcrun"),
        ({"gate": None}, "is no report of a gate"),
    ],
)
def test_only_a_go_of_these_bytes_with_the_hosted_engine_passes(
    publication: Publication, change: dict[str, object], says: str
) -> None:
    report = json.loads(publication.live_report.read_text("utf-8"))
    good = {**report, "target": {"name": "live"}}
    publication.live_report.write_text(json.dumps(good))
    assert preflight.live(publication, publication.begin()).told == "GO with the target live"
    publication.live_report.write_text(json.dumps({**good, **change}))
    with pytest.raises(NotDone, match=says):
        preflight.live(publication, publication.begin())


def test_no_live_gate_is_refused_with_the_command_that_makes_it(publication: Publication) -> None:
    publication.live_report.unlink()
    with pytest.raises(NotDone, match="make it: nox -s conformance -- --packages dist/ --target"):
        preflight.live(publication, publication.begin())


def test_publishing_where_no_registry_is_reached_is_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ["--publish", "--pypi-url", NOWHERE, "--npm-url", NOWHERE]
    assert program.main(given) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("NO-GO: at step names:\nit could not be asked who owns ")


def test_a_rehearsal_does_not_remove_the_record_of_a_publication(tmp_path: Path) -> None:
    command.require_no_publication(tmp_path)
    path, record = tmp_path / command.RECORD, Record("1.2.3", "0" * 40, "public", {})
    records.write(path, replace(record, state="approved"))
    with pytest.raises(NotDone, match=r"the publication of 1\.2\.3 is approved: end it first"):
        command.require_no_publication(tmp_path)
    for state, registry in (("released", "public"), ("approved", "local")):
        records.write(path, replace(record, state=state, registry=registry))
        command.require_no_publication(tmp_path)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "file:///etc/passwd", "https://"])
def test_what_is_no_web_address_is_not_asked(url: str) -> None:
    with pytest.raises(NotAsked):
        ask(url)
