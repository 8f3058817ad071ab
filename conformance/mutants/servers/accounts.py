"""Defects in keys, tenancy, credentials, workflows, recipes and executions."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import bindparam, delete, func, select, update

from arcrun_server.accounts import keys as key_checks
from arcrun_server.engine.result import RunResult
from arcrun_server.errors import ApiError
from arcrun_server.recipes.api.record import hash_id, stored_api_recipe
from arcrun_server.recipes.auth import record as auth_record
from arcrun_server.recipes.auth.tokens import AccessTokens
from arcrun_server.recipes.catalog import ShippedRecipes
from arcrun_server.recipes.reference import Reference
from arcrun_server.recipes.resolver import RecipeResolver
from arcrun_server.routes import credentials as credential_routes
from arcrun_server.routes import recipes as recipe_routes
from arcrun_server.routes.context import Context
from arcrun_server.runs import service
from arcrun_server.runs.environment import AccountEnvironment
from arcrun_server.sealing import envelope
from arcrun_server.sealing.server_key import ServerKey
from arcrun_server.store import credentials, executions, workflows
from arcrun_server.store import schema as tables
from arcrun_server.store.accounts import Accounts
from arcrun_server.store.credentials import Credentials, StoredCredential
from arcrun_server.store.executions import Executions
from arcrun_server.store.pages import PagedQuery
from arcrun_server.store.recipes import Recipes
from arcrun_server.store.upserts import Upsert
from arcrun_server.store.workflows import Workflows

if TYPE_CHECKING:
    from starlette.requests import Request


def looks_keys_up_without_their_last_digit() -> None:
    lookup = ServerKey.lookup
    ServerKey.lookup = lambda self, api_key: lookup(self, api_key[:-1])


def remembers_keys() -> None:
    of_key, known = Accounts.of_key, {}

    async def remembered(self: Accounts, api_key: str) -> str | None:
        if api_key not in known:
            found = await of_key(self, api_key)
            if found is None:
                return None
            known[api_key] = found
        return known[api_key]

    Accounts.of_key = remembered


def takes_an_unknown_key_for_none() -> None:
    optional = Context.optional_account

    async def optional_account(self: Context, request: Any) -> str | None:
        try:
            return await optional(self, request)
        except ApiError:
            return None

    Context.optional_account = optional_account


def takes_a_key_that_only_begins_well() -> None:
    class Beginning:
        def fullmatch(self, text: str) -> object:
            return re.match(r"ak_[0-9a-f]{48}", text)

    of_key = Accounts.of_key

    async def of_beginning(self: Accounts, api_key: str) -> str | None:
        return await of_key(self, api_key[:51])

    key_checks.API_KEY = Beginning()
    Accounts.of_key = of_beginning


def deletes_credentials_of_all_accounts() -> None:
    async def deleted(self: Credentials, _account: str, name: str) -> bool:
        statement = delete(tables.credentials).where(tables.credentials.c.name == name)
        return await self._database.write(lambda c: c.execute(statement).rowcount > 0)

    Credentials.delete = deleted


def reads_credentials_of_all_accounts() -> None:
    async def get(self: Credentials, _account: str, name: str) -> StoredCredential | None:
        table = tables.credentials.c
        statement = select(
            table.name, table.encrypted, table.iv, table.at_rest, table.service, table.sensitivity
        ).where(table.name == name)
        row = await self._database.read(lambda c: c.execute(statement).first())
        return StoredCredential(*row) if row else None

    Credentials.get = get


def ignores_case_when_it_deletes_credentials() -> None:
    async def deleted(self: Credentials, account: str, name: str) -> bool:
        table = tables.credentials
        statement = delete(table).where(
            table.c.account == account, func.lower(table.c.name) == name.lower()
        )
        return await self._database.write(lambda c: c.execute(statement).rowcount > 0)

    Credentials.delete = deleted


def _upsert_without(table: Any, kept: set[str], columns: list[str], **more: Any) -> Upsert:
    return Upsert(table, replaced=[name for name in columns if name not in kept], **more)


_CREDENTIAL = ["encrypted", "iv", "at_rest", "service", "sensitivity", "last_used_at"]


def keeps_the_old_value_of_a_plain_credential() -> None:
    credentials._PUSH = _upsert_without(tables.credentials, {"at_rest"}, _CREDENTIAL)


def does_not_replace_the_envelope_of_a_credential() -> None:
    credentials._PUSH = _upsert_without(tables.credentials, {"encrypted", "iv"}, _CREDENTIAL)


class _OfAnyBytes:
    """AES-GCM that returns text, whatever was encrypted."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def decrypt(self, *given: bytes) -> bytes:
        return self._cipher.decrypt(*given).decode("utf-8", "replace").encode()


def opens_what_is_no_text() -> None:
    envelope.AESGCM = _OfAnyBytes


def keeps_the_service_of_a_credential() -> None:
    credentials._PUSH = _upsert_without(tables.credentials, {"service"}, _CREDENTIAL)


def moves_the_time_of_a_credential() -> None:
    credentials._PUSH = Upsert(tables.credentials, replaced=[*_CREDENTIAL, "created_at"])


