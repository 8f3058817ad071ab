"""`/prompt-recipes`: prompt recipes, which are also rendered and tested (docs/prompt-recipes.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.errors import ApiError, Detail
from arcrun_server.kbdb.base import OwnBlocks
from arcrun_server.recipes.backtest import STATUSES, Backtest
from arcrun_server.recipes.prompt.assembly import AssemblyError
from arcrun_server.recipes.prompt.record import RecipeError
from arcrun_server.recipes.prompt_component import ask
from arcrun_server.recipes.prompts import Prompts
from arcrun_server.recipes.read_recipes import read
from arcrun_server.recipes.reference import Reference
from arcrun_server.recipes.versions import SHIPPED, RecipeNotFoundError
from arcrun_server.routes.problems import check_known
from arcrun_server.routes.recipe_kinds import PROMPT
from arcrun_server.routes.run_response import encode_off_loop
from arcrun_server.routes.schemas import PROMPT_BACKTEST, PROMPT_RENDER, PROMPT_TEST
from arcrun_server.routes.versioned_recipes import (
    VersionedRecipes,
    invalid_recipe,
    one_more,
    tests_failed,
)
from arcrun_server.runs.usage import ModelUsage
from arcrun_server.slots import Queues
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from arcrun_server.engine import JsonObject
    from arcrun_server.recipes.prompt.assembly import Prompt, ResolvedRecipe
    from arcrun_server.recipes.versions import StoredVersion
    from arcrun_server.routes.context import Context
    from arcrun_server.web.router import ApiRouter

# Roughly how many characters of a text make a token: of ASCII, and of everything else.
_ASCII_PER_TOKEN = 4
_OTHER_PER_TOKEN = 1

DEFAULT_RUNS = 50
"""With how many runs a version is compared."""

MOST_CALLS = 20
"""With how many at most, and by default, if a model is asked for each."""

BACKTEST_SECONDS = 10.0
"""How long that may take without a model; runs that are left then are skipped."""


class PromptRecipeRoutes(VersionedRecipes):
    """The prompt recipes: the account's own, and those that are shipped."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, PROMPT, context.catalog.prompts, context.store.prompt_recipes)
        # A recipe's tests may be many large prompts: those of one account are run one after the other.
        self._tests = Queues(1)
        # And its backtests, which with `call` wait for models.
        self._backtests = Queues(1)
        shipped = context.catalog.prompts.by_name("")
        self._shipped_entries = {
            name: _entry(name, SHIPPED, recipe.get("description", "")) | {"shipped": True}
            for name, recipe in shipped.items()
        }

    def add_to(self, router: ApiRouter) -> None:
        """Add these routes."""
        super().add_to(router)
        one = f"{self._kind.path}/{{{self._kind.parameter}}}"
        router.add_api_route(f"{one}/render", self.render, methods=["POST"])
        router.add_api_route(f"{one}/test", self.test, methods=["POST"])
        router.add_api_route(f"{one}/backtest", self.backtest, methods=["POST"])

    async def list(self, request: Request) -> Response:
        """Return name, newest version and description of a page of recipes."""
        account = await self._account(request)
        asked = self._context.pages.requested(request, self._kind.path)
        page = await self._pushed.list(account, one_more(asked))
        own = {
            entry["name"]: _entry(entry["name"], entry["newest"], entry["description"])
            for entry in page.entries
        }
        shipped = self._shipped_entries
        replaced = await self._pushed.which(account, shipped)
        total = page.total + len(shipped) - len(replaced)
        merged = self._merged(own, shipped, total, asked)
        body = {"success": True, "recipes": merged.entries, "count": merged.total}
        return JsonResponse(body | self._context.pages.next(merged, self._kind.path))

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

    async def backtest(self, request: Request) -> Response:
        """Compare a version, or a recipe that is not stored, with what runs have used, on what these recorded."""
        account = await self._context.account_by_bearer(request)
        given = await self._context.json(request, PROMPT_BACKTEST)
        call = given.get("call", False)
        most = given.get("runs", MOST_CALLS if call else DEFAULT_RUNS)
        if call:
            self._check_can_ask(most)
        prompts = self._prompts(account)
        candidate = await self._resolved(prompts, request, given, newest=True)
        name = candidate.recipe.name
        async with self._backtests.turn(account):
            recorded = await self._context.store.recorded_prompts.newest(account, name, most)
            backtest = Backtest(
                candidate,
                lambda version: prompts.resolve_recorded(name, version),
                seconds=self._context.settings.run.seconds if call else BACKTEST_SECONDS,
                ask=self._asking(account, candidate) if call else None,
            )
            with self._context.registry.outbound.on_behalf_of(account):
                runs = await backtest.run(recorded)
        body = {"success": True, "recipe": candidate.recipe.id, "version": candidate.version}
        return JsonResponse(await encode_off_loop(body | _counted(runs) | {"runs": runs}))

    def _check_can_ask(self, runs: int) -> None:
        """Refuse a backtest that would ask for too much, or for what a callback will bring."""
        if runs > MOST_CALLS:
            rule = f"at most {MOST_CALLS} with `call`, which asks a model for each"
            detail = Detail(rule, path="runs")
            raise ApiError(400, "invalid_request", f"runs: {rule}", details=[detail])
        if self._context.settings.llm.provider == "mira":
            rule = "not on an engine whose models answer by callbacks (mira); leave it out"
            detail = Detail(rule, path="call")
            raise ApiError(400, "invalid_request", f"call: {rule}", details=[detail])

    def _asking(
        self, account: str, candidate: ResolvedRecipe
    ) -> Callable[[Prompt, JsonObject, float], Awaitable[JsonObject]]:
        registry, secret = self._context.registry, self._context.runs.secret_of(account)

        async def ask_model(prompt: Prompt, node: JsonObject, deadline: float) -> JsonObject:
            return await ask(
                *(candidate, prompt, node),
                model=registry.model,
                check=registry.check_schema,
                secret=secret,
                deadline=deadline,
            )

        return ask_model

    async def _store(
        self, account: str, given: dict[str, Any]
    ) -> tuple[StoredVersion, Sequence[str]]:
        try:
            pushed = await self._prompts(account).push(
                given["recipe"], given.get("message"), given.get("expected_version")
            )
        except RecipeError as error:
            raise invalid_recipe(error.problems) from None
        return pushed.version, pushed.warnings

    def _body(self, shown: dict[str, Any]) -> dict[str, Any]:
        return {"success": True, "recipe": shown}

    def _prompts(self, account: str) -> Prompts:
        store, check = self._context.store, self._context.registry.check_schema
        blocks = OwnBlocks(store.blocks, account)
        return Prompts(account, self._pushed, store.prompt_texts, blocks, check)

    async def _resolved(
        self, prompts: Prompts, request: Request, given: dict[str, Any], *, newest: bool = False
    ) -> ResolvedRecipe:
        """Return the recipe of the body if there is one, else the stored one.

        Args:
            prompts: The account's recipes.
            request: The request, which names it.
            given: The body.
            newest: Whether a name alone stands for the newest version, also if the label `production` has another.
        """
        if "recipe" not in given:
            try:
                reference = self._reference(request)
                if newest and reference.version is None and reference.label is None:
                    found = await prompts.get(reference)
                    if found.version != SHIPPED:
                        number = await self._newest(prompts.account, found.name)
                        reference = Reference(found.name, version=number)
                return await prompts.resolve(reference)
            except RecipeNotFoundError as error:
                raise self._not_found_error(str(error)) from None
            except AssemblyError as error:
                raise _not_assembled(error) from None
        try:
            recipe, _ = await read(given["recipe"])
        except RecipeError as error:
            raise invalid_recipe(error.problems) from None
        name = self._name(request)
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
        if not resolved.recipe.tests:
            raise tests_failed(version, "it has no tests")
        async with self._tests.turn(account):
            outcomes = await prompts.test(resolved)
        failed = [outcome for outcome in outcomes if outcome.failures]
        if failed:
            first = failed[0]
            raise tests_failed(
                version,
                f"its test {first.name!r} fails: {first.failures[0]}",
                details=[
                    Detail(text, path=outcome.name)
                    for outcome in failed
                    for text in outcome.failures
                ],
            )


def _counted(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how many runs there are of each status, and what models used for them."""
    statuses = [run["status"] for run in runs]
    counts = {"count": len(runs)} | {status: statuses.count(status) for status in STATUSES}
    usage = ModelUsage()
    for run in runs:
        if "llm" in run.get("answer", {}):
            usage.add(run["node"], run["answer"]["llm"])
    used = usage.as_json()
    return counts if used is None else counts | {"usage": used}


def _entry(name: str, version: int, description: str) -> dict[str, Any]:
    return {"name": name, "version": version, "description": description}


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


def _not_assembled(error: AssemblyError) -> ApiError:
    detail = Detail(str(error), path=error.variable, suggestion=error.suggestion)
    return ApiError(422, error.code, str(error), details=[detail])
