"""The workflow that publishes: what must hold of it, and that each attack, planted in a copy, is noticed."""

import copy
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from scripts.release import workflow_rules as rules

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".github" / "workflows"
ALL = sorted(FOLDER.glob("*.yml"))
RELEASE = FOLDER / "release.yml"
SHA = "0" * 40
# Triggers by which code of others could run with our permissions.
WITH_OUR_PERMISSIONS = {
    "pull_request_target",
    "workflow_run",
    "issue_comment",
    "workflow_call",
    "repository_dispatch",
}


def read(path: Path) -> rules.Workflow:
    document: rules.Workflow = yaml.safe_load(path.read_text("utf-8"))
    return document


class Attack(NamedTuple):
    """What somebody would change in the workflow, and the rule that notices it."""

    name: str
    change: Callable[[dict[str, Any]], object]
    rule: Callable[[rules.Workflow], list[str]]


def first(jobs: dict[str, Any], name: str) -> dict[str, Any]:
    step: dict[str, Any] = jobs[name]["steps"][0]
    return step


def add(jobs: dict[str, Any], name: str, step: dict[str, Any], at: int = 2) -> None:
    jobs[name]["steps"].insert(at, step)


CHECKOUT = {"uses": f"actions/checkout@{SHA}", "with": {"persist-credentials": False}}
_TOKEN = {"env": {"NODE_AUTH_TOKEN": "${{ secrets.NPM_TOKEN }}"}}
ATTACKS = (
    Attack(
        "a cache that a fork has filled",
        lambda jobs: add(jobs, "rehearsal", {"uses": f"actions/cache@{SHA}"}),
        rules.nothing_is_cached,
    ),
    Attack(
        "a cache of setup-python",
        lambda jobs: jobs["live"]["steps"][1]["with"].update({"cache": "pip"}),
        rules.nothing_is_cached,
    ),
    Attack(
        "a cache that setup-node makes by itself",
        lambda jobs: jobs["npm"]["steps"][2]["with"].pop("package-manager-cache"),
        rules.nothing_is_cached,
    ),
    Attack(
        "a checkout beside the identity",
        lambda jobs: add(jobs, "pypi", CHECKOUT),
        rules.who_has_an_identity_runs_nothing_else,
    ),
    Attack(
        "dependencies beside the identity",
        lambda jobs: add(jobs, "npm", {"run": "npm ci --ignore-scripts"}),
        rules.who_has_an_identity_runs_nothing_else,
    ),
    Attack(
        "a session of nox beside the identity",
        lambda jobs: add(jobs, "pypi", {"run": "nox -s release -- --resume"}),
        rules.who_has_an_identity_runs_nothing_else,
    ),
    Attack(
        "an action of others beside the identity",
        lambda jobs: add(jobs, "attest", {"uses": f"somebody/scan@{SHA}"}),
        rules.who_has_an_identity_runs_nothing_else,
    ),
    Attack(
        "a container of others beside the identity",
        lambda jobs: jobs["npm"].update(container="somebody/node"),
        rules.who_has_an_identity_runs_nothing_else,
    ),
    Attack(
        "the repository beside the identity",
        lambda jobs: jobs["npm"]["permissions"].update(contents="read"),
        rules.who_has_an_identity_runs_nothing_else,
    ),
    Attack(
        "an identity where dependencies run",
        lambda jobs: jobs["rehearsal"]["permissions"].update({"id-token": "write"}),
        rules.who_has_an_identity_runs_nothing_else,
    ),
    Attack(
        "a tag of an action, which can be moved",
        lambda jobs: first(jobs, "pypi").update(uses="actions/download-artifact@v4"),
        rules.actions_are_pinned,
    ),
    Attack(
        "a branch of an action",
        lambda jobs: jobs["pypi"]["steps"][-1].update(
            uses="pypa/gh-action-pypi-publish@release/v1"
        ),
        rules.actions_are_pinned,
    ),
    Attack(
        "a docker image, which can be replaced",
        lambda jobs: add(jobs, "live", {"uses": "docker://somebody/scan:latest"}),
        rules.actions_are_pinned,
    ),
    Attack(
        "a token of PyPI",
        lambda jobs: jobs["pypi"]["steps"][-1]["with"].update(password="${{ secrets.PYPI_TOKEN }}"),
        rules.there_are_no_tokens,
    ),
    Attack(
        "a token of npm",
        lambda jobs: jobs["npm"]["steps"][-1].update(_TOKEN),
        rules.there_are_no_tokens,
    ),
    Attack(
        "a key of the engine beside the identity",
        lambda jobs: jobs["npm"].update(env={"KEY": "${{ secrets.ARCRUN_LIVE_API_KEY }}"}),
        rules.there_are_no_tokens,
    ),
    Attack(
        "the token of the workflow",
        lambda jobs: jobs["rehearsal"].update(env={"GH_TOKEN": "${{ github.token }}"}),
        rules.there_are_no_tokens,
    ),
    Attack(
        "credentials that a checkout leaves",
        lambda jobs: first(jobs, "live")["with"].pop("persist-credentials"),
        rules.checkouts_keep_no_credentials,
    ),
    Attack(
        "a name of a tag that is a command",
        lambda jobs: add(jobs, "rehearsal", {"run": "echo ${{ github.ref_name }}"}),
        rules.no_text_of_others_is_run,
    ),
    Attack(
        "publishing without approval of the stage",
        lambda jobs: jobs["npm"]["steps"][-1].update(
            run="npm publish ./release/dist/*.tgz --provenance --ignore-scripts"
        ),
        rules.a_person_makes_it_public,
    ),
    Attack(
        "approval by the workflow",
        lambda jobs: add(jobs, "preflight", {"run": "nox -s approve"}),
        rules.a_person_makes_it_public,
    ),
    Attack(
        "an upload that no reviewer approves",
        lambda jobs: jobs["pypi"].pop("environment"),
        rules.reviewers_are_asked,
    ),
    Attack(
        "a stage that no reviewer approves",
        lambda jobs: jobs["npm"].update(environment="nightly"),
        rules.reviewers_are_asked,
    ),
    Attack(
        "an artifact that another job has replaced",
        lambda jobs: jobs["pypi"]["steps"].pop(1),
        rules.the_bytes_are_those_of_the_rehearsal,
    ),
    Attack(
        "hashes of what was downloaded",
        lambda jobs: jobs["pypi"]["steps"][1]["env"].update(
            SHA256="${{ needs.live.outputs.sha256 }}"
        ),
        rules.the_bytes_are_those_of_the_rehearsal,
    ),
    Attack(
        "a comparison that may fail",
        lambda jobs: jobs["npm"]["steps"][1].update({"continue-on-error": True}),
        rules.the_bytes_are_those_of_the_rehearsal,
    ),
    Attack(
        "an orphaned commit: nobody asks whether the tag is on main",
        lambda jobs: jobs["preflight"]["steps"].pop(),
        rules.everything_is_checked_before_something_is_sent,
    ),
    Attack(
        "a checkout that lacks main",
        lambda jobs: first(jobs, "preflight")["with"].pop("fetch-depth"),
        rules.everything_is_checked_before_something_is_sent,
    ),
    Attack(
        "a tag that was not fetched",
        lambda jobs: jobs["preflight"]["steps"].pop(1),
        rules.everything_is_checked_before_something_is_sent,
    ),
    Attack(
        "a stage before the checks",
        lambda jobs: jobs["npm"].update(needs=["rehearsal"]),
        rules.everything_is_checked_before_something_is_sent,
    ),
    Attack(
        "an upload after checks that failed",
        lambda jobs: jobs["pypi"].update({"if": "always()"}),
        rules.everything_is_checked_before_something_is_sent,
    ),
    Attack(
        "an upload before the stage",
        lambda jobs: jobs["pypi"].update(needs=["rehearsal", "preflight"]),
        rules.everything_is_checked_before_something_is_sent,
    ),
    Attack(
        "permission to change the repository",
        lambda jobs: jobs["live"]["permissions"].update(contents="write"),
        rules.no_job_can_do_more_than_it_says,
    ),
    Attack(
        "all permissions",
        lambda jobs: jobs["faults"].update(permissions="write-all"),
        rules.no_job_can_do_more_than_it_says,
    ),
    Attack(
        "permissions of the repository's default",
        lambda jobs: jobs["faults"].pop("permissions"),
        rules.no_job_can_do_more_than_it_says,
    ),
    Attack(
        "a workflow of others",
        lambda jobs: jobs.update(other={"uses": f"somebody/else/.github/workflows/x.yml@{SHA}"}),
        rules.it_calls_no_other_workflow,
    ),
    Attack(
        "a machine of others",
        lambda jobs: jobs["npm"].update({"runs-on": "self-hosted"}),
        rules.github_runs_it,
    ),
)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_workflow_that_publishes_keeps_every_rule(
    rule: Callable[[rules.Workflow], list[str]],
) -> None:
    assert rule(read(RELEASE)) == []


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_that_is_planted_in_the_workflow_is_noticed(attack: Attack) -> None:
    workflow = copy.deepcopy(read(RELEASE))
    attack.change(workflow["jobs"])
    assert attack.rule(workflow) != []


