"""What must hold of the workflow that publishes, so that each attack of SECURITY.md is stopped.

Each rule takes the parsed workflow and returns what contradicts it; `tests/test_release_workflow.py` shows that each can
fail.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Workflow = dict[Any, Any]
Job = dict[str, Any]

# What the jobs with an identity may use and run: no code of ours, none of dependencies.
ACTIONS = {
    "actions/download-artifact",
    "actions/setup-node",
    "actions/attest",
    "pypa/gh-action-pypi-publish",
}
SAME_BYTES = (
    'test "$(LC_ALL=C sha256sum dist/* evidence/release.json | base64 --wrap=0)" = "$SHA256"'
)
HASHES = (
    'echo "sha256=$(LC_ALL=C sha256sum dist/* evidence/release.json | base64 --wrap=0)"'
    ' >> "$GITHUB_OUTPUT"'
)
FETCH_TAG = 'git fetch --force --no-tags origin "$GITHUB_REF:$GITHUB_REF"'
STAGE = "npm stage publish ./release/dist/*.tgz --access public --provenance --ignore-scripts"
COMMANDS = {
    SAME_BYTES,
    STAGE,
    "mkdir python && cp release/dist/*.whl release/dist/*.tar.gz python/",
}
WRITABLE = {"id-token", "attestations"}
PUBLISHING = ("npm", "pypi")


def triggers(workflow: Workflow) -> dict[str, Any]:
    """Return what starts a workflow: YAML 1.1 takes the key `on` for true."""
    given = workflow.get("on", workflow.get(True))
    listed: list[str] = [given] if isinstance(given, str) else given or []
    return given if isinstance(given, dict) else dict.fromkeys(listed)


def with_identity(workflow: Workflow) -> dict[str, Job]:
    """Return the jobs that can get an identity token."""
    jobs: dict[str, Job] = workflow["jobs"]
    return {
        name: job
        for name, job in jobs.items()
        if (job.get("permissions") or {}).get("id-token") == "write"
    }


def steps(workflow: Workflow) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each step with the name of its job."""
    for name, job in workflow["jobs"].items():
        for step in job.get("steps", ()):
            yield name, step


def action(step: dict[str, Any]) -> str:
    """Return the name of the action that a step uses."""
    return str(step.get("uses", "")).partition("@")[0]


def only_pushed_tags_start_it(workflow: Workflow) -> list[str]:
    """Check that nothing but a pushed tag starts it."""
    given = triggers(workflow)
    return [] if given == {"push": {"tags": ["v*"]}} else [f"it is started by {given}"]


def no_job_can_do_more_than_it_says(workflow: Workflow) -> list[str]:
    """Check that each job states its permissions, and that none may change the repository."""
    wrong = [] if workflow.get("permissions") == {} else ["all jobs get permissions"]
    for name, job in workflow["jobs"].items():
        given = job.get("permissions")
        if not isinstance(given, dict):
            wrong.append(f"{name} has the permissions {given}")
            continue
        wrong += [
            f"{name} may write {each}"
            for each, access in given.items()
            if access == "write" and each not in WRITABLE
        ]
    return wrong


def who_has_an_identity_runs_nothing_else(workflow: Workflow) -> list[str]:
    """Check that jobs with an identity run no code of ours and none of dependencies."""
    wrong = [] if set(PUBLISHING) <= set(with_identity(workflow)) else ["a job has no identity"]
    for name, job in with_identity(workflow).items():
        allowed = {"id-token", "attestations"} if name == "attest" else {"id-token"}
        wrong += [f"{name} may also {each}" for each in set(job["permissions"]) - allowed]
        wrong += [f"{name} has a {each}" for each in ("container", "services") if each in job]
        for step in job["steps"]:
            if "uses" in step and action(step) not in ACTIONS:
                wrong.append(f"{name} uses {step['uses']}")
            if "run" in step and step["run"] not in COMMANDS:
                wrong.append(f"{name} runs {step['run']}")
    return wrong


def nothing_is_cached(workflow: Workflow) -> list[str]:
    """Check that nothing that another run has left can be used."""
    wrong = []
    for name, step in steps(workflow):
        given = {str(key): value for key, value in step.get("with", {}).items()}
        if "cache" in action(step) or "cache" in given:
            wrong.append(f"{name} has a cache")
        # It caches by itself where package.json names a package manager.
        if action(step) == "actions/setup-node" and given.get("package-manager-cache") is not False:
            wrong.append(f"{name} may get a cache")
    return wrong


def actions_are_pinned(workflow: Workflow) -> list[str]:
    """Check that each action is named by a commit: tags can be moved."""
    return [
        f"{name} uses {step['uses']}"
        for name, step in steps(workflow)
        if "uses" in step and not re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", step["uses"])
    ]


def it_calls_no_other_workflow(workflow: Workflow) -> list[str]:
    """Check that all of it is in this file: PyPI does not trust reusable workflows."""
    return [
        f"{name} calls {job['uses']}" for name, job in workflow["jobs"].items() if "uses" in job
    ]


def there_are_no_tokens(workflow: Workflow) -> list[str]:
    """Check that a key of the engine is the only secret, and that no job has it together with an identity."""
    wrong = []
    identities = with_identity(workflow)
    for name, job in workflow["jobs"].items():
        found = re.findall(r"secrets\.(\w+)|secrets\[|(github\.token)", str(job))
        names = {each[0] or each[1] or "any" for each in found}
        allowed = set() if name in identities else {"ARCRUN_LIVE_API_KEY"}
        wrong += [f"{name} has {each}" for each in sorted(names - allowed)]
        for step in job.get("steps", ()):
            given = {str(each).lower() for each in step.get("with", {})}
            wrong += [f"{name} gives {each}" for each in given & {"password", "token", "user"}]
    return wrong


