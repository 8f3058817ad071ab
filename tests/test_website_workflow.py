"""The workflow that deploys the site: what must hold of it, and that each attack, planted in a copy, is noticed."""

import copy
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from scripts.release.workflow_rules import Workflow
from scripts.website import workflow_rules as rules

ROOT = Path(__file__).resolve().parent.parent
PATH = ROOT / ".github/workflows/website.yml"
SHA = "0" * 40


def read() -> Workflow:
    document: Workflow = yaml.safe_load(PATH.read_text("utf-8"))
    return document


class Attack(NamedTuple):
    """What somebody would change in the workflow, and the rule that notices it."""

    name: str
    change: Callable[[dict[str, Any]], object]
    rule: Callable[[Workflow], list[str]]


def step(jobs: dict[str, Any], job: str, beginning: str) -> dict[str, Any]:
    """Return the step of a job whose command or action begins so."""
    (found,) = (
        each
        for each in jobs[job]["steps"]
        if str(each.get("run") or each.get("uses")).startswith(beginning)
    )
    return found


def add(jobs: dict[str, Any], job: str, **given: Any) -> None:
    jobs[job]["steps"].insert(-1, given)


TOKEN = {"CLOUDFLARE_API_TOKEN": "${{ secrets.CLOUDFLARE_API_TOKEN }}"}
ATTACKS = (
    Attack(
        "an identity for a job",
        lambda jobs: jobs["build"]["permissions"].update({"id-token": "write"}),
        rules.every_job_may_only_read,
    ),
    Attack(
        "permissions of the repository's default",
        lambda jobs: jobs["deploy"].pop("permissions"),
        rules.every_job_may_only_read,
    ),
    Attack(
        "the token where the site is built",
        lambda jobs: step(jobs, "build", "nox").update(env=TOKEN),
        rules.only_the_command_that_deploys_has_the_token,
    ),
    Attack(
        "the token in every step",
        lambda jobs: jobs["deploy"].update(env=TOKEN),
        rules.only_the_command_that_deploys_has_the_token,
    ),
    Attack(
        "the token where packages are installed",
        lambda jobs: step(jobs, "deploy", "npm").update(env=TOKEN),
        rules.only_the_command_that_deploys_has_the_token,
    ),
    Attack(
        "another secret beside the token",
        lambda jobs: jobs["deploy"]["steps"][-1]["env"].update(KEY="${{ secrets.NPM_TOKEN }}"),
        rules.only_the_command_that_deploys_has_the_token,
    ),
    Attack(
        "all secrets",
        lambda jobs: jobs["deploy"]["steps"][-1]["env"].update(ALL="${{ toJSON(secrets) }}"),
        rules.only_the_command_that_deploys_has_the_token,
    ),
    Attack(
        "the whole repository beside the token",
        lambda jobs: step(jobs, "deploy", "actions/checkout")["with"].pop("sparse-checkout"),
        rules.the_job_with_the_token_runs_nothing_else,
    ),
    Attack(
        "install scripts beside the token",
        lambda jobs: step(jobs, "deploy", "npm").update(run="npm ci"),
        rules.the_job_with_the_token_runs_nothing_else,
    ),
    Attack(
        "a wrangler that no lock names",
        lambda jobs: jobs["deploy"]["steps"][-1].update(run="npx wrangler pages deploy site"),
        rules.the_job_with_the_token_runs_nothing_else,
    ),
    Attack(
        "a session of nox beside the token",
        lambda jobs: add(jobs, "deploy", run="nox -s website"),
        rules.the_job_with_the_token_runs_nothing_else,
    ),
    Attack(
        "an action of others beside the token",
        lambda jobs: add(jobs, "deploy", uses=f"somebody/deploy@{SHA}"),
        rules.the_job_with_the_token_runs_nothing_else,
    ),
    Attack(
        "a container of others beside the token",
        lambda jobs: jobs["deploy"].update(container="somebody/node"),
        rules.the_job_with_the_token_runs_nothing_else,
    ),
    Attack(
        "a site that another job has replaced",
        lambda jobs: jobs["deploy"]["steps"].remove(step(jobs, "deploy", "test ")),
        rules.what_is_deployed_is_what_was_built,
    ),
    Attack(
        "a comparison that may fail",
        lambda jobs: step(jobs, "deploy", "test ").update({"continue-on-error": True}),
        rules.what_is_deployed_is_what_was_built,
    ),
    Attack(
        "a hash of another job",
        lambda jobs: step(jobs, "deploy", "test ")["env"].update(
            SHA256="${{ needs.test.outputs.sha256 }}"
        ),
        rules.what_is_deployed_is_what_was_built,
    ),
    Attack(
        "a deployment before the tests",
        lambda jobs: jobs["deploy"].update(needs=["build"]),
        rules.it_is_tested_before_it_is_deployed,
    ),
    Attack(
        "a deployment after tests that failed",
        lambda jobs: jobs["deploy"].update({"if": "always()"}),
        rules.it_is_tested_before_it_is_deployed,
    ),
    Attack(
        "tests that may fail",
        lambda jobs: jobs["test"].update({"continue-on-error": True}),
        rules.it_is_tested_before_it_is_deployed,
    ),
    Attack(
        "a site for another engine",
        lambda jobs: step(jobs, "build", "nox").update(
            run="nox -s website -- --engine https://engine.example"
        ),
        rules.it_is_tested_before_it_is_deployed,
    ),
    Attack(
        "a token of the whole repository",
        lambda jobs: jobs["deploy"].pop("environment"),
        rules.an_environment_keeps_the_token,
    ),
    Attack(
        "the environment where the site is built",
        lambda jobs: jobs["build"].update(environment="website"),
        rules.an_environment_keeps_the_token,
    ),
    Attack(
        "a cache that setup-node makes by itself",
        lambda jobs: step(jobs, "deploy", "actions/setup-node")["with"].pop(
            "package-manager-cache"
        ),
        rules.nothing_is_cached,
    ),
    Attack(
        "a workflow of others",
        lambda jobs: jobs.update(other={"uses": f"somebody/else/.github/workflows/x.yml@{SHA}"}),
        rules.it_calls_no_other_workflow,
    ),
    Attack(
        "a machine of others",
        lambda jobs: jobs["deploy"].update({"runs-on": "self-hosted"}),
        rules.github_runs_it,
    ),
    Attack(
        "a tag of an action, which can be moved",
        lambda jobs: step(jobs, "deploy", "actions/download").update(
            uses="actions/download-artifact@v4"
        ),
        rules.actions_are_pinned,
    ),
    Attack(
        "credentials that a checkout leaves",
        lambda jobs: step(jobs, "deploy", "actions/checkout")["with"].pop("persist-credentials"),
        rules.checkouts_keep_no_credentials,
    ),
    Attack(
        "a text of others that is a command",
        lambda jobs: add(jobs, "build", run="echo ${{ github.event.head_commit.message }}"),
        rules.no_text_of_others_is_run,
    ),
)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_workflow_that_deploys_keeps_every_rule(
    rule: Callable[[Workflow], list[str]],
) -> None:
    assert rule(read()) == []


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_that_is_planted_in_the_workflow_is_noticed(attack: Attack) -> None:
    workflow = copy.deepcopy(read())
    attack.change(workflow["jobs"])
    assert attack.rule(workflow) != []


