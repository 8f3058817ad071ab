import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from scripts import ROOT
from scripts.parity import parts
from scripts.parity.contract import contract_facts, read_contract
from scripts.parity.explained import Explanation, judge
from scripts.parity.python import read_python
from scripts.parity.surface import (
    ErrorClass,
    Method,
    Parameter,
    Surface,
    compare,
    compare_to_contract,
)
from scripts.parity.table import signature
from scripts.parity.typescript import snake_case, surface_of

SOURCES = ROOT / "packages" / "python-sdk" / "src"

# What scripts/parity/typescript.mjs prints, with one of each kind.
READ: dict[str, Any] = {
    "options": [{"name": "maxRetries", "required": False, "position": None}],
    "methods": {
        "auth.getToken": {
            "parameters": [
                {"name": "service", "required": True, "position": 0},
                {"name": "trustOrigin", "required": False, "position": None},
            ],
            "returns": "string",
        },
        "creds.list": {"parameters": [], "returns": "Credential[]"},
    },
    "errors": {"WorkflowPaused": {"parent": "ArcrunError", "attributes": ["taskId"]}},
    "types": {
        "Credential": [{"name": "created_at", "required": False}],
        "TokenOptions": [{"name": "trustOrigin", "required": False}],
    },
    "constants": [
        {"name": "FIRST_DELAY", "value": 0.5, "public": False},
        {"name": "HOSTED", "value": "https://cypher.arcrun.dev", "public": True},
        {"name": "BLANK", "value": "***", "public": True},
    ],
    "origins": {"notion": ["https://api.notion.com"]},
    "exports": ["Arcrun"],
}

PYTHON = Surface(
    methods={
        "auth.get_token": Method(
            (Parameter("service", True, 0), Parameter("trust_origin", False)), "str"
        ),
        "creds.list": Method((), "list[Credential]"),
    },
    options=(Parameter("max_retries", False),),
    errors={"WorkflowPaused": ErrorClass("ArcrunError", ("task_id",))},
    results={"Credential": {"created_at": False}},
    defaults={"FIRST_DELAY": "0.5", "HOSTED": "https://cypher.arcrun.dev"},
    origins={"notion": ("https://api.notion.com",)},
    exports=frozenset({"Arcrun"}),
)


def against_python(read: dict[str, Any]) -> list[str]:
    return compare("Python", PYTHON.facts(), "TypeScript", surface_of(read).facts())


def test_the_conventions_of_a_language_are_no_difference() -> None:
    assert against_python(READ) == []


def method(**changes: Any) -> dict[str, Any]:
    return {
        "methods": {**READ["methods"], "auth.getToken": READ["methods"]["auth.getToken"] | changes}
    }


SERVICE, TRUST = READ["methods"]["auth.getToken"]["parameters"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            method(parameters=[{**SERVICE, "name": "serviceName"}, TRUST]),
            [
                "parameter auth.get_token.service: required in Python, missing in TypeScript",
                "parameter auth.get_token.service_name: missing in Python, required in TypeScript",
            ],
        ),
        (
            method(parameters=[SERVICE, {**TRUST, "required": True}]),
            ["parameter auth.get_token.trust_origin: optional in Python, required in TypeScript"],
        ),
        (
            method(parameters=[SERVICE, {**TRUST, "position": 1}]),
            [
                "position of auth.get_token.trust_origin: by name only in Python, number 2 in TypeScript"
            ],
        ),
        (
            method(returns="Secret"),
            ["result of auth.get_token: str in Python, Secret in TypeScript"],
        ),
        (
            {"methods": {"creds.list": READ["methods"]["creds.list"]}},
            ["method auth.get_token: there in Python, missing in TypeScript"],
        ),
        ({"options": []}, ["option max_retries: optional in Python, missing in TypeScript"]),
        (
            {"errors": {"WorkflowPaused": {"parent": "Error", "attributes": ["taskId"]}}},
            ["error WorkflowPaused: is a ArcrunError in Python, is a Error in TypeScript"],
        ),
        (
            {"errors": {"WorkflowPaused": {"parent": "ArcrunError", "attributes": []}}},
            ["attribute WorkflowPaused.task_id: there in Python, missing in TypeScript"],
        ),
        (
            {"errors": {}},
            ["error WorkflowPaused: is a ArcrunError in Python, missing in TypeScript"],
        ),
        (
            {"types": {"Credential": [{"name": "created_at", "required": True}]}},
            ["field Credential.created_at: optional in Python, required in TypeScript"],
        ),
        (
            {
                "constants": [
                    {"name": "FIRST_DELAY", "value": 1, "public": True},
                    READ["constants"][1],
                ]
            },
            ["default FIRST_DELAY: 0.5 in Python, 1 in TypeScript"],
        ),
        (
            {"origins": {"notion": ["https://api.notion.evil"]}},
            [
                "origins of notion: https://api.notion.com in Python, https://api.notion.evil in TypeScript"
            ],
        ),
        (
            {"exports": ["Arcrun", "Extra"]},
            ["name Extra: missing in Python, public in TypeScript"],
        ),
    ],
)
def test_each_kind_of_difference_is_listed_once(
    changes: dict[str, Any], expected: list[str]
) -> None:
    assert against_python({**READ, **changes}) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("auth.listServices", "auth.list_services"),
        ("allowInsecureHttp", "allow_insecure_http"),
        ("created_at", "created_at"),
        ("oauth2", "oauth2"),
    ],
)
def test_names_of_typescript_become_those_of_the_contract(name: str, expected: str) -> None:
    assert snake_case(name) == expected


