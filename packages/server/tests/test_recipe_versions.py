"""Versions, labels and deletion are the same for the recipes of all kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from prompts import greet, read
from pushed_recipes import api_recipe, auth_recipe, post

from arcrun_server.engine import compile_flow
from arcrun_server.recipes.api.record import hash_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api


@dataclass
class Kind:
    """A kind of recipes, and one of them.

    Args:
        path: Where the routes are.
        name: The recipe's name.
        recipe: Returns the recipe with another description.
        code: Code of the error if it is not there.
        id: The kind's own name.
        status: Status of the response to a push.
        node: What a node is that names the recipe.
    """

    path: str
    name: str
    recipe: Callable[[str], dict[str, Any]]
    code: str
    id: str
    status: int
    node: dict[str, Any]

    @property
    def one(self) -> str:
        return f"{self.path}/{self.name}"

    async def push(
        self, api: Api, description: str = "d", status: int | None = None, **more: Any
    ) -> Any:
        """Push a version and return what is said of it."""
        recipe = self.recipe(description)
        body = {"recipe": recipe, **more} if self.id == "prompt_recipe" else {**recipe, **more}
        answer = await post(api, self.path, body, status or self.status)
        return answer if "code" in answer else self.shown(answer)

    async def get(self, api: Api, query: str = "", status: int = 200) -> Any:
        answer = await read(api, f"{self.one}{query}", status)
        return answer if "code" in answer else self.shown(answer)

    def shown(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return what a response says of a version: of a prompt recipe it stands under `recipe`."""
        assert answer.pop("success") is True
        shown: dict[str, Any] = answer["recipe"] if self.id == "prompt_recipe" else answer
        return shown


KINDS = [
    Kind(
        "/auth-recipes",
        "own",
        lambda text: auth_recipe("https://own.example", description=text),
        "service_not_found",
        "auth_recipe",
        200,
        {"component": "own", "_path": "/x"},
    ),
    Kind(
        "/recipes",
        "own_send",
        lambda text: api_recipe("https://own.example", description=text),
        "recipe_not_found",
        "api_recipe",
        200,
        {"component": "own_send"},
    ),
    Kind(
        "/prompt-recipes",
        "greet",
        lambda text: greet(description=text),
        "recipe_not_found",
        "prompt_recipe",
        201,
        {"component": "claude_api", "recipe": "prompt_recipe:greet"},
    ),
]
AUTH, API, PROMPT = KINDS
by_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.id)


async def workflow(api: Api, name: str, node: dict[str, Any], status: int = 201) -> Any:
    graph = compile_flow(["input >> 完成後 >> a"], {"a": node})
    body = {"name": name, "graph": graph, "description": "d"}
    return await post(api, "/webhooks/named", body, status)


async def label(api: Api, kind: Kind, name: str, version: int, **more: Any) -> Any:
    return await api("PUT", f"{kind.one}/labels/{name}", json={"version": version, **more})


@by_kind
async def test_every_push_makes_a_version_that_stays(alice: Api, kind: Kind) -> None:
    assert (await kind.push(alice, "one", message="why 為何"))["version"] == 1
    assert (await kind.push(alice, "two"))["version"] == 2
    assert (await kind.push(alice, "two"))["version"] == 3
    first = await kind.get(alice, "?version=1")
    assert (first["id"], first["name"]) == (f"{kind.id}:{kind.name}", kind.name)
    assert (first["version"], first["message"]) == (1, "why 為何")
    assert first["recipe"]["description"] == "one"
    assert (await kind.get(alice))["recipe"]["description"] == "two"
    page = await read(alice, f"{kind.one}/versions?limit=2")
    assert [one["version"] for one in page["versions"]] == [3, 2]
    rest = await read(alice, f"{kind.one}/versions?limit=2&cursor={page['next_cursor']}")
    assert [(one["version"], one["message"]) for one in rest["versions"]] == [(1, "why 為何")]
    assert rest["versions"][0]["created_at"] == first["created_at"]
    assert (page["count"], "next_cursor" in rest) == (3, False)