@pytest.mark.parametrize(
    "trigger",
    [
        {"pull_request_target": None},
        {"pull_request": None, "push": {"branches": ["main"]}},
        {"push": {"branches": ["**"]}},
        {"push": None},
        {"workflow_dispatch": None},
    ],
    ids=str,
)
def test_another_trigger_is_noticed(trigger: dict[str, Any]) -> None:
    assert rules.only_main_starts_it({**read(), True: trigger}) != []


def test_a_deployment_that_another_one_cancels_is_noticed() -> None:
    changed = {**read(), "concurrency": {"group": "website", "cancel-in-progress": True}}
    assert rules.a_deployment_is_never_cancelled(changed) != []


def test_a_token_of_all_jobs_is_noticed() -> None:
    assert rules.only_the_command_that_deploys_has_the_token({**read(), "env": TOKEN}) != []


def test_every_rule_is_shown_to_fail() -> None:
    shown = {attack.rule for attack in ATTACKS}
    by_themselves = {rules.only_main_starts_it, rules.a_deployment_is_never_cancelled}
    assert shown | by_themselves == set(rules.RULES)


def test_the_lock_names_everything_by_hash_and_by_an_exact_version() -> None:
    folder = ROOT / rules.DEPLOY_FOLDER
    lock = json.loads((folder / "package-lock.json").read_text("utf-8"))["packages"]
    wanted = json.loads((folder / "package.json").read_text("utf-8"))["dependencies"]
    assert lock[""]["dependencies"] == wanted
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    without = [
        name
        for name, package in lock.items()
        if name and not package.get("integrity", "").startswith("sha512-")
    ]
    assert without == []


@pytest.mark.skipif(sys.platform != "linux", reason="the commands are those of GitHub's Linux")
@pytest.mark.parametrize("changed", [False, True], ids=["as it was", "replaced"])
def test_only_the_archive_that_was_built_is_unpacked(changed: bool, tmp_path: Path) -> None:
    page = tmp_path / "packages/website/out/dashboard.html"
    page.parent.mkdir(parents=True)
    page.write_text("built", "utf-8")

    def run(command: str, **environment: str) -> int:
        env = {"PATH": os.environ["PATH"], "GITHUB_OUTPUT": str(tmp_path / "output"), **environment}
        ran = subprocess.run(["bash", "-e", "-c", command], cwd=tmp_path, env=env, check=False)
        return ran.returncode

    assert run(rules.PACK) == run(rules.HASH) == 0
    output = (tmp_path / "output").read_text().strip().removeprefix("sha256=")
    if changed:
        page.write_text("another", "utf-8")
        assert run(rules.PACK) == 0
    assert (run(rules.SAME_BYTES, SHA256=output) == 0) is not changed
    assert run(rules.SAME_BYTES, SHA256="") != 0
    assert run(rules.UNPACK) == 0
    assert (tmp_path / "site/dashboard.html").is_file()