def gives_the_times_of_credentials_in_milliseconds() -> None:
    listed = Credentials.list

    async def in_milliseconds(self: Credentials, account: str, request: Any) -> Any:
        page = await listed(self, account, request)
        entries = [{**each, "created_at": each["created_at"] * 1000} for each in page.entries]
        return replace(page, entries=entries)

    Credentials.list = in_milliseconds


def marks_all_credentials_as_used() -> None:
    table = tables.credentials
    credentials._USED = (
        update(table)
        .where(table.c.account == bindparam("whose"), bindparam("used") != "")
        .values(last_used_at=bindparam("now"))
    )


def marks_the_credentials_of_all_accounts_as_used() -> None:
    table = tables.credentials
    credentials._USED = (
        update(table)
        .where(table.c.name == bindparam("used"), bindparam("whose") != "")
        .values(last_used_at=bindparam("now"))
    )


def takes_names_for_patterns_when_it_deletes() -> None:
    async def deleted(self: Credentials, account: str, name: str) -> bool:
        table = tables.credentials
        statement = delete(table).where(table.c.account == account, table.c.name.like(name))
        return await self._database.write(lambda c: c.execute(statement).rowcount > 0)

    Credentials.delete = deleted


def trims_the_values_of_credentials() -> None:
    push = Credentials.push

    async def trimmed(
        self: Credentials, account: str, name: str, pushed: Any, api_key: str | None = None
    ) -> Any:
        plain = {"value": pushed["value"].strip()} if "value" in pushed else {}
        return await push(self, account, name, {**pushed, **plain}, api_key)

    Credentials.push = trimmed


def opens_credentials_with_the_first_key() -> None:
    keys_of, first = Accounts.keys_of, []

    async def remembered(self: Accounts, account: str) -> list[str]:
        first[:] = first or await keys_of(self, account)
        return first

    Accounts.keys_of = remembered


def does_not_reserve_catalog_when_it_reads() -> None:
    credential_routes.CREDENTIAL_NAME = re.compile(r"[A-Za-z0-9_]{1,128}")


def takes_names_of_129_characters() -> None:
    credential_routes.CREDENTIAL_NAME = re.compile(r"(?!catalog\Z)[A-Za-z0-9_]{1,129}")


def takes_any_text_for_an_iv() -> None:
    sealed = credential_routes.SEALED_PUSH

    class Lenient:
        def validate_python(self, value: Any) -> Any:
            iv = {"iv": "AAECAwQFBgcICQoL"} if isinstance(value.get("iv"), str) else {}
            sealed.validate_python({**value, **iv})
            return value

    credential_routes.SEALED_PUSH = Lenient()


_WORKFLOW = ["description", "graph", "config"]


def moves_the_time_of_a_workflow() -> None:
    columns = [*_WORKFLOW, "created_at_ms"]
    workflows._PUSH = Upsert(tables.workflows, replaced=columns, returning=["created_at_ms"])


def keeps_the_config_of_a_workflow() -> None:
    workflows._PUSH = _upsert_without(
        tables.workflows, {"config"}, _WORKFLOW, returning=["created_at_ms"]
    )


def runs_the_first_version_of_a_workflow() -> None:
    text_of, known = service.RunService._graph_text, {}

    async def remembered(self: Any, account: str, name: str) -> str:
        if (account, name) not in known:
            known[account, name] = await text_of(self, account, name)
        return known[account, name]

    service.RunService._graph_text = remembered


def _delete_workflow(*, history_of_all: bool, history: bool) -> None:
    async def deleted(self: Workflows, account: str, name: str) -> bool:
        table, past = tables.workflows, tables.executions
        statement = delete(table).where(table.c.account == account, table.c.name == name)
        runs = delete(past).where(past.c.workflow == name)
        if not history_of_all:
            runs = runs.where(past.c.account == account)

        def change(connection: Any) -> bool:
            if history:
                connection.execute(runs)
            return connection.execute(statement).rowcount == 1

        return await self._database.write(change)

    Workflows.delete = deleted


def keeps_the_executions_of_a_deleted_workflow() -> None:
    _delete_workflow(history_of_all=False, history=False)


def deletes_the_executions_of_all_accounts() -> None:
    _delete_workflow(history_of_all=True, history=True)


def runs_the_sub_workflow_of_any_account() -> None:
    async def workflow(self: AccountEnvironment, name: str) -> Any:
        table = tables.workflows.c
        statement = select(table.account).where(table.name == name).order_by(table.created_at_ms)
        database = self.store.database
        row = await database.read(lambda c: c.execute(statement).first())
        found = row and await self.store.workflows.get(row[0], name)
        return found.graph if found else None

    AccountEnvironment.workflow = workflow


def does_not_record_sub_workflows() -> None:
    AccountEnvironment.sub_run_ended = lambda *_: None


def lists_executions_oldest_first() -> None:
    table = tables.executions.c
    executions._LIST = PagedQuery(
        [table.started_at_ms, table.verdict, table.duration_ms, table.message],
        position=table.id,
        where=[table.account == bindparam("account"), table.workflow == bindparam("workflow")],
    )