@pytest.mark.parametrize(
    "trigger",
    [
        {"pull_request_target": None, "push": {"tags": ["v*"]}},
        {"pull_request": None, "push": {"tags": ["v*"]}},
        {"push": {"tags": ["v*"], "branches": ["**"]}},
        {"workflow_dispatch": None},
        {"workflow_call": None},
    ],
    ids=str,
)
def test_another_trigger_of_the_workflow_that_publishes_is_noticed(trigger: dict[str, Any]) -> None:
    workflow = read(RELEASE)
    assert rules.only_pushed_tags_start_it({**workflow, True: trigger}) != []


def test_a_release_that_another_one_cancels_is_noticed() -> None:
    workflow = read(RELEASE)
    changed = {**workflow, "concurrency": {"group": "release", "cancel-in-progress": True}}
    assert rules.a_release_is_never_cancelled(changed) != []
    workflow.pop("concurrency")
    assert rules.a_release_is_never_cancelled(workflow) != []


@pytest.mark.skipif(sys.platform != "linux", reason="the commands are those of GitHub's Linux")
@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda folder: None, True),
        (lambda folder: (folder / "dist" / "a.whl").write_bytes(b"other"), False),
        (lambda folder: (folder / "dist" / "b.whl").write_bytes(b"added"), False),
        (lambda folder: (folder / "dist" / "a.tgz").unlink(), False),
        (lambda folder: (folder / "evidence" / "release.json").write_bytes(b"{}"), False),
    ],
    ids=["as it was", "other bytes", "a file more", "a file less", "other evidence"],
)
def test_a_job_goes_on_only_with_the_bytes_whose_hashes_the_rehearsal_has_given(
    change: Callable[[Path], object], same: bool, tmp_path: Path
) -> None:
    for name in ("dist/a.whl", "dist/a.tgz", "evidence/release.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())

    def run(command: str, **environment: str) -> int:
        env = {"PATH": os.environ["PATH"], "GITHUB_OUTPUT": str(tmp_path / "output"), **environment}
        return subprocess.run(
            ["bash", "-e", "-c", command], cwd=tmp_path, env=env, check=False
        ).returncode

    assert run(rules.HASHES) == 0
    output = (tmp_path / "output").read_text().strip().removeprefix("sha256=")
    change(tmp_path)
    assert (run(rules.SAME_BYTES, SHA256=output) == 0) is same
    assert run(rules.SAME_BYTES, SHA256="") != 0


def test_every_rule_is_shown_to_fail() -> None:
    shown = {attack.rule for attack in ATTACKS}
    by_themselves = {rules.only_pushed_tags_start_it, rules.a_release_is_never_cancelled}
    assert shown | by_themselves == set(rules.RULES)


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_every_workflow_keeps_what_holds_for_all(path: Path) -> None:
    workflow = read(path)
    assert [wrong for rule in rules.OF_ALL for wrong in rule(workflow)] == []
    assert workflow["permissions"] == {}
    assert WITH_OUR_PERMISSIONS.isdisjoint(rules.triggers(workflow))


@pytest.mark.parametrize("path", [each for each in ALL if each != RELEASE], ids=lambda p: p.name)
def test_no_other_workflow_has_an_identity_or_may_write(path: Path) -> None:
    workflow = read(path)
    assert rules.with_identity(workflow) == {}
    for name, job in workflow["jobs"].items():
        assert job["permissions"] == {"contents": "read"}, name
