"""`/prompt-recipes`: push, list, get, render, test, label and delete prompt recipes (docs/prompt-recipes.md)."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response  # noqa: TC002 - FastAPI reads the annotations

from arcrun_server.errors import ApiError, Detail
from arcrun_server.json_text import encode
from arcrun_server.kbdb.base import OwnBlocks
from arcrun_server.recipes.prompt.assembly import AssemblyError
from arcrun_server.recipes.prompt.differences import unified_diff
from arcrun_server.recipes.prompt.record import RecipeError
from arcrun_server.recipes.prompt.reference import (
    LABEL,
    LABEL_RULE,
    NAME,
    NAME_RULE,
    PREFIX,
    Reference,
)
from arcrun_server.recipes.prompt.stored import Label, VersionConflictError
from arcrun_server.recipes.prompts import Prompts, RecipeNotFoundError
from arcrun_server.recipes.read_recipes import read
from arcrun_server.routes.context import path_name
from arcrun_server.routes.once import respond_once
from arcrun_server.routes.paging import invalid_parameter, query_parameter
from arcrun_server.routes.problems import check_known, details_of, sentence_of
from arcrun_server.routes.run_response import encode_off_loop
from arcrun_server.routes.schemas import LABEL_CHANGE, PROMPT_PUSH, PROMPT_RENDER, PROMPT_TEST
from arcrun_server.runs.idempotency import IdempotentResponse, IdempotentRuns
from arcrun_server.slots import Queues
from arcrun_server.store.pages import PageRequest
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    from arcrun_server.recipes.prompt.assembly import Prompt, ResolvedRecipe
    from arcrun_server.recipes.prompt.stored import StoredVersion
    from arcrun_server.routes.context import Context

MOST_WORKFLOWS = 50
"""How many workflows are listed that name a recipe that was to be deleted."""

_VERSION = re.compile(r"[1-9][0-9]{0,8}")
_VERSION_RULE = "a whole number from 1 to 999999999"
# Roughly how many characters of a text make a token: of ASCII, and of everything else.
_ASCII_PER_TOKEN = 4
_OTHER_PER_TOKEN = 1


class PromptRecipeRoutes:
    """The account's prompt recipes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store.prompt_recipes
        self._once = IdempotentRuns(context.store.idempotency)
        # A recipe's tests may be many large prompts: those of one account are run one after the other.
        self._tests = Queues(1)

    def add_to(self, router: APIRouter) -> None:
        """Add these routes."""
        one = "/prompt-recipes/{name}"
        router.add_api_route("/prompt-recipes", self.list, methods=["GET"])
        router.add_api_route("/prompt-recipes", self.push, methods=["POST"])
        router.add_api_route(one, self.get, methods=["GET"])
        router.add_api_route(one, self.delete, methods=["DELETE"])
        router.add_api_route(f"{one}/versions", self.versions, methods=["GET"])
        router.add_api_route(f"{one}/diff", self.diff, methods=["GET"])
        router.add_api_route(f"{one}/render", self.render, methods=["POST"])
        router.add_api_route(f"{one}/test", self.test, methods=["POST"])
        router.add_api_route(f"{one}/labels/{{label}}", self.set_label, methods=["PUT"])
        router.add_api_route(f"{one}/labels/{{label}}", self.remove_label, methods=["DELETE"])

    async def list(self, request: Request) -> Response:
        """Return name, newest version and description of a page of recipes."""
        account = await self._context.account_by_bearer(request)
        asked = self._context.pages.requested(request, "/prompt-recipes")
        page = await self._store.list(account, asked)
        recipes = [
            {
                "name": entry["name"],
                "version": entry["newest"],
                "description": entry["description"],
            }
            for entry in page.entries
        ]
        body = {"success": True, "recipes": recipes, "count": page.total}
        return JsonResponse(body | self._context.pages.next(page, "/prompt-recipes"))

    async def push(self, request: Request) -> Response:
        """Store a new version, once for each idempotency key."""
        account = await self._context.account_by_bearer(request)
        given = await self._context.json(request, PROMPT_PUSH)

        async def store() -> IdempotentResponse:
            try:
                pushed = await self._prompts(account).push(
                    given["recipe"], given.get("message"), given.get("expected_version")
                )
            except RecipeError as error:
                raise _invalid(error) from None
            except VersionConflictError as error:
                raise _conflict(error) from None
            body = {
                "success": True,
                "recipe": _shown(pushed.version),
                "warnings": pushed.warnings,
            }
            return IdempotentResponse(201, encode(body))

        return await respond_once(self._once, request, account, ["prompt-recipe", given], store)

    async def get(self, request: Request) -> Response:
        """Return a version: that of the query, of its label, or the one that a node would take."""
        account = await self._context.account_by_bearer(request)
        version = await self._version(account, _reference(request))
        labels = await self._store.labels(account, version.name)
        body = _shown(version) | {
            "labels": {
                label: {"version": one.version, "requires_tests": one.requires_tests}
                for label, one in labels.items()
            }
        }
        return JsonResponse({"success": True, "recipe": body})

    async def versions(self, request: Request) -> Response:
        """Return a page of the versions, newest first."""
        account = await self._context.account_by_bearer(request)
        name = _name(request)
        listed = f"/prompt-recipes/{name}/versions"
        asked = self._context.pages.requested(request, listed)
        page = await self._store.versions(account, name, asked)
        if not page.total:
            await self._version(account, Reference(name))  # says what there is instead
        body = {"success": True, "versions": page.entries, "count": page.total}
        return JsonResponse(body | self._context.pages.next(page, listed))

    async def render(self, request: Request) -> Response:
        """Assemble a prompt from values that the body gives, without asking a model."""
        account = await self._context.account_by_bearer(request)
        given = await self._context.json(request, PROMPT_RENDER)
        prompts = self._prompts(account)
        try:
            resolved = await self._resolved(prompts, request, given)
            _check_variables(resolved, given)
            prompt = await prompts.render(
                resolved, given.get("context", {}), given.get("inputs"), given.get("fragments")
            )
        except AssemblyError as error:
            raise _not_assembled(error) from None
        body = {"success": True, "recipe": resolved.recipe.id, "version": resolved.version}
        return JsonResponse(await encode_off_loop(body | _rendered(prompt)))

    async def test(self, request: Request) -> Response:
        """Run the tests that a recipe brings with it."""
        account = await self._context.account_by_bearer(request)
        given = await self._context.json(request, PROMPT_TEST)
        prompts = self._prompts(account)
        resolved = await self._resolved(prompts, request, given)
        async with self._tests.turn(account):
            outcomes = await prompts.test(resolved)
        tests = [outcome.as_json() for outcome in outcomes]
        return JsonResponse(
            {
                "success": True,
                "recipe": resolved.recipe.id,
                "version": resolved.version,
                "passed": all(one["passed"] for one in tests),
                "tests": tests,
            }
        )

    async def set_label(self, request: Request) -> Response:
        """Let a label point to a version."""
        account = await self._context.account_by_bearer(request)
        name, label = _name(request), _label(request)
        given = await self._context.json(request, LABEL_CHANGE)
        now = (await self._store.labels(account, name)).get(label)
        requires = given.get("requires_tests", now.requires_tests if now else False)
        version = await self._version(account, Reference(name, version=given["version"]))
        if requires:
            await self._check_tests(account, version)
        if not await self._store.set_label(account, name, label, Label(version.version, requires)):
            await self._version(account, Reference(name, version=given["version"]))
        body = {"success": True, "name": name, "label": label, "version": version.version}
        return JsonResponse(body | {"requires_tests": requires})

    async def remove_label(self, request: Request) -> Response:
        """Remove a label; the versions stay."""
        account = await self._context.account_by_bearer(request)
        name, label = _name(request), _label(request)
        if not await self._store.remove_label(account, name, label):
            await self._version(account, Reference(name))
            raise ApiError(404, "label_not_found", f"the recipe {name!r} has no label {label!r}")
        return JsonResponse({"success": True, "name": name, "label": label})

    async def delete(self, request: Request) -> Response:
        """Remove a recipe with all its versions."""
        account = await self._context.account_by_bearer(request)
        name = _name(request)
        await self._version(account, Reference(name, version=1))
        if not _force(request):
            await self._check_unused(account, name)
        await self._store.delete(account, name)
        return JsonResponse({"success": True, "name": name})

    async def diff(self, request: Request) -> Response:
        """Compare two versions."""
        account = await self._context.account_by_bearer(request)
        name = _name(request)
        older = _version_parameter(request, "from")
        if older is None:
            raise invalid_parameter("from", _VERSION_RULE)
        newer = _version_parameter(request, "to")
        old = await self._version(account, Reference(name, version=older))
        new = await self._newest(account, name, newer)
        names = (f"{PREFIX}{name}@{old.version}", f"{PREFIX}{name}@{new.version}")
        text = await asyncio.to_thread(unified_diff, _text_of(old), _text_of(new), *names)
        body = {"success": True, "name": name, "from": old.version, "to": new.version}
        return JsonResponse(body | {"diff": text})

    def _prompts(self, account: str) -> Prompts:
        store, check = self._context.store, self._context.registry.check_schema
        blocks = OwnBlocks(store.blocks, account)
        return Prompts(account, self._store, store.prompt_texts, blocks, check)

    async def _version(self, account: str, reference: Reference) -> StoredVersion:
        try:
            return await self._prompts(account).get(reference)
        except RecipeNotFoundError as error:
            raise _not_found(error) from None

    async def _newest(self, account: str, name: str, version: int | None) -> StoredVersion:
        """Return a version, or the newest one, whatever labels say."""
        if version is None:
            page = await self._store.versions(account, name, PageRequest(1))
            version = page.entries[0]["version"] if page.entries else 1
        return await self._version(account, Reference(name, version=version))

    async def _check_unused(self, account: str, name: str) -> None:
        """Refuse to delete a recipe that workflows name."""
        # The graph is stored as compact JSON, in which a quote inside a text has a backslash before it.
        names = (f"{prefix}{name}{end}" for prefix in ("", PREFIX) for end in ('"', "@"))
        texts = [f'"recipe":"{named}' for named in names]
        naming = await self._context.store.workflows.holding(account, texts, MOST_WORKFLOWS)
        if naming:
            listed = ", ".join(naming[:10]) + (" …" if len(naming) > 10 else "")
            raise ApiError(
                409,
                "recipe_in_use",
                f"the recipe {name!r} is named by workflows: {listed}",
                details=[Detail("this workflow names the recipe", path=one) for one in naming],
                next_actions=["change these workflows, or delete it all the same with ?force=true"],
            )

    async def _resolved(
        self, prompts: Prompts, request: Request, given: dict[str, Any]
    ) -> ResolvedRecipe:
        """Return the recipe of the body if there is one, else the stored one."""
        if "recipe" not in given:
            try:
                return await prompts.resolve(_reference(request))
            except RecipeNotFoundError as error:
                raise _not_found(error) from None
            except AssemblyError as error:
                raise _not_assembled(error) from None
        try:
            recipe, _ = await read(given["recipe"])
        except RecipeError as error:
            raise _invalid(error) from None
        name = _name(request)
        if recipe.name != name:
            raise ApiError(
                400,
                "invalid_recipe",
                f"the recipe in the body is {recipe.name!r}, but the path names {name!r}",
            )
        return await prompts.resolve_given(recipe)

    async def _check_tests(self, account: str, version: StoredVersion) -> None:
        prompts = self._prompts(account)
        resolved = await prompts.resolve(Reference(version.name, version=version.version))
        async with self._tests.turn(account):
            outcomes = await prompts.test(resolved)
        failed = [outcome for outcome in outcomes if outcome.failures]
        if failed or not resolved.recipe.tests:
            first = failed[0] if failed else None
            reason = (
                f"its test {first.name!r} fails: {first.failures[0]}"
                if first
                else "it has no tests"
            )
            raise ApiError(
                409,
                "tests_failed",
                f"the label moves only to a version whose tests pass; version {version.version}: {reason}",
                details=[
                    Detail(text, path=outcome.name)
                    for outcome in failed
                    for text in outcome.failures
                ],
            )