def lists_the_executions_of_all_accounts() -> None:
    table = tables.executions.c
    executions._LIST = PagedQuery(
        [table.started_at_ms, table.verdict, table.duration_ms, table.message],
        position=table.id,
        where=[bindparam("account") != "", table.workflow == bindparam("workflow")],
        descending=True,
    )


def keeps_499_executions() -> None:
    executions._TRIM = executions.trim(499)


def trims_the_newest_executions() -> None:
    table = tables.executions.c
    mine = (table.account == bindparam("of"), table.workflow == bindparam("named"))
    oldest = select(table.id).where(*mine).order_by(table.id).limit(1).offset(500)
    executions._TRIM = delete(tables.executions).where(*mine, table.id >= oldest.scalar_subquery())


def calls_a_partial_run_a_success() -> None:
    RunResult.verdict = property(lambda self: "success" if self.success else "failed")


def records_durations_in_seconds() -> None:
    record = Executions.record

    def in_seconds(self: Executions, account: str, name: str, started: int, result: Any) -> None:
        record(self, account, name, started, replace(result, duration_ms=result.duration_ms / 1000))

    Executions.record = in_seconds


def uses_recipes_as_they_were_first() -> None:
    component, known = RecipeResolver.component, {}

    async def remembered(self: RecipeResolver, account: str, name: str, secret: Any) -> Any:
        if (account, name) not in known:
            known[account, name] = await component(self, account, name, secret)
        return known[account, name]

    RecipeResolver.component = remembered


def uses_the_recipe_of_the_first_account() -> None:
    component, first = RecipeResolver.component, {}

    async def shared(self: RecipeResolver, account: str, name: str, secret: Any) -> Any:
        return await component(self, first.setdefault(name, account), name, secret)

    RecipeResolver.component = shared


def shares_access_tokens_between_accounts() -> None:
    get, known = AccessTokens.get, {}

    async def shared(self: Any, recipe: Any, values: Any, *, fresh: bool) -> str:
        name = recipe["service"]
        if fresh or name not in known:
            known[name] = await get(self, recipe, values, fresh=fresh)
        return known[name]

    AccessTokens.get = shared


def finds_recipes_of_all_accounts() -> None:
    get = Recipes.get

    async def of_anybody(self: Recipes, account: str, reference: Reference) -> Any:
        table, name = tables.recipes.c, reference.name
        mine = (table.kind == self._kind, (table.name == name) | (table.hash_id == name))
        statement = select(table.account).where(*mine)
        row = await self._database.read(lambda c: c.execute(statement).first())
        return await get(self, row[0] if row else account, reference)

    Recipes.get = of_anybody


def knows_the_components_of_all_accounts() -> None:
    async def names(self: Recipes, _account: str) -> set[str]:
        table = tables.recipes.c
        statement = select(table.name).where(table.kind == self._kind)
        return set(await self._database.read(lambda c: c.execute(statement).scalars().all()))

    Recipes.names = names


def shares_the_first_page_of_recipes() -> None:
    listed, pages = recipe_routes.RecipeRoutes.list, {}

    async def shared(self: Any, request: Request) -> Any:
        page = str(request.url)
        if page not in pages:
            pages[page] = await listed(self, request)
        return pages[page]

    recipe_routes.RecipeRoutes.list = shared


def merges_a_recipe_with_the_one_before() -> None:
    push = Recipes.push

    async def merged(self: Recipes, account: str, name: str, new: Any, *more: Any) -> Any:
        before = await self.get(account, Reference(name))
        recipe = {**(before.recipe if before else {}), **new.recipe}
        pushed = await push(self, account, name, replace(new, recipe=recipe), *more)
        return replace(pushed, recipe=new.recipe)

    Recipes.push = merged


def hashes_the_id_as_it_was_written() -> None:
    def stored(recipe: dict[str, Any]) -> dict[str, Any]:
        return stored_api_recipe(recipe) | {"hash_id": hash_id(recipe["canonical_id"])}

    recipe_routes.API = replace(recipe_routes.API, stored=stored)


def counts_own_recipes_for_everyone() -> None:
    async def own_names(self: Recipes, _account: str) -> set[str]:
        statement = select(tables.recipes.c.name).where(tables.recipes.c.kind == self._kind)
        return set(await self._database.read(lambda c: c.execute(statement).scalars().all()))

    Recipes.own_names = own_names


def does_not_protect_hashes_of_shipped_recipes() -> None:
    version = ShippedRecipes.version

    def by_name(self: ShippedRecipes, name: str, engine_url: str) -> Any:
        return None if name.startswith("rec_") else version(self, name, engine_url)

    ShippedRecipes.version = by_name


def takes_hosts_that_begin_like_loopback() -> None:
    class Loopback:
        def __contains__(self, host: str) -> bool:
            return host.startswith(("127.", "localhost"))

    auth_record._LOOPBACK = Loopback()


def takes_token_endpoints_without_https() -> None:
    url_problems = auth_record._url_problems
    auth_record._url_problems = lambda recipe: url_problems({"base_url": recipe["base_url"]})


def stores_secrets_listed_twice() -> None:
    auth_record._secret_problems = lambda _recipe: ()
