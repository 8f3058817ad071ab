from __future__ import annotations

import re
from typing import Any

import jsonschema_rs
import pytest

from arcrun_server.components import Registry
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
}


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
        assert REGISTRY.get(component_id) is not None
        contract = REGISTRY.contract(component_id)
        assert contract is not None
        assert contract["canonical_id"] == component_id


def test_what_is_not_in_the_catalog_is_not_found() -> None:
    assert REGISTRY.get("code") is None
    assert REGISTRY.contract("code") is None
    assert REGISTRY.get("ftp://example.com") is None


def test_a_url_is_a_component_without_a_contract() -> None:
    assert REGISTRY.get("https://example.com/翻譯") is not None
    assert REGISTRY.contract("https://example.com/翻譯") is None
