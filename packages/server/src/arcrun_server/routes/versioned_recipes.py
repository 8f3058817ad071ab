"""The routes that all kinds of recipes have: versions that never change, labels that point to them."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from arcrun_server.engine.nearest import nearest
from arcrun_server.engine.versions import LABEL, VERSION
from arcrun_server.errors import ApiError
from arcrun_server.json_text import encode
from arcrun_server.recipes.differences import unified_diff
from arcrun_server.recipes.finder import RecipeFinder
from arcrun_server.recipes.reference import LABEL_RULE, Reference
from arcrun_server.recipes.versions import (
    SHIPPED,
    Label,
    RecipeNotFoundError,
    StoredVersion,
    VersionConflictError,
)
from arcrun_server.routes.context import path_name
from arcrun_server.routes.once import respond_once
from arcrun_server.routes.paging import invalid_parameter, query_parameter
from arcrun_server.routes.problems import details_of, sentence_of
from arcrun_server.routes.recipe_use import refuse_if_used
from arcrun_server.routes.schemas import LABEL_CHANGE
from arcrun_server.runs.idempotency import IdempotentResponse, IdempotentRuns
from arcrun_server.store.pages import Page, PageRequest
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from arcrun_server.engine import Problem
    from arcrun_server.recipes.catalog import ShippedRecipes
    from arcrun_server.routes.context import Context
    from arcrun_server.routes.recipe_kinds import RecipeKind
    from arcrun_server.store.recipes import Recipes
    from arcrun_server.web.router import ApiRouter

_VERSION_RULE = "a whole number from 1 to 999999999"


class VersionedRecipes(ABC):
    """Push, get, list, compare, label and delete recipes of one kind.

    Args:
        context: What the routes share.
        kind: The kind.
        shipped: The shipped recipes of this kind, for everyone.
        pushed: The recipes of this kind that accounts have pushed, each for its own account.
    """

    def __init__(
        self, context: Context, kind: RecipeKind, shipped: ShippedRecipes, pushed: Recipes
    ) -> None:
        self._context = context
        self._kind = kind
        self._shipped = shipped
        self._pushed = pushed
        self._finder = RecipeFinder(shipped, pushed, kind.noun, own_first=kind.own_first)
        self._once = IdempotentRuns(context.store.idempotency)

    def add_to(self, router: ApiRouter) -> None:
        """Add these routes."""
        path, one = self._kind.path, f"{self._kind.path}/{{{self._kind.parameter}}}"
        label = f"{one}/labels/{{label}}"
        router.add_api_route(path, self.list, methods=["GET"])
        router.add_api_route(path, self.push, methods=["POST"])
        router.add_api_route(one, self.get, methods=["GET"])
        router.add_api_route(one, self.delete, methods=["DELETE"])
        router.add_api_route(f"{one}/versions", self.versions, methods=["GET"])
        router.add_api_route(f"{one}/diff", self.diff, methods=["GET"])
        router.add_api_route(label, self.set_label, methods=["PUT"])
        router.add_api_route(label, self.remove_label, methods=["DELETE"])

    @abstractmethod
    async def list(self, request: Request) -> Response:
        """Return a page of the recipes, shipped and own."""

    @abstractmethod
    async def _store(
        self, account: str, given: dict[str, Any]
    ) -> tuple[StoredVersion, Sequence[str]]:
        """Store what was pushed; return its version, and warnings.

        Raises:
            ApiError: It can't be used.
            VersionConflictError: The newest version is not the one that was expected.
        """

    @abstractmethod
    def _body(self, shown: dict[str, Any]) -> dict[str, Any]:
        """Return the body of a response about one version."""

    async def push(self, request: Request) -> Response:
        """Store a new version, once for each idempotency key."""
        account = await self._account(request)
        given = await self._context.json(request, self._kind.fields)

        async def store() -> IdempotentResponse:
            try:
                version, warnings = await self._store(account, given)
            except VersionConflictError as error:
                raise _conflict(error, self._kind.noun) from None
            body = self._body(self._shown(version)) | {"warnings": warnings}
            return IdempotentResponse(self._kind.pushed_status, encode(body))

        wanted = [self._kind.id.replace("_", "-"), given]
        return await respond_once(self._once, request, account, wanted, store)

    async def get(self, request: Request) -> Response:
        """Return a version: that of the query, of its label, or the one that a node would take."""
        account = await self._reader(request)
        reference = self._reference(request)
        version = await self._version(account, reference, self._context.base_url(request))
        labels: dict[str, Label] = {}
        if account is not None and version.version != SHIPPED:
            labels = await self._pushed.labels(account, version.name)
        shown = self._shown(version) | {"labels": {name: vars(one) for name, one in labels.items()}}
        return JsonResponse(self._body(shown))

    async def versions(self, request: Request) -> Response:
        """Return a page of the account's own versions, newest first."""
        account = await self._account(request)
        name = (await self._version(account, Reference(self._name(request)))).name
        listed = f"{self._kind.path}/{name}/versions"
        asked = self._context.pages.requested(request, listed)
        page = await self._pushed.versions(account, name, asked)
        body = {"success": True, "versions": page.entries, "count": page.total}
        return JsonResponse(body | self._context.pages.next(page, listed))

    async def diff(self, request: Request) -> Response:
        """Compare two versions."""
        account = await self._account(request)
        name = self._name(request)
        older = _version_parameter(request, "from")
        if older is None:
            raise invalid_parameter("from", _VERSION_RULE)
        newer = _version_parameter(request, "to")
        old = await self._version(account, Reference(name, version=older))
        if newer is None:
            newer = await self._newest(account, old.name)
        new = await self._version(account, Reference(name, version=newer))
        names = [f"{self._kind.id}:{one.name}@{one.version}" for one in (old, new)]
        text = await asyncio.to_thread(unified_diff, _text_of(old), _text_of(new), *names)
        body = {"success": True, "name": old.name, "from": old.version, "to": new.version}
        return JsonResponse(body | {"diff": text})

    async def set_label(self, request: Request) -> Response:
        """Let a label point to a version."""
        account = await self._account(request)
        label = _label(request)
        given = await self._context.json(request, LABEL_CHANGE)
        name = (await self._own_recipe(account, request)).name
        reference = Reference(name, version=given["version"])
        version = await self._version(account, reference)
        now = (await self._pushed.labels(account, name)).get(label)
        requires = given.get("requires_tests", now.requires_tests if now else False)
        if requires:
            await self._check_tests(account, version)
        if not await self._pushed.set_label(account, name, label, Label(version.version, requires)):
            await self._version(account, reference)  # it has been deleted meanwhile
        body = {"success": True, "name": name, "label": label, "version": version.version}
        return JsonResponse(body | {"requires_tests": requires})

    async def remove_label(self, request: Request) -> Response:
        """Remove a label; the versions stay."""
        account = await self._account(request)
        label = _label(request)
        name = (await self._own_recipe(account, request)).name
        if not await self._pushed.remove_label(account, name, label):
            raise ApiError(
                404, "label_not_found", f"the {self._kind.noun} {name!r} has no label {label!r}"
            )
        return JsonResponse({"success": True, "name": name, "label": label})

    async def delete(self, request: Request) -> Response:
        """Remove a recipe of the account with all its versions."""
        account = await self._account(request)
        force = _force(request)
        recipe = await self._own_recipe(account, request)
        if not force:
            await refuse_if_used(self._context.store, self._kind, account, recipe)
        if not await self._pushed.delete(account, recipe.name):
            raise await self._not_found(account, recipe.name)
        return JsonResponse(
            {"success": True, self._kind.name_field: recipe.name, "name": recipe.name}
        )

    async def _check_tests(self, account: str, version: StoredVersion) -> None:
        """Refuse a label that requires tests: a recipe of most kinds has none."""
        del account
        raise tests_failed(version, "it has no tests")

    async def _account(self, request: Request) -> str:
        if self._kind.bearer:
            return await self._context.account_by_bearer(request)
        return await self._context.account(request)

    async def _reader(self, request: Request) -> str | None:
        """Return the account that reads; None for nobody's, if anybody may."""
        return await self._account(request)

    async def _version(
        self, account: str | None, reference: Reference, engine_url: str = ""
    ) -> StoredVersion:
        try:
            found = await self._finder.find(account, reference, engine_url)
        except RecipeNotFoundError as error:
            raise self._not_found_error(str(error)) from None
        if found is None:
            raise await self._not_found(account, reference.name)
        return found

    async def _own_recipe(self, account: str, request: Request) -> StoredVersion:
        """Return a recipe of the account, which may be changed."""
        found = await self._version(account, Reference(self._name(request)))
        if found.version == SHIPPED:
            raise immutable(f"the {self._kind.noun} {found.name!r}")
        return found

    async def _newest(self, account: str, name: str) -> int:
        """Return the number of the newest version, whatever labels say."""
        page = await self._pushed.versions(account, name, PageRequest(1))
        return int(page.entries[0]["version"]) if page.entries else 1

    async def _not_found(self, account: str | None, name: str) -> ApiError:
        known = set(self._shipped.names)
        if account is not None:
            known |= await self._pushed.names(account)
        suggestion = nearest(name, sorted(known), least=0.6)
        hint = f"; did you mean {suggestion!r}?" if suggestion else ""
        return self._not_found_error(f"{self._kind.not_found} {name!r}{hint}")

    def _not_found_error(self, text: str) -> ApiError:
        kind = self._kind
        return ApiError(
            404,
            kind.not_found_code,
            text,
            next_actions=[f"see all {kind.all_of_them}: GET {kind.path}"],
        )

    def _shown(self, version: StoredVersion) -> dict[str, Any]:
        shown = {
            "id": f"{self._kind.id}:{version.name}",
            "name": version.name,
            "version": version.version,
            "recipe": version.recipe,
            "message": version.message,
            "created_at": version.created_at,
        }
        if version.source is not None:
            shown["source"] = version.source
        return shown | {"shipped": True} if version.version == SHIPPED else shown

    def _merged(
        self,
        own: Mapping[str, dict[str, Any]],
        shipped: Mapping[str, dict[str, Any]],
        total: int,
        asked: PageRequest,
    ) -> Page:
        """Return a page of shipped recipes and an account's own, sorted by name.

        Args:
            own: What the page may hold of the account's own, by name: one entry more than it has room for.
            shipped: The shipped ones, by name.
            total: How many there are of both.
            asked: The page that is asked for.
        """
        recipes = {**shipped, **own} if self._kind.own_first else {**own, **shipped}
        names = sorted(name for name in recipes if asked.after is None or name > str(asked.after))
        shown = names[: asked.limit]
        return Page(
            [recipes[name] for name in shown],
            total,
            shown[-1] if len(names) > len(shown) else None,
        )

    def _name(self, request: Request) -> str:
        kind = self._kind
        return path_name(request, kind.parameter, kind.name_pattern, kind.name_rule).lower()

    def _reference(self, request: Request) -> Reference:
        """Return what path and query name."""
        name = self._name(request)
        version, label = _version_parameter(request, "version"), query_parameter(request, "label")
        if version is not None and label is not None:
            raise invalid_parameter("label", "left out if `version` is given")
        if label is not None and not LABEL.fullmatch(label):
            raise invalid_parameter("label", LABEL_RULE)
        return Reference(name, label, version)


