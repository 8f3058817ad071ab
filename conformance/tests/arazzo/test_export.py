"""`arcrun-conformance export --format arazzo`: what it writes, what it leaves out, and that others can run it."""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from full_disk import called_with_files_up_to
from hostile_texts import any_hostile, assert_harmless
from jsonschema import Draft202012Validator

from arcrun_conformance.arazzo.document import KEYS
from arcrun_conformance.arazzo.operations import Operations
from arcrun_conformance.cli import COULD_NOT_RUN, GO, main
from arcrun_conformance.local_engine import local_engine
from arcrun_conformance.resources import data_directory
from arcrun_conformance.runs.values import unknown_key
from conformance.tests.arazzo import tools

if TYPE_CHECKING:
    from pathlib import Path

SCENARIOS = data_directory() / "scenarios/engine"
OPENAPI = data_directory().parent / "openapi/arcrun.yaml"


def exported(file: Path, *globs: str) -> dict[str, Any]:
    arguments = ["export", "--format", "arazzo", str(file)]
    for glob in globs:
        arguments += ["--scenario", glob]
    assert main(arguments) == GO
    document: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    return document


@pytest.fixture(scope="module")
def all_exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[str]]:
    """All scenarios that can be expressed, and what the command printed."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        document = exported(tmp_path_factory.mktemp("arazzo") / "engine.arazzo.yaml")
    return document, printed.getvalue().splitlines()


@pytest.fixture
def everything(all_exported: tuple[dict[str, Any], list[str]]) -> dict[str, Any]:
    """The document of all scenarios that can be expressed."""
    return all_exported[0]


def scenario(folder: Path, *steps: dict[str, Any], **more: Any) -> list[str]:
    """Write a scenario; return the arguments that select it."""
    definition = {"id": "one", "title": "t", "spec": ["docs/contract.md#routes"], **more}
    path = folder / "scenarios" / "one.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump({**definition, "steps": list(steps)}), "utf-8")
    return ["export", "--format", "arazzo", "--scenarios", str(path.parent)]


def written_steps(tmp_path: Path, *steps: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    file = tmp_path / "one.arazzo.json"
    assert main([*scenario(tmp_path, *steps, **more), str(file)]) == GO
    (workflow,) = json.loads(file.read_text("utf-8"))["workflows"]
    found: list[dict[str, Any]] = workflow["steps"]
    return found


@pytest.mark.downloads
def test_the_document_is_valid_by_the_official_schema(everything: dict[str, Any]) -> None:
    validator = Draft202012Validator(tools.official_schema())
    assert [problem.message for problem in validator.iter_errors(everything)] == []
    assert len(everything["workflows"]) > 70


@pytest.mark.downloads
def test_the_schema_would_find_an_error(everything: dict[str, Any]) -> None:
    broken = {**everything, "workflows": [{**everything["workflows"][0], "unknown": 1}]}
    assert not Draft202012Validator(tools.official_schema()).is_valid(broken)


def test_each_operation_exists_and_has_all_parameters_of_its_path(
    everything: dict[str, Any],
) -> None:
    openapi = yaml.safe_load(OPENAPI.read_text("utf-8"))
    paths = {
        operation["operationId"]: set(re.findall(r"\{(\w+)\}", path))
        for path, item in openapi["paths"].items()
        for operation in item.values()
        if isinstance(operation, dict) and "operationId" in operation
    }
    steps = [step for workflow in everything["workflows"] for step in workflow["steps"]]
    assert {step["operationId"] for step in steps} <= paths.keys()
    for step in steps:
        given = {each["name"] for each in step.get("parameters", ()) if each["in"] == "path"}
        assert given == paths[step["operationId"]]


def test_each_scenario_is_in_the_document_or_has_a_reason(
    all_exported: tuple[dict[str, Any], list[str]],
) -> None:
    document, (first, *reasons) = all_exported
    total, count = len(list(SCENARIOS.rglob("*.yaml"))), len(document["workflows"])
    assert first.startswith(f"{count} of {total} scenarios written to ")
    found = [re.fullmatch(r" *(\d+) left out: it \w+ .+ \(.+\)", line) for line in reasons]
    left_out = [int(match[1]) for match in found if match]
    assert len(left_out) == len(reasons)
    assert sum(left_out) == total - count
    assert left_out == sorted(left_out, reverse=True)


def test_every_expression_of_a_step_is_of_an_input_or_of_a_step_before(
    everything: dict[str, Any],
) -> None:
    for workflow in everything["workflows"]:
        known = {f"$inputs.{name}" for name in workflow["inputs"]["properties"]}
        for step in workflow["steps"]:
            text = json.dumps(step, ensure_ascii=False)
            assert set(re.findall(r"\$(?:inputs|steps)\.[\w-]+(?:\.outputs\.\w+)?", text)) <= known
            known |= {f"$steps.{step['stepId']}.outputs.{name}" for name in step.get("outputs", ())}


def test_a_chain_of_steps_is_written_with_parameters_body_criteria_and_outputs(
    tmp_path: Path,
) -> None:
    first, second = written_steps(
        tmp_path,
        {
            "id": "pushed",
            "send": "/credentials",
            "method": "POST",
            "json": {"name": "${run}_名", "value": "${secret.token}"},
            "save": {"name": "body.name"},
            "expect": {"status": 200, "body": {"success": True}},
        },
        {
            "id": "deleted",
            "send": "/credentials/${name}",
            "method": "DELETE",
            "key": "${second_api_key}",
            "query": {"a": "1"},
            "headers": {"X-Request-Id": "${run}"},
            "expect": {"status": 404},
        },
        secrets={"token": {"value": "canary-${run}"}},
    )
    payload = first["requestBody"].pop("payload")
    run = payload["name"].removesuffix("_名")
    assert re.fullmatch("arcconf_[0-9a-f]{8}_0001", run)
    assert payload["value"] == f"canary-{run}"
    assert first == {
        "stepId": "pushed",
        "operationId": "pushCredential",
        "parameters": [{"name": "X-Arcrun-API-Key", "in": "header", "value": "$inputs.api_key"}],
        "requestBody": {"contentType": "application/json"},
        "successCriteria": [
            {"condition": "$statusCode == 200"},
            {"context": "$response.body", "condition": "$[?@.success == true]", "type": "jsonpath"},
        ],
        "outputs": {"name": "$response.body#/name"},
    }
    assert (second["operationId"], second["parameters"]) == (
        "deleteCredential",
        [
            {"name": "name", "in": "path", "value": "$steps.pushed.outputs.name"},
            {"name": "a", "in": "query", "value": "1"},
            {"name": "X-Arcrun-API-Key", "in": "header", "value": "$inputs.second_api_key"},
            {"name": "x-request-id", "in": "header", "value": run},
        ],
    )


SENT = {"id": "sent", "send": "/health", "expect": {"status": 200}}
SAVED = {"id": "saved", "save": {"a": "body.a"}, "expect": {"body": {"a": {"b": 1}}}}


@pytest.mark.parametrize(
    ("step", "more", "reason"),
    [
        ({**SENT, "send": "/nowhere"}, {}, "the OpenAPI document does not have"),
        ({**SENT, "send": "/health?a=1"}, {}, "a query as it is sent"),
        ({**SENT, "query": {"a": ["1", "2"]}}, {}, "a parameter several times"),
        ({**SENT, "headers": {"host": None}}, {}, "leaves out a header"),
        ({**SENT, "headers": {"x-a": "${standin}"}}, {}, "needs the stand-in"),
        ({**SENT, "text": "{"}, {}, "no JSON value"),
        ({**SENT, "repeat": 2}, {}, "several times"),
        ({**SENT, "json": {"a": "$inputs.a"}}, {}, "reads as an expression"),
        ({**SENT, "json": {"$sealed": {"key": "k", "name": "n", "value": "v"}}}, {}, "seals"),
        ({**SENT, **SAVED, "send": "/health"}, {}, "saves a list or an object"),
        ({**SENT, "save": {"a": "status"}}, {}, "saves status"),
        (SENT, {"engine": {"settings": {"ARCRUN_SERVER_X": "1"}}}, "an engine of its own"),
        ({**SENT, "json": {"a": "x" * 20_000}}, {}, "too much to be written down"),
    ],
)
def test_what_arazzo_can_not_say_leaves_the_scenario_out(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    step: dict[str, Any],
    more: dict[str, Any],
    reason: str,
) -> None:
    file = tmp_path / "one.arazzo.yaml"
    assert main([*scenario(tmp_path, step, **more), str(file)]) == COULD_NOT_RUN
    printed = capsys.readouterr()
    assert re.search(rf"1 left out: it .*{reason}.* \(one\)", printed.out)
    assert "no scenario can be written as Arazzo" in printed.err
    assert not file.exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--scenario", "nothing-*"], "no scenario of the engine suite matches nothing-*"),
        (["--openapi", "missing.yaml"], "missing.yaml: can't be read"),
        (["--openapi", str(SCENARIOS / "health/health-root.yaml")], "is no OpenAPI document"),
    ],
)
def test_a_wrong_argument_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    command = [*scenario(tmp_path, SENT), *arguments, str(tmp_path / "x.yaml")]
    assert main(command) == COULD_NOT_RUN
    assert expected in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for files")
@pytest.mark.parametrize("before", [None, "an older document"])
def test_a_document_that_can_not_be_written_whole_is_not_written(
    tmp_path: Path, before: str | None
) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    file = folder / "x.yaml"
    if before is not None:
        file.write_text(before, "utf-8")
    done = called_with_files_up_to(100, *scenario(tmp_path, SENT), str(file))
    assert done.returncode == COULD_NOT_RUN
    assert f"{file} can't be written: File too large" in done.stderr
    assert {path.name: path.read_text("utf-8") for path in folder.iterdir()} == (
        {} if before is None else {"x.yaml": before}
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets few users make links")
def test_a_document_takes_the_place_of_what_a_link_names(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    real.write_text("older", "utf-8")
    link.symlink_to(real)
    assert main([*scenario(tmp_path, SENT), str(link)]) == GO
    assert link.is_symlink()
    assert yaml.safe_load(real.read_text("utf-8"))["arazzo"] == "1.0.1"


@any_hostile
def test_the_name_of_a_file_is_shown_and_not_obeyed(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    hostile: str,
) -> None:
    command = scenario(tmp_path, SENT)
    monkeypatch.chdir(tmp_path)
    main([*command, hostile.replace("/", "-")])
    printed = capsys.readouterr()
    assert_harmless(printed.out + printed.err)


@pytest.mark.parametrize(
    "paths",
    ["{/a: null}", "{/a: {get: null}}", "{/a: {get: {operationId: 1}}}", "{1: {get: {}}}"],
)
def test_a_document_whose_operations_are_none_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], paths: str
) -> None:
    (tmp_path / "openapi.yaml").write_text(f"paths: {paths}\n", "utf-8")
    given = ["--openapi", str(tmp_path / "openapi.yaml"), str(tmp_path / "x.yaml")]
    assert main([*scenario(tmp_path, SENT), *given]) == COULD_NOT_RUN
    assert "is no OpenAPI document: the operations of" in capsys.readouterr().err


def test_of_two_paths_the_one_with_fewer_parameters_is_meant() -> None:
    paths = {
        "/a/{name}": {"get": {"operationId": "getA"}},
        "/a/list": {"get": {"operationId": "listA"}},
    }
    assert Operations({"paths": paths}).find("GET", "/a/list") == ("listA", {})


@pytest.mark.downloads
async def test_another_program_runs_the_workflows_and_finds_a_wrong_one(tmp_path: Path) -> None:
    file = tmp_path / "some.arazzo.json"
    document = exported(
        file, "tenancy-idempotency", "credentials-case", "conditions-types", "subflows-credentials"
    )
    (tmp_path / "arcrun.yaml").write_text(OPENAPI.read_text("utf-8"), "utf-8")
    document["sourceDescriptions"][0]["url"] = "arcrun.yaml"
    inputs = dict.fromkeys(KEYS, unknown_key())
    async with local_engine([sys.executable, "-m", "arcrun_server"], keys=3) as engine:
        inputs |= dict(
            zip(("api_key", "second_api_key", "fresh_api_key"), engine.keys, strict=True)
        )
        file.write_text(json.dumps(document), "utf-8")
        code, printed = tools.respect(file, engine.url, inputs)
        assert code == 0, printed
        assert f"{len(document['workflows'])} passed" in printed
        criterion = document["workflows"][0]["steps"][0]["successCriteria"][-1]
        criterion["condition"] = criterion["condition"].replace("[?", "[?!(").replace("]", ")]", 1)
        file.write_text(json.dumps(document), "utf-8")
        code, printed = tools.respect(file, engine.url, inputs)
    assert code != 0
    assert criterion["condition"] in printed