@by_kind
async def test_what_a_version_is_stored_with_is_no_part_of_the_recipe(
    alice: Api, kind: Kind
) -> None:
    pushed = await kind.push(alice, message="why", expected_version=0)
    assert {"message", "expected_version"} & set(pushed["recipe"]) == set()
    refused = await kind.push(alice, status=400, message="x" * 4097)
    assert [one["path"] for one in refused["details"]] == ["message"]
    refused = await kind.push(alice, status=400, expected_version=-1)
    assert [one["path"] for one in refused["details"]] == ["expected_version"]


@by_kind
async def test_a_lost_update_is_refused(alice: Api, kind: Kind) -> None:
    assert (await kind.push(alice, expected_version=0))["version"] == 1
    refused = await kind.push(alice, status=409, expected_version=0)
    assert (refused["code"], refused["newest_version"]) == ("version_conflict", 1)
    assert (await kind.push(alice, expected_version=1))["version"] == 2
    await kind.push(alice, status=409, expected_version=1)
    assert (await read(alice, f"{kind.one}/versions"))["count"] == 2


@by_kind
async def test_a_push_under_an_idempotency_key_makes_one_version(alice: Api, kind: Kind) -> None:
    recipe = kind.recipe("d")
    body = {"recipe": recipe} if kind is PROMPT else recipe
    answers = [
        await alice("POST", kind.path, json=body, headers={"Idempotency-Key": "one"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [kind.status] * 2
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert (await read(alice, f"{kind.one}/versions"))["count"] == 1


@by_kind
async def test_a_label_chooses_the_version_and_moves_back(alice: Api, kind: Kind) -> None:
    for text in ("one", "two", "three"):
        await kind.push(alice, text)

    async def text(query: str = "") -> str:
        return str((await kind.get(alice, query))["recipe"]["description"])

    assert await text() == "three"
    for version, expected in ((1, "one"), (2, "two"), (1, "one")):
        moved = await label(alice, kind, "production", version)
        assert moved.json() == {
            "success": True,
            "name": kind.name,
            "label": "production",
            "version": version,
            "requires_tests": False,
        }
        assert await text() == expected
    assert await text("?version=3") == "three"
    await label(alice, kind, "staging", 2)
    assert await text("?label=staging") == "two"
    assert (await kind.get(alice))["labels"] == {
        "production": {"version": 1, "requires_tests": False},
        "staging": {"version": 2, "requires_tests": False},
    }
    assert (await alice("DELETE", f"{kind.one}/labels/production")).status_code == 200
    assert await text() == "three"
    gone = await alice("DELETE", f"{kind.one}/labels/production")
    assert (gone.status_code, gone.json()["code"]) == (404, "label_not_found")
    missing = await label(alice, kind, "staging", 9)
    assert (missing.status_code, missing.json()["code"]) == (404, kind.code)
    assert await text("?label=staging") == "two"


@by_kind
async def test_a_label_that_requires_tests_needs_a_recipe_that_has_some(
    alice: Api, kind: Kind
) -> None:
    await kind.push(alice)
    refused = await label(alice, kind, "production", 1, requires_tests=True)
    assert (refused.status_code, refused.json()["code"]) == (409, "tests_failed")
    assert refused.json()["error"].endswith("version 1: it has no tests")
    assert (await kind.get(alice))["labels"] == {}


@by_kind
async def test_two_versions_are_compared_line_by_line(alice: Api, kind: Kind) -> None:
    for text in ("one", "two"):
        await kind.push(alice, text)
    compared = await read(alice, f"{kind.one}/diff?from=1")
    assert (compared["name"], compared["from"], compared["to"]) == (kind.name, 1, 2)
    lines = compared["diff"].splitlines()
    assert lines[:2] == [f"--- {kind.id}:{kind.name}@1", f"+++ {kind.id}:{kind.name}@2"]
    changed = [line.strip(",") for line in lines[2:] if line[0] in "+-"]
    assert changed == ['-  "description": "one"', '+  "description": "two"']
    assert (await read(alice, f"{kind.one}/diff?from=2&to=2"))["diff"] == ""
    await read(alice, f"{kind.one}/diff?from=3", 404)
    await read(alice, f"{kind.one}/diff", 400)


@by_kind
async def test_unknown_versions_and_labels_say_what_there_is(alice: Api, kind: Kind) -> None:
    await kind.push(alice)
    noun = "service" if kind is AUTH else "recipe"
    missing = await kind.get(alice, "?version=7", 404)
    assert missing["error"] == f"the {noun} '{kind.name}' has no version 7; its newest version is 1"
    assert missing["code"] == kind.code
    missing = await kind.get(alice, "?label=staging", 404)
    assert (
        missing["error"]
        == f"the {noun} '{kind.name}' has no label 'staging'; its newest version is 1"
    )
    for query in ("?version=0", "?version=x", "?label=1", "?version=1&label=staging"):
        assert (await kind.get(alice, query, 400))["code"] == "invalid_request"


@by_kind
async def test_versions_are_private_to_their_account(
    alice: Api, bob: Api, nobody: Api, kind: Kind
) -> None:
    await kind.push(alice, "of alice")
    for path in (
        kind.one,
        f"{kind.one}?version=1",
        f"{kind.one}/versions",
        f"{kind.one}/diff?from=1",
    ):
        await read(bob, path, 404)
    assert (await label(bob, kind, "production", 1)).status_code == 404
    assert (await bob("DELETE", kind.one)).status_code == 404
    for path in (f"{kind.one}/versions", f"{kind.one}/diff?from=1"):
        await read(nobody, path, 401)
    assert (await label(nobody, kind, "production", 1)).status_code == 401
    await kind.push(bob, "of bob")
    assert (await kind.get(alice))["recipe"]["description"] == "of alice"
    assert (await kind.get(alice))["labels"] == {}


@by_kind
async def test_a_deleted_recipe_is_gone_with_its_labels_and_versions(
    alice: Api, kind: Kind
) -> None:
    await kind.push(alice)
    await kind.push(alice)
    await label(alice, kind, "production", 1)
    gone = await alice("DELETE", kind.one)
    assert (gone.status_code, gone.json()["name"]) == (200, kind.name)
    assert (await kind.get(alice, status=404))["code"] == kind.code
    await read(alice, f"{kind.one}/versions", 404)
    assert (await alice("DELETE", kind.one)).status_code == 404
    # A run, or a test before a label, may still name version 2: it must not mean another recipe.
    pushed = await kind.push(alice)
    assert pushed["version"] == 3
    assert (await kind.get(alice))["labels"] == {}
    assert (await label(alice, kind, "production", 2)).status_code == 404
    assert (await alice("DELETE", kind.one)).status_code == 200
    created = await kind.push(alice, expected_version=0)
    assert created["version"] == 4


@by_kind
async def test_a_recipe_that_workflows_name_is_deleted_only_by_force(
    alice: Api, bob: Api, kind: Kind
) -> None:
    for api in (alice, bob):
        await kind.push(api)
    field = "recipe" if kind is PROMPT else "component"
    await workflow(alice, "alone", kind.node)
    for chosen in ("1", "staging"):
        node = {**kind.node, field: f"{kind.node[field]}@{chosen}"}
        await workflow(alice, f"at_{chosen}", node)
    await workflow(alice, "other", {"component": "set", "values": {"text": f'"{kind.name}"'}})
    refused = await alice("DELETE", kind.one)
    assert (refused.status_code, refused.json()["code"]) == (409, "recipe_in_use")
    assert "by workflows: alone, at_1, at_staging" in refused.json()["error"]
    named = [one["path"] for one in refused.json()["details"]]
    assert named == ["alone", "at_1", "at_staging"]
    assert (await bob("DELETE", kind.one)).status_code == 200
    assert (await alice("DELETE", f"{kind.one}?force=maybe")).status_code == 400
    await kind.get(alice)
    assert (await alice("DELETE", f"{kind.one}?force=true")).status_code == 200
    await kind.get(alice, status=404)


async def test_a_service_is_in_use_by_credentials_recipes_and_primitives_too(alice: Api) -> None:
    await AUTH.push(alice)
    await post(alice, "/credentials", {"name": "own_token", "value": "v", "service": "own"})
    await post(alice, "/credentials", {"name": "other", "value": "v"})
    signed = api_recipe("https://own.example", auth_service="own")
    await post(alice, "/recipes", signed)
    await workflow(alice, "signs", {"component": "auth_static_key", "service": "own"})
    refused = (await alice("DELETE", AUTH.one)).json()
    assert refused["error"] == (
        "the service 'own' is named by workflows: signs; by API recipes: own_send; "
        "by credentials: own_token"
    )
    assert [(one["path"], one["message"]) for one in refused["details"]] == [
        ("signs", "this workflow names the service"),
        ("own_send", "this API recipe signs its requests as the service says"),
        ("own_token", "this credential is stored for the service"),
    ]
    await post(alice, "/recipes", api_recipe("https://own.example"))  # its newest needs no service
    assert "own_send" not in (await alice("DELETE", AUTH.one)).text
    await label(alice, API, "production", 1)  # but the one that a name means now does
    assert "by API recipes: own_send" in (await alice("DELETE", AUTH.one)).text
    assert (await alice("DELETE", f"{AUTH.one}?force=true")).status_code == 200


async def test_an_api_recipe_is_managed_under_its_hash_too(alice: Api) -> None:
    for text in ("one", "two"):
        await API.push(alice, text)
    other = f"/recipes/{hash_id('own_send')}"
    assert (await read(alice, f"{other}?version=1"))["recipe"]["description"] == "one"
    assert (await read(alice, f"{other}/versions"))["count"] == 2
    assert (await read(alice, f"{other}/diff?from=1"))["name"] == "own_send"
    moved = await alice("PUT", f"{other}/labels/production", json={"version": 1})
    assert moved.json()["name"] == "own_send"
    await workflow(alice, "by_hash", {"component": hash_id("own_send")})
    assert (await alice("DELETE", other)).json()["details"][0]["path"] == "by_hash"
    assert (await alice("DELETE", f"{other}?force=true")).json()["name"] == "own_send"


async def test_an_api_recipe_may_say_its_kind(alice: Api) -> None:
    pushed = await post(alice, "/recipes", API.recipe("d") | {"kind": "api_recipe"})
    assert "kind" not in pushed["recipe"]
    await post(alice, "/recipes", API.recipe("d") | {"kind": "auth_recipe"}, 400)


@pytest.mark.parametrize("kind", [AUTH, API], ids=lambda kind: kind.id)
async def test_lists_show_the_version_that_a_name_stands_for(alice: Api, kind: Kind) -> None:
    for text in ("one", "two"):
        await kind.push(alice, text)
    field = "service" if kind is AUTH else "canonical_id"
    for chosen, expected in ((None, (2, "two")), (1, (1, "one"))):
        if chosen is not None:
            await label(alice, kind, "production", chosen)
        page = await read(alice, f"{kind.path}?limit=200")
        (shown,) = [recipe for recipe in page["recipes"] if recipe[field] == kind.name]
        assert page["versions"] == {kind.name: expected[0]}
        assert shown["description"] == expected[1]
        assert shown == (await kind.get(alice))["recipe"]


@pytest.mark.parametrize(
    ("path", "version"),
    [("/auth-recipes/notion", 1), ("/recipes/telegram_send", None)],
)
async def test_shipped_recipes_have_no_versions_and_no_labels(
    alice: Api, nobody: Api, path: str, version: int | None
) -> None:
    for api in (alice, nobody):
        shown = await read(api, path)
        assert (shown["version"], shown["shipped"], shown["labels"]) == (0, True, {})
        assert (shown["created_at"], shown["message"]) == (None, None)
        # The number that the author gave it.
        assert shown["recipe"].get("version") == version
    assert (await read(alice, f"{path}/versions"))["versions"] == []
    for query in ("?version=1", "?label=production", "/diff?from=1"):
        missing = await read(alice, path + query, 404)
        assert "is shipped with the engine, and has no versions or labels" in missing["error"]
    refused = await alice("PUT", f"{path}/labels/production", json={"version": 1})
    assert (refused.status_code, refused.json()["code"]) == (403, "recipe_immutable")
    refused = await alice("DELETE", f"{path}/labels/production")
    assert (refused.status_code, refused.json()["code"]) == (403, "recipe_immutable")