def test_a_signature_shows_what_is_optional_and_what_is_given_by_name() -> None:
    assert signature(PYTHON.methods["auth.get_token"]) == "service; trust_origin?"


# ---- Python, read from the real sources ----


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """Copy the Python SDK and change one line of the copy."""

    def change(file: str, before: str, after: str) -> Path:
        shutil.copytree(SOURCES, tmp_path / "src", dirs_exist_ok=True)
        path = tmp_path / "src" / "arcrun" / file
        text = path.read_text("utf-8")
        assert before in text
        path.write_text(re.sub(re.escape(before), after, text, count=1), "utf-8")
        return tmp_path / "src"

    return change


def test_both_python_clients_offer_the_same() -> None:
    sync, other = read_python(SOURCES, "sync"), read_python(SOURCES, "async")
    assert compare("sync", sync.facts(), "async", other.facts()) == []
    assert sync.methods["auth.bind"].returns == "httpx.Client"
    assert sync.methods["workflows.run"].parameters == (
        Parameter("name", True, 0),
        Parameter("input", False, 1),
        Parameter("run_async", False),
        Parameter("strict", False),
        Parameter("idempotency_key", False),
        Parameter("timeout", False),
        Parameter("max_retries", False),
        Parameter("extra_headers", False),
    )
    assert sync.errors["UnknownServiceError"] == ErrorClass("NotFoundError")
    assert sync.results["Workflow"]["graph"] is True
    assert sync.results["Workflow"]["config"] is False


@pytest.mark.parametrize(
    ("file", "before", "after", "expected"),
    [
        (
            "_async/creds.py",
            "        sensitivity: Sensitivity | None = None,\n        timeout",
            "        care: Sensitivity | None = None,\n        timeout",
            [
                "parameter creds.push.care: missing in sync, optional in changed",
                "parameter creds.push.sensitivity: optional in sync, missing in changed",
            ],
        ),
        (
            "_core/errors.py",
            "class ConflictError(APIStatusError)",
            "class ConflictError(ArcrunError)",
            ["error ConflictError: is a APIStatusError in sync, is a ArcrunError in changed"],
        ),
        (
            "_core/retry.py",
            "FIRST_DELAY = 0.5",
            "FIRST_DELAY = 2",
            ["default FIRST_DELAY: 0.5 in sync, 2 in changed"],
        ),
        (
            "_core/known_recipes.py",
            "https://oauth2.googleapis.com/token",
            "https://oauth2.example/token",
            [
                (
                    "origins of google_drive_sa: https://www.googleapis.com "
                    "https://oauth2.googleapis.com in sync, https://www.googleapis.com "
                    "https://oauth2.example in changed"
                )
            ],
        ),
        (
            "_async/client.py",
            "max_retries: int = MAX_RETRIES,",
            "max_retries: int,",
            ["option max_retries: optional in sync, required in changed"],
        ),
    ],
)
def test_a_change_of_the_python_sources_is_listed(
    changed: Callable[[str, str, str], Path],
    file: str,
    before: str,
    after: str,
    expected: list[str],
) -> None:
    other = read_python(changed(file, before, after), "async")
    assert (
        compare("sync", read_python(SOURCES, "sync").facts(), "changed", other.facts()) == expected
    )