def _shown(version: StoredVersion) -> dict[str, Any]:
    shown = {
        "id": PREFIX + version.name,
        "name": version.name,
        "version": version.version,
        "recipe": version.recipe,
        "message": version.message,
        "created_at": version.created_at,
    }
    return shown if version.source is None else shown | {"source": version.source}


def _check_variables(resolved: ResolvedRecipe, given: dict[str, Any]) -> None:
    """Refuse values and texts for variables that the recipe has not: they would change nothing."""
    inputs = [one.var for one in resolved.recipe.inputs]
    fragments = [one.var for one in resolved.recipe.fragments]
    check_known(given.get("inputs") or {}, inputs, "inputs", "input of the recipe")
    check_known(given.get("fragments") or {}, fragments, "fragments", "fragment of the recipe")


def _rendered(prompt: Prompt) -> dict[str, Any]:
    messages = [
        {
            "role": message.role,
            "content": message.content,
            "ranges": [
                {"start": one.start, "end": one.end, "origin": one.origin} for one in message.ranges
            ],
        }
        for message in prompt.messages
    ]
    estimate = sum(map(_tokens, (message.content for message in prompt.messages)))
    return {"messages": messages, "estimated_tokens": estimate, "warnings": list(prompt.warnings)}


def _tokens(text: str) -> int:
    """Estimate the tokens of a text; only a model's own counter is exact."""
    others = len(text.encode(errors="replace")) - len(
        text
    )  # Chinese: two more bytes than characters
    other = min(len(text), others // 2)
    return -(-(len(text) - other) // _ASCII_PER_TOKEN) + other // _OTHER_PER_TOKEN


def _name(request: Request) -> str:
    return path_name(request, "name", NAME, NAME_RULE)


def _label(request: Request) -> str:
    return path_name(request, "label", LABEL, LABEL_RULE)


def _reference(request: Request) -> Reference:
    name = _name(request)
    version, label = _version_parameter(request, "version"), query_parameter(request, "label")
    if version is not None and label is not None:
        raise invalid_parameter("label", "left out if `version` is given")
    if label is not None and not LABEL.fullmatch(label):
        raise invalid_parameter("label", LABEL_RULE)
    return Reference(name, label, version)


def _version_parameter(request: Request, name: str) -> int | None:
    text = query_parameter(request, name)
    if text is not None and not _VERSION.fullmatch(text):
        raise invalid_parameter(name, _VERSION_RULE)
    return None if text is None else int(text)


def _force(request: Request) -> bool:
    text = query_parameter(request, "force")
    if text not in (None, "true", "false"):
        raise invalid_parameter("force", "true or false")
    return text == "true"


def _text_of(version: StoredVersion) -> str:
    if version.source is not None:
        return version.source
    return json.dumps(version.recipe, ensure_ascii=False, indent=2) + "\n"


def _invalid(error: RecipeError) -> ApiError:
    details = details_of(error.problems)
    first = error.problems[0]
    text = sentence_of(details[0])
    if first.suggestion:
        text += f"; did you mean {first.suggestion!r}?"
    if len(details) > 1:
        text += f" (and {len(details) - 1} more, see details)"
    return ApiError(400, first.code, text, details=details)


def _not_assembled(error: AssemblyError) -> ApiError:
    detail = Detail(str(error), path=error.variable, suggestion=error.suggestion)
    return ApiError(422, error.code, str(error), details=[detail])


def _conflict(error: VersionConflictError) -> ApiError:
    there = f"the newest version is {error.newest}" if error.newest else "there is no such recipe"
    return ApiError(
        409,
        "version_conflict",
        f"the recipe was not stored: {there}, not the one in expected_version",
        next_actions=["get the newest version, make the change again, and push with its number"],
        extra={"newest_version": error.newest},
    )


def _not_found(error: RecipeNotFoundError) -> ApiError:
    return ApiError(
        404, "recipe_not_found", str(error), next_actions=["see all recipes: GET /prompt-recipes"]
    )