def checkouts_keep_no_credentials(workflow: Workflow) -> list[str]:
    """Check that no checkout leaves a token in the folder that later steps can read."""
    return [
        f"{name} keeps the credentials of its checkout"
        for name, step in steps(workflow)
        if action(step) == "actions/checkout"
        and step.get("with", {}).get("persist-credentials") is not False
    ]


def no_text_of_others_is_run(workflow: Workflow) -> list[str]:
    """Check that no command has an expression: it is pasted, so that the name of a branch could be a command."""
    return [
        f"{name} pastes into {step['run']}"
        for name, step in steps(workflow)
        if "${{" in str(step.get("run", ""))
    ]


def reviewers_are_asked(workflow: Workflow) -> list[str]:
    """Check that reviewers are asked before the hosted engine is used, and before something is signed or sent."""
    expected = {"live": "release", "attest": "release", "npm": "npm", "pypi": "pypi"}
    found = {name: job.get("environment") for name, job in workflow["jobs"].items()}
    return [
        f"{name} has {found.get(name)}" for name in expected if found.get(name) != expected[name]
    ]


def the_bytes_are_those_of_the_rehearsal(workflow: Workflow) -> list[str]:
    """Check that bytes are compared with an output of the rehearsal: another job can replace an artifact, but no output."""
    wrong = []
    rehearsal = workflow["jobs"]["rehearsal"]
    gives = rehearsal.get("outputs") == {"sha256": "${{ steps.built.outputs.sha256 }}"}
    if not gives or {"id": "built", "run": HASHES} not in rehearsal["steps"]:
        wrong.append("the rehearsal gives no hashes")
    for name, job in with_identity(workflow).items():
        first, second = job["steps"][:2]
        compared = {
            "run": SAME_BYTES,
            "working-directory": "release",
            "env": {"SHA256": "${{ needs.rehearsal.outputs.sha256 }}"},
        }
        if action(first) != "actions/download-artifact" or second != compared:
            wrong.append(f"{name} does not compare what it downloads first")
        wrong += [f"{name} goes on after a failure" for step in job["steps"] if "if" in step]
        wrong += [
            f"{name} goes on after a failure"
            for step in job["steps"]
            if "continue-on-error" in step
        ]
    return wrong


def everything_is_checked_before_something_is_sent(workflow: Workflow) -> list[str]:
    """Check what must have passed before a job that signs or sends begins."""
    jobs = workflow["jobs"]
    wrong = []
    for name in with_identity(workflow):
        before = _before(jobs, name)
        lacking = {"rehearsal", "faults", "live", "preflight"} - before
        wrong += [f"{name} does not wait for {each}" for each in sorted(lacking)]
    if "npm" not in _before(jobs, "pypi"):
        wrong.append("pypi does not wait for npm, which can still be refused")
    wrong += [f"{name} runs {job['if']}" for name, job in jobs.items() if "if" in job]
    preflight = jobs["preflight"]["steps"]
    commands = [step.get("run") for step in preflight]
    depths = [
        step["with"].get("fetch-depth") for step in preflight if action(step) == "actions/checkout"
    ]
    if depths != [0] or FETCH_TAG not in commands:
        wrong.append("preflight has neither main nor the tag")
    if commands[-1] != "nox -s release -- --publish":
        wrong.append("preflight checks nothing")
    return wrong


def _before(jobs: dict[str, Job], name: str) -> set[str]:
    """Return the jobs that must have succeeded before one begins."""
    needs = jobs[name].get("needs", [])
    direct = {needs} if isinstance(needs, str) else set(needs)
    return direct.union(*(_before(jobs, each) for each in direct))


def a_person_makes_it_public(workflow: Workflow) -> list[str]:
    """Check that npm gets a stage only: who has the identity of this workflow can't publish."""
    commands = [str(step.get("run", "")) for _, step in steps(workflow)]
    wrong = [
        command
        for command in commands
        if re.search(r"npm (publish|stage (approve|reject))|nox -s approve|gh release", command)
    ]
    return wrong if STAGE in commands else [*wrong, "nothing is staged on npm"]


def a_release_is_never_cancelled(workflow: Workflow) -> list[str]:
    """Check that a second tag waits for the first."""
    given = workflow.get("concurrency")
    expected = {"group": "release", "cancel-in-progress": False}
    return [] if given == expected else [f"concurrency is {given}"]


def github_runs_it(workflow: Workflow) -> list[str]:
    """Check that no job runs on a machine that keeps something."""
    return [
        f"{name} runs on {job.get('runs-on')}"
        for name, job in workflow["jobs"].items()
        if job.get("runs-on") != "ubuntu-latest"
    ]


RULES = (
    only_pushed_tags_start_it,
    no_job_can_do_more_than_it_says,
    who_has_an_identity_runs_nothing_else,
    nothing_is_cached,
    actions_are_pinned,
    it_calls_no_other_workflow,
    there_are_no_tokens,
    checkouts_keep_no_credentials,
    no_text_of_others_is_run,
    reviewers_are_asked,
    the_bytes_are_those_of_the_rehearsal,
    everything_is_checked_before_something_is_sent,
    a_person_makes_it_public,
    a_release_is_never_cancelled,
    github_runs_it,
)
# These hold for every workflow.
OF_ALL = (actions_are_pinned, checkouts_keep_no_credentials, no_text_of_others_is_run)
