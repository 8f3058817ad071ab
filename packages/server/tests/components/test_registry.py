from __future__ import annotations

import re
from typing import Any

import jsonschema_rs
import pytest

from arcrun_server.components.registry import Registry
from arcrun_server.engine import ComponentError
from arcrun_server.outbound import Outbound

REGISTRY = Registry(Outbound())
NEEDED = {
    "if_control",
    "switch",
    "foreach_control",
    "filter",
    "merge",
    "try_catch",
    "wait",
    "set",
    "array_ops",
    "string_ops",
    "number_ops",
    "date_ops",
    "validate_json",
    "hash",
    "http_request",
    "code",
    "claude_api",
    "cron",
    "auth_static_key",
    "auth_service_account",
    "auth_oauth2",
}
# What fills these containers depends on the account, so that a run finds them and not the registry.
BY_ACCOUNT = {"claude_api", "auth_static_key", "auth_service_account", "auth_oauth2"}


def test_there_are_21_components() -> None:
    assert len(NEEDED) == 21


def test_the_catalog_has_the_components_of_the_contract() -> None:
    assert REGISTRY.ids == NEEDED
    assert [contract["canonical_id"] for contract in REGISTRY.contracts()] == sorted(NEEDED)


@pytest.mark.parametrize("contract", REGISTRY.contracts(), ids=lambda each: each["canonical_id"])
def test_every_contract_is_whole(contract: Any) -> None:
    required = {
        "canonical_id",
        "display_name",
        "category",
        "version",
        "description",
        "input_schema",
        "output_schema",
        "config_example",
    }
    assert required <= set(contract) <= required | {"branches"}
    assert contract["category"] in {"logic", "data", "api", "auth"}
    assert re.fullmatch(r"\d+\.\d+\.\d+", contract["version"])
    assert re.search(r"[\u4e00-\u9fff]", contract["display_name"])
    assert re.search(r"[A-Za-z]", contract["display_name"])
    for schema in (contract["input_schema"], contract["output_schema"]):
        jsonschema_rs.Draft202012Validator(schema, offline=True)
    assert set(contract["input_schema"].get("required", [])) <= set(contract["config_example"])
    assert set(contract["config_example"]) <= set(contract["input_schema"]["properties"])


def test_each_component_and_contract_is_found_by_its_id() -> None:
    for component_id in NEEDED:
        assert (REGISTRY.get(component_id) is None) == (component_id in BY_ACCOUNT)
        contract = REGISTRY.contract(component_id)
        assert contract is not None
        assert contract["canonical_id"] == component_id


def test_what_is_not_in_the_catalog_is_not_found() -> None:
    assert REGISTRY.get("coed") is None
    assert REGISTRY.contract("coed") is None
    assert REGISTRY.get("ftp://example.com") is None


def test_a_url_is_a_component_without_a_contract() -> None:
    assert REGISTRY.get("https://example.com/翻譯") is not None
    assert REGISTRY.contract("https://example.com/翻譯") is None


@pytest.mark.parametrize(
    ("component", "given", "message"),
    [
        (
            "http_request",
            {"url": "http://x/", "header": {}},
            "http_request has no parameter 'header'; did you mean 'headers'",
        ),
        ("http_request", {"url": "http://x/", "timeout": 1}, "did you mean 'timeout_seconds'"),
        (
            "string_ops",
            {"operation": "split", "text": "a", "seperator": ";"},
            "did you mean 'separator'",
        ),
        ("set", {"value": {}}, "set has no parameter 'value'; did you mean 'values'"),
        ("array_ops", {"operation": "first", "item": []}, "did you mean 'items'"),
    ],
)
async def test_a_misspelled_parameter_is_refused_and_not_ignored(
    use: Any, component: str, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(ComponentError, match=message):
        await use(component, given)


async def test_other_names_in_a_node_are_left_alone(use: Any) -> None:
    note = {"note": "檢查", "texts": [1]}
    assert await use("string_ops", {"operation": "upper", "text": "a", **note})
    assert (await use("if_control", {"condition": "inputs > 3", "inputs": 4}))["data"]["result"]


async def test_the_context_is_not_taken_for_misspelled_parameters(use: Any) -> None:
    own = {"operation": "upper", "text": "a"}
    assert await use("string_ops", {**own, "seperator": ";"}, own=own, written=own)
