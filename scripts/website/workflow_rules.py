"""What must hold of the workflow that deploys the site, so that its token stays where it is needed.

Each rule takes the parsed workflow and returns what contradicts it; `tests/test_website_workflow.py` shows that each can
fail.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from scripts.release.workflow_rules import (
    action,
    actions_are_pinned,
    checkouts_keep_no_credentials,
    github_runs_it,
    it_calls_no_other_workflow,
    no_text_of_others_is_run,
    nothing_is_cached,
    steps,
    triggers,
)

if TYPE_CHECKING:
    from scripts.release.workflow_rules import Workflow

DEPLOY_FOLDER = "scripts/website/deploy"
ACTIONS = ("actions/checkout", "actions/download-artifact", "actions/setup-node")
PACK = "tar --create --file site.tar --directory packages/website/out ."
HASH = 'echo "sha256=$(sha256sum site.tar)" >> "$GITHUB_OUTPUT"'
SAME_BYTES = 'test "$(sha256sum site.tar)" = "$SHA256"'
UNPACK = "mkdir site && tar --extract --file site.tar --directory site"
INSTALL = "npm ci --ignore-scripts --no-audit --no-fund"
DEPLOY = (
    f"{DEPLOY_FOLDER}/node_modules/.bin/wrangler pages deploy site"
    ' --project-name arcrun --branch main --commit-hash "$GITHUB_SHA"'
)
COMMANDS = (SAME_BYTES, UNPACK, INSTALL, DEPLOY)
SECRETS = {"CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_TOKEN"}

_SECRET = re.compile(r"secrets\.(\w+)|secrets\[|(github\.token)|toJSON\((secrets)\)")


def only_main_starts_it(workflow: Workflow) -> list[str]:
    """Check that nothing but a push to main starts it."""
    given = triggers(workflow)
    return [] if given == {"push": {"branches": ["main"]}} else [f"it is started by {given}"]


def every_job_may_only_read(workflow: Workflow) -> list[str]:
    """Check that no job can change the repository, or get an identity."""
    wrong = [] if workflow.get("permissions") == {} else ["all jobs get permissions"]
    return wrong + [
        f"{name} has the permissions {job.get('permissions')}"
        for name, job in workflow["jobs"].items()
        if job.get("permissions") != {"contents": "read"}
    ]


def only_the_command_that_deploys_has_the_token(workflow: Workflow) -> list[str]:
    """Check that no other step, and no job as a whole, has a secret."""
    wrong = []
    for name, job in workflow["jobs"].items():
        whole = {key: value for key, value in job.items() if key != "steps"}
        wrong += [f"{name} has {found} as a whole" for found in _secrets(whole)]
        for step in job.get("steps", ()):
            allowed = SECRETS if name == "deploy" and step.get("run") == DEPLOY else set[str]()
            wrong += [f"{name} has {found}" for found in sorted(_secrets(step) - allowed)]
    everything = {key: value for key, value in workflow.items() if key != "jobs"}
    return wrong + [f"every job has {found}" for found in _secrets(everything)]


def _secrets(part: dict[Any, Any]) -> set[str]:
    return {match[1] or match[2] or "any" for match in _SECRET.finditer(str(part))}


def the_job_with_the_token_runs_nothing_else(workflow: Workflow) -> list[str]:
    """Check that it checks out a lock only, and runs nothing but these commands, in their order."""
    job = workflow["jobs"]["deploy"]
    wrong = [f"deploy has a {each}" for each in ("container", "services", "env") if each in job]
    wrong += [
        f"deploy uses {step['uses']}"
        for step in job["steps"]
        if "uses" in step and action(step) not in ACTIONS
    ]
    wrong += [
        f"deploy checks out {step.get('with')}"
        for step in job["steps"]
        if action(step) == "actions/checkout"
        and (step.get("with") or {}).get("sparse-checkout") != DEPLOY_FOLDER
    ]
    commands = [step["run"] for step in job["steps"] if "run" in step]
    if commands != [*COMMANDS]:
        wrong.append(f"deploy runs {commands}")
    return wrong


def what_is_deployed_is_what_was_built(workflow: Workflow) -> list[str]:
    """Check that the archive is compared with an output of the build: another job can replace an artifact, but no output."""
    wrong = []
    build, deploy = (workflow["jobs"][name] for name in ("build", "deploy"))
    gives = build.get("outputs") == {"sha256": "${{ steps.built.outputs.sha256 }}"}
    if not gives or {"id": "built", "run": HASH} not in build["steps"]:
        wrong.append("build gives no hash")
    compared = {"run": SAME_BYTES, "env": {"SHA256": "${{ needs.build.outputs.sha256 }}"}}
    if compared not in deploy["steps"]:
        wrong.append("deploy compares nothing")
    wrong += [
        "deploy goes on after a failure"
        for step in deploy["steps"]
        if "if" in step or "continue-on-error" in step
    ]
    return wrong


def it_is_tested_before_it_is_deployed(workflow: Workflow) -> list[str]:
    """Check that it is built for the hosted engine and tested in a browser, and that a failure stops it."""
    jobs = workflow["jobs"]
    wrong = [] if jobs["deploy"].get("needs") == ["build", "test"] else ["deploy does not wait"]
    wrong += [f"{name} runs {job['if']}" for name, job in jobs.items() if "if" in job]
    wrong += [
        f"{name} may fail"
        for name, job in jobs.items()
        if job.get("continue-on-error") or any("continue-on-error" in s for s in job["steps"])
    ]
    expected = {
        "build": "nox -s website -- --engine https://cypher.arcrun.dev",
        "test": "nox -s website_test",
    }
    run = {(name, step.get("run")) for name, step in steps(workflow)}
    return wrong + [
        f"{name} does not run {it}" for name, it in expected.items() if (name, it) not in run
    ]


def an_environment_keeps_the_token(workflow: Workflow) -> list[str]:
    """Check that the token is that of an environment, which GitHub gives to main only, and no other job has one."""
    found = {name: job.get("environment") for name, job in workflow["jobs"].items()}
    expected = {**dict.fromkeys(found), "deploy": "website"}
    return [] if found == expected else [f"the environments are {found}"]


def a_deployment_is_never_cancelled(workflow: Workflow) -> list[str]:
    """Check that a second push waits for the first."""
    given = workflow.get("concurrency")
    expected = {"group": "website", "cancel-in-progress": False}
    return [] if given == expected else [f"concurrency is {given}"]


RULES = (
    only_main_starts_it,
    every_job_may_only_read,
    only_the_command_that_deploys_has_the_token,
    the_job_with_the_token_runs_nothing_else,
    what_is_deployed_is_what_was_built,
    it_is_tested_before_it_is_deployed,
    an_environment_keeps_the_token,
    a_deployment_is_never_cancelled,
    nothing_is_cached,
    it_calls_no_other_workflow,
    github_runs_it,
    actions_are_pinned,
    checkouts_keep_no_credentials,
    no_text_of_others_is_run,
)