def one_more(asked: PageRequest) -> PageRequest:
    """Return the request for a page with one entry more, which tells whether there is a next page."""
    return replace(asked, limit=asked.limit + 1)


def immutable(what: str) -> ApiError:
    """Return the error response for a change of what is shipped."""
    return ApiError(
        403,
        "recipe_immutable",
        f"{what} is shipped with the engine and can't be changed; push your own under another name",
    )


def invalid_recipe(problems: list[Problem]) -> ApiError:
    """Return the error response for a recipe that can't be used."""
    details = details_of(problems)
    first = problems[0]
    text = sentence_of(details[0])
    if first.suggestion:
        text += f"; did you mean {first.suggestion!r}?"
    if len(details) > 1:
        text += f" (and {len(details) - 1} more, see details)"
    return ApiError(400, first.code, text, details=details)


def tests_failed(version: StoredVersion, reason: str, **more: Any) -> ApiError:
    """Return the error response for a label that was to point to a version whose tests don't pass."""
    return ApiError(
        409,
        "tests_failed",
        f"the label moves only to a version whose tests pass; version {version.version}: {reason}",
        **more,
    )


def _label(request: Request) -> str:
    return path_name(request, "label", LABEL, LABEL_RULE)


def _version_parameter(request: Request, name: str) -> int | None:
    text = query_parameter(request, name)
    if text is not None and not VERSION.fullmatch(text):
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


def _conflict(error: VersionConflictError, noun: str) -> ApiError:
    there = f"the newest version is {error.newest}" if error.newest else f"there is no such {noun}"
    return ApiError(
        409,
        "version_conflict",
        f"the recipe was not stored: {there}, not the one in expected_version",
        next_actions=["get the newest version, make the change again, and push with its number"],
        extra={"newest_version": error.newest},
    )
