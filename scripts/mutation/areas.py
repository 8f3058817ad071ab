"""What is mutated, and what has to notice it: a suite of the harness, and the tests of a package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class SuiteRun:
    """One run of the conformance suite.

    Attributes:
        suite: `sdk` or `engine`.
        sdks: The SDKs, for the suite `sdk`.
        scenarios: Which scenarios, as patterns of their ids; all of them without one.
    """

    suite: str
    sdks: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()


@dataclass(frozen=True)
class Area:
    """Modules that are judged in the same way.

    Attributes:
        name: What the table calls it.
        sources: Its modules, as patterns below the repository.
        tests: The folders of the tests that must notice a defect.
        suites: The runs of the suite that must notice it, in this order; none for the harness itself.
        own_tests: Those files and folders of its tests that are about its modules, for `--fast`.
    """

    name: str
    sources: tuple[str, ...]
    tests: tuple[str, ...]
    suites: tuple[SuiteRun, ...] = ()
    own_tests: tuple[str, ...] = ()

    def modules(self, root: Path) -> Iterator[str]:
        """Yield the files of the area, as paths below the repository."""
        found = {path for pattern in self.sources for path in root.glob(pattern)}
        for path in sorted(found):
            if path.read_text("utf-8").strip():
                yield path.relative_to(root).as_posix()


_SDK, _SERVER, _HARNESS = (
    "packages/python-sdk/src/arcrun",
    "packages/server/src/arcrun_server",
    "conformance/src/arcrun_conformance",
)
_SERVER_TESTS = "packages/server/tests"
_BOTH = ("python-sync", "python-async")
_ENGINE = (SuiteRun("engine"), SuiteRun("sdk", ("python-sync",)))

AREAS = (
    Area(
        "python-sdk",
        (f"{_SDK}/_core/*.py",),
        ("packages/python-sdk/tests",),
        (SuiteRun("sdk", _BOTH),),
        ("packages/python-sdk/tests",),
    ),
    Area(
        "engine",
        (f"{_SERVER}/engine/*.py",),
        (_SERVER_TESTS,),
        _ENGINE,
        (
            f"{_SERVER_TESTS}/engine",
            f"{_SERVER_TESTS}/test_examples.py",
            f"{_SERVER_TESTS}/test_graphs.py",
            f"{_SERVER_TESTS}/test_runs.py",
            f"{_SERVER_TESTS}/test_workflows.py",
            f"{_SERVER_TESTS}/components/test_logic_components.py",
        ),
    ),
    Area(
        "store",
        (
            f"{_SERVER}/store/[!dp]*.py",
            f"{_SERVER}/store/database.py",
            f"{_SERVER}/store/pages.py",
        ),
        (_SERVER_TESTS,),
        _ENGINE,
        (
            f"{_SERVER_TESTS}/store",
            f"{_SERVER_TESTS}/accounts/test_account_keys.py",
            f"{_SERVER_TESTS}/test_credentials.py",
            f"{_SERVER_TESTS}/test_examples.py",
            f"{_SERVER_TESTS}/test_paging.py",
            f"{_SERVER_TESTS}/test_recipes.py",
            f"{_SERVER_TESTS}/test_server_key.py",
            f"{_SERVER_TESTS}/test_workflows.py",
        ),
    ),
    Area(
        # The suite starts engines on SQLite: none of it is executed.
        "postgresql",
        (f"{_SERVER}/store/postgresql*.py", f"{_SERVER}/store/database_url.py"),
        (_SERVER_TESTS,),
        (),
        (f"{_SERVER_TESTS}/store",),
    ),
    Area(
        "sealing",
        (f"{_SERVER}/sealing/*.py",),
        (_SERVER_TESTS,),
        _ENGINE,
        (
            f"{_SERVER_TESTS}/test_credentials.py",
            f"{_SERVER_TESTS}/test_envelope.py",
            f"{_SERVER_TESTS}/test_examples.py",
            f"{_SERVER_TESTS}/test_server_key.py",
        ),
    ),
    Area(
        "harness",
        (
            f"{_HARNESS}/scenarios/patterns.py",
            f"{_HARNESS}/scenarios/envelope.py",
            f"{_HARNESS}/scenarios/times.py",
            f"{_HARNESS}/checks/*.py",
            f"{_HARNESS}/wire/*.py",
            f"{_HARNESS}/report/*.py",
            f"{_HARNESS}/runs/values.py",
            f"{_HARNESS}/runs/results.py",
            f"{_HARNESS}/runs/steps.py",
            f"{_HARNESS}/runs/engine_steps.py",
            f"{_HARNESS}/runs/cell.py",
            f"{_HARNESS}/runs/engine_cell.py",
            f"{_HARNESS}/gate.py",
            f"{_HARNESS}/secrets.py",
            f"{_HARNESS}/deviations.py",
        ),
        ("conformance/tests",),
        (),
        (
            "conformance/tests/checks",
            "conformance/tests/report",
            "conformance/tests/runs",
            "conformance/tests/scenarios",
            "conformance/tests/test_deviations.py",
            "conformance/tests/test_gate.py",
            "conformance/tests/test_secrets.py",
            "conformance/tests/wire",
        ),
    ),
    Area(
        "release",
        ("scripts/release/verify.py", "scripts/release/evidence.py"),
        ("scripts/tests/release",),
        (),
        ("scripts/tests/release/test_evidence.py", "scripts/tests/release/test_steps.py"),
    ),
)

# Scenarios that are run before the others for a module of this name, because they use it most.
RELATED_SCENARIOS = {
    "bind": ("bind-*", "known-*", "secret-*", "sealed-*"),
    "bound": ("bind-*", "bound-*", "body-*", "base-url-*"),
    "config": ("config-*", "insecure-*", "key-*", "options-*", "timeout-*", "weak-*"),
    "creds": ("creds-*", "credential-*", "sealed-*"),
    "decoding": ("response-*",),
    "envelope": ("creds-*", "setup-*"),
    "errors": ("error-*", "response-*", "workflow-*"),
    "graphs": ("document-*", "large-*", "workflow-*"),
    "injection": ("bind-*", "inject-*", "base-url-*", "bound-*", "leaks-*"),
    "lookup": ("secret-*", "sealed-*", "get-*", "setup-*"),
    "memory": ("copies-*", "clients-*", "secret-*", "accounts-*"),
    "names": ("creds-*", "account-*", "workflow-bad-*", "service-*", "credential-*"),
    "operations": ("creds-*", "credential-*", "list-*", "workflow*", "run-*", "health"),
    "origins": ("bind-*", "insecure-*", "loopback-*", "redirect-*", "trust-*", "known-*"),
    "proxies": ("proxy-*",),
    "push": ("creds-*", "credential-*", "sealed-*"),
    "recipe": ("bind-*", "setup-*", "recipe*", "get-*", "token-*", "sealed-read-*"),
    "recipe_shape": ("bind-*", "recipe-*", "known-*"),
    "request": ("values-*", "texts-*", "options-*", "dates-*", "numbers-*", "call-*", "run-*"),
    "response": ("response-*", "error-*", "list-*", "run-*", "workflow-*"),
    "retry": ("retry-*", "run-*", "timeout-*", "no-retry-*", "checks-in-time"),
    "sealing": ("sealed-*", "creds-*", "setup-*"),
    "secret": ("secret-*", "empty-*", "leaks-*"),
    "server_key": ("sealed-*", "creds-*"),
    "setup": ("setup-*", "origin-*", "secret-*"),
    "shape": ("bind-*", "recipe-*", "known-*", "trust-*"),
    "tokens": ("bind-oauth2*", "bind-service-account*", "token-*", "service-account-*", "oauth-*"),
    "transport": ("bound-*", "bind-*", "redirect-*", "token-*", "leaks-*"),
    "trust": (
        "bind-*",
        "secret-*",
        "insecure-*",
        "redirect-*",
        "recipe*",
        "known-*",
        "trust-*",
        "origin-*",
    ),
    "conditions": ("condition-*",),
    "condition_parser": ("condition-*",),
    "check": ("workflow-invalid*", "document-*", "*-checked-on-push"),
    "flow": ("document-*", "workflow-*"),
    "labels": ("document-*", "condition-*", "workflow-*"),
    "machine": ("workflow-*", "document-*", "sub-workflow-*", "run-*"),
    "frames": ("document-*", "sub-workflow-*", "run-*"),
    "placeholders": ("placeholder-*", "input-*", "strict-*", "workflow-*", "bind-*", "inject-*"),
    "templates": ("placeholder-*", "input-*", "workflow-*"),
    "continuation": ("run-paused*",),
    "redaction": ("credential-*", "secret-*"),
    "pages": ("list-*", "workflows-list*"),
    "credentials": ("creds-*", "secret-*"),
    "recipes": ("recipe-*", "bind-*"),
    "executions": ("workflow-executions*", "sub-workflow-*"),
}
OTHERWISE_RELATED = {
    "python-sdk": ("creds-*", "workflow-lifecycle", "setup-*", "bind-*", "secret-*", "run-*"),
    "engine": ("workflow-*", "document-*", "condition-*"),
    "store": ("workflow-lifecycle", "creds-*", "workflow-executions*", "list-*"),
    "sealing": ("creds-*", "setup-*"),
    "js-sdk": ("bind-*", "setup-*", "creds-*", "redirect-*", "secret-*", "run-*"),
}

# The same for the engine suite, whose scenarios are named after their subject.
RELATED_IN_ENGINE = {
    "budget": ("limits-*", "foreach-*", "subflows-*"),
    "check": ("validate-*", "flows-*", "edges-*"),
    "condition_parser": ("conditions-*",),
    "conditions": ("conditions-*", "branches-*"),
    "continuation": ("tokens-*", "executions-*", "docs-*"),
    "credentials": ("credentials-*", "tenancy-*"),
    "cursors": ("lists-*",),
    "edges": ("edges-*", "flows-*"),
    "envelope": ("credentials-*", "secrets-*"),
    "executions": ("executions-*", "lists-*", "tenancy-*"),
    "flow": ("flows-*", "edges-*", "docs-*"),
    "frames": ("foreach-*", "subflows-*", "edges-*"),
    "idempotency": ("idempotency-*",),
    "labels": ("flows-*", "edges-*", "conditions-*"),
    "loops": ("foreach-*",),
    "nearest": ("validate-*", "errors-*"),
    "pages": ("lists-*", "search-*"),
    "parameters": ("validate-*", "placeholders-*"),
    "placeholders": ("placeholders-*",),
    "recipes": ("recipes-*", "apirecipes-*", "lists-*"),
    "redaction": ("secrets-*", "credentials-*", "http-*"),
    "scope": ("placeholders-*", "branches-*", "foreach-*"),
    "server_key": ("credentials-*", "secrets-*", "lists-cursors"),
    "sizes": ("limits-*",),
    "sub_workflow": ("subflows-*",),
    "templates": ("placeholders-*",),
    "workflows": ("workflows-*", "lists-*", "search-*"),
}
OTHERWISE_RELATED_IN_ENGINE = {
    "engine": ("flows-*", "edges-*", "foreach-*", "failures-*"),
    "store": ("workflows-*", "credentials-*", "lists-*", "keys-*"),
    "sealing": ("credentials-*",),
}


def related_scenarios(area: Area, module: str, suite: str = "sdk") -> tuple[str, ...]:
    """Return the scenarios of a suite to run first for a module, as patterns of their ids."""
    stem = module.rsplit("/", 1)[-1].partition(".")[0]
    if suite == "engine":
        return RELATED_IN_ENGINE.get(stem, OTHERWISE_RELATED_IN_ENGINE.get(area.name, ()))
    return RELATED_SCENARIOS.get(stem, OTHERWISE_RELATED.get(area.name, ()))