# ---- The contract ----

CONTRACT = """
paths:
  /things/{name}:
    parameters: [{$ref: "#/components/parameters/Name"}]
    put:
      x-arcrun-sdk: things.push
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Push"}}}}
    get: {operationId: readThing}
components:
  parameters:
    Name: {name: name, in: path, required: true}
  schemas:
    Push:
      oneOf:
        - {required: [value], properties: {value: {}, note: {}}}
        - {required: [sealed], properties: {sealed: {}, note: {}}}
"""


@pytest.fixture
def contract(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "arcrun.yaml").write_text(CONTRACT, "utf-8")
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    (recipes / "jira.yaml").write_text(
        'service: jira\nbase_url: "https://{{secret.jira_domain}}.atlassian.net/rest/api/3"\n',
        "utf-8",
    )
    return contract_facts(read_contract(tmp_path / "arcrun.yaml", recipes))


def test_the_contract_states_the_parameters_of_its_operations(contract: dict[str, str]) -> None:
    assert contract == {
        "method things.push": "there",
        "parameter things.push.name": "required",
        "parameter things.push.value": "optional",
        "parameter things.push.sealed": "optional",
        "parameter things.push.note": "optional",
        "origins of jira": "https://{{secret.jira_domain}}.atlassian.net",
    }


def test_an_sdk_that_keeps_the_contract_may_offer_more(contract: dict[str, str]) -> None:
    sdk = {**contract, "parameter things.push.timeout": "optional", "option timeout": "optional"}
    assert compare_to_contract(contract, "Python", sdk) == []


def test_a_method_that_is_not_in_the_contract_is_listed(contract: dict[str, str]) -> None:
    sdk = {**contract, "method things.sing": "there", "parameter things.sing.tune": "required"}
    assert compare_to_contract(contract, "Python", sdk) == [
        "method things.sing: missing in the contract, there in Python"
    ]


def test_a_parameter_of_the_contract_that_an_sdk_lacks_is_listed(contract: dict[str, str]) -> None:
    sdk = {key: value for key, value in contract.items() if not key.endswith(".note")}
    assert compare_to_contract(contract, "TypeScript", sdk) == [
        "parameter things.push.note: optional in the contract, missing in TypeScript"
    ]


def test_the_real_contract_names_every_call_of_the_python_sdk() -> None:
    recipes = ROOT / "packages/server/src/arcrun_server/catalog/auth-recipes"
    promised = read_contract(ROOT / "openapi" / "arcrun.yaml", recipes)
    assert {"health", "creds.push", "workflows.run"} <= promised.methods.keys()
    assert promised.methods.keys() <= read_python(SOURCES, "sync").methods.keys()


# ---- The part as a whole ----


def test_without_the_compiler_the_step_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(parts.ParityFailed, match="npm ci --ignore-scripts"):
        parts.compare_surfaces(settings(tmp_path), Console(quiet=True))


def test_a_renamed_parameter_is_no_go_and_named() -> None:
    renamed = surface_of({**READ, **method(parameters=[{**SERVICE, "name": "who"}, TRUST])})
    lines = parts.surface_differences(Surface(), PYTHON, PYTHON, renamed)
    verdict = judge(lines, [Explanation("method *: missing in the contract, there in *", "測試")])
    with pytest.raises(parts.ParityFailed) as caught:
        parts.show(verdict, Console(quiet=True))
    assert str(caught.value).splitlines() == [
        "  differs without a reason: parameter auth.get_token.service: required in Python, missing in TypeScript",
        "  differs without a reason: parameter auth.get_token.who: missing in Python, required in TypeScript",
    ]


def test_a_difference_between_the_python_clients_is_listed() -> None:
    lines = parts.surface_differences(Surface(), PYTHON, Surface(), PYTHON)
    assert "option max_retries: optional in Python, missing in asynchronous Python" in lines


def settings(folder: Path) -> parts.Settings:
    return parts.Settings(
        sdks=(),
        report=None,
        explained=folder / "explained.yaml",
        adapters=folder,
        server_python=folder,
        adapter_python=folder,
        conformance_python=folder,
        node="node",
        work=folder,
        js_sdk=folder,
    )
