"""Defects in keys of accounts, log-ins and the log-in of devices."""

from __future__ import annotations

import re
import secrets
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, literal, select, update

from arcrun_server.accounts import keys, providers
from arcrun_server.accounts.attempts import Attempts
from arcrun_server.errors import ApiError
from arcrun_server.routes import accounts as account_routes
from arcrun_server.routes import browsers, device_login, engine, login, schemas
from arcrun_server.sealing import envelope
from arcrun_server.store import device_logins, key_rotation
from arcrun_server.store import schema as tables
from arcrun_server.store.accounts import Accounts, new_account_id
from arcrun_server.store.device_logins import DeviceLogins
from arcrun_server.store.pending_logins import PendingLogins
from arcrun_server.web import middleware

if TYPE_CHECKING:
    from starlette.requests import Request

    from arcrun_server.store.sessions import Session


def _rotation(name: str, statement: Any) -> None:
    setattr(key_rotation, name, statement)


def _changing_nothing(table: Any) -> Any:
    return update(table).where(table.c.account == "").values(account="")


def keeps_the_old_key_after_a_rotation() -> None:
    # Of two keys of one second either could be shown as the account's, which another check would notice.
    older = update(tables.api_keys).where(tables.api_keys.c.account == bindparam("whose"))
    _rotation("_REVOKE", older.values(created_at=0))


def leaves_credentials_under_the_old_key() -> None:
    _rotation("_RESEAL", _changing_nothing(tables.credentials))


def _after_a_rotation(condition: Any) -> None:
    replace = key_rotation.KeyRotation._replace

    def deleting(self: Any, connection: Any, account: str, *given: Any) -> Any:
        replaced = replace(self, connection, account, *given)
        table = tables.credentials
        connection.execute(table.delete().where(table.c.account == account, condition(replaced)))
        return replaced

    key_rotation.KeyRotation._replace = deleting


def loses_credentials_in_a_rotation() -> None:
    _after_a_rotation(lambda _: tables.credentials.c.encrypted.is_(None))


def deletes_what_does_not_open_in_a_rotation() -> None:
    _after_a_rotation(lambda replaced: tables.credentials.c.name.in_(replaced.unopened))


def reseals_without_the_name() -> None:
    key_rotation.seal_envelope = lambda key, _name, value: envelope.seal_envelope(key, "", value)


def reseals_with_an_iv_of_16_bytes() -> None:
    envelope._IV_BYTES = 16


def reseals_with_the_same_iv_again() -> None:
    envelope.secrets = SimpleNamespace(token_bytes=bytes)


def ignores_a_proposed_key() -> None:
    replace = key_rotation.KeyRotation._replace

    def replacing(
        self: Any, connection: Any, account: str, rows: Any, _proposed: str, development: Any
    ) -> Any:
        return replace(self, connection, account, rows, keys.new_key(), development)

    key_rotation.KeyRotation._replace = replacing


def takes_a_proposed_key_that_was_in_use() -> None:
    nothing = select(tables.api_keys.c.id).where(bindparam("wanted") == literal(b""))
    _rotation("_KNOWN", nothing)


def opens_an_account_at_each_rotation() -> None:
    replace = key_rotation.KeyRotation._replace

    def elsewhere(self: Any, connection: Any, account: str, *given: Any) -> Any:
        replaced = replace(self, connection, account, *given)
        other = new_account_id()
        connection.execute(insert(tables.accounts).values(id=other, created_at=0))
        sealed = self._server_key.lookup(replaced.api_key)
        row = tables.api_keys.c.lookup == sealed
        found = connection.execute(tables.api_keys.select().where(row)).one()
        value = self._server_key.seal(replaced.api_key.encode(), f"api-key:{other}:{found.id}")
        connection.execute(update(tables.api_keys).where(row).values(account=other, sealed=value))
        return replaced

    key_rotation.KeyRotation._replace = elsewhere


def revokes_the_keys_of_all_accounts() -> None:
    async def revoke_all(self: Accounts, _account: str) -> bool:
        statement = update(tables.api_keys).values(revoked_at=1)
        return await self._database.write(lambda c: c.execute(statement).rowcount > 0)

    Accounts.revoke_all = revoke_all


def revokes_nothing() -> None:
    async def revoke_all(_self: Accounts, _account: str) -> bool:
        return True

    Accounts.revoke_all = revoke_all


def shows_keys_in_me() -> None:
    show = account_routes.AccountRoutes.show

    async def with_key(self: Any, request: Request) -> Any:
        response = await show(self, request)
        response.headers["x-key"] = keys.presented_key(request) or ""
        return response

    account_routes.AccountRoutes.show = with_key


def takes_no_bearer_token() -> None:
    keys.presented_key = lambda request: request.headers.get(keys.HEADER)


def bearer_tokens_go_before_the_header() -> None:
    def presented(request: Request) -> str | None:
        bearer = keys.bearer_key(request.headers.get("authorization", ""))
        return bearer or request.headers.get(keys.HEADER)

    keys.presented_key = presented


def labels_the_keys_of_all_accounts() -> None:
    async def label_key(self: Accounts, _key: str, label: str) -> None:
        statement = update(tables.api_keys).values(label=label)
        await self._database.write(lambda c: c.execute(statement).close())

    Accounts.label_key = label_key


def takes_any_label() -> None:
    account_routes.KEY_LABEL = schemas.TypeAdapter(dict[str, str])


def _session_of_key() -> None:
    session_of = account_routes.session_of

    async def of_key(request: Request, sessions: Any) -> Session | None:
        session = await session_of(request, sessions)
        key = keys.presented_key(request)
        if session is not None or key is None:
            return session
        accounts = Accounts(sessions._database, sessions._server_key, development=True)
        account = await accounts.of_key(key)
        return None if account is None else await sessions.create(account, "google")

    account_routes.session_of = of_key


def _with_a_key(name: str) -> None:
    route = getattr(account_routes.AccountRoutes, name)
    session_of = account_routes.session_of

    async def with_a_key(self: Any, request: Request) -> Any:
        _session_of_key()
        try:
            return await route(self, request)
        finally:
            account_routes.session_of = session_of

    setattr(account_routes.AccountRoutes, name, with_a_key)


def takes_a_key_for_a_session() -> None:
    _with_a_key("reveal")


def lets_a_key_alone_register() -> None:
    _with_a_key("register")


def caches_what_people_are_told() -> None:
    middleware._OF_PEOPLE = ()


def offers_every_log_in() -> None:
    engine.providers_of = lambda _settings: {"github": None, "google": None}


def logs_in_without_pkce() -> None:
    url = providers.GitHubProvider.authorization_url

    async def without(self: Any, attempt: Any) -> str:
        return re.sub(r"&code_challenge(_method)?=[^&]*", "", await url(self, attempt))

    providers.GitHubProvider.authorization_url = without


def state_stays_the_same() -> None:
    begin, first = PendingLogins.begin, []

    async def same(self: PendingLogins, provider: str, redirect: str) -> Any:
        first[:] = first or [await begin(self, provider, redirect)]
        return first[0]

    PendingLogins.begin = same


def redirects_to_any_url() -> None:
    login.checked_redirect = lambda value: value or "/"


def redirects_to_two_slashes() -> None:
    browsers._PATH = re.compile(r"/(?!\\)[\x21-\x5b\x5d-\x7e]{0,1023}")


def redirects_past_a_backslash() -> None:
    browsers._PATH = re.compile(r"/(?!/)[\x21-\x7e]{0,1023}")


def login_cookies_for_scripts() -> None:
    set_cookie = login.set_cookie

    def readable(context: Any, request: Any, response: Any, **given: Any) -> None:
        set_cookie(context, request, response, **given)
        cookie = response.headers["set-cookie"]
        response.headers["set-cookie"] = cookie.replace("HttpOnly; ", "")

    login.set_cookie = readable


def device_codes_are_user_codes() -> None:
    poll = DeviceLogins.poll

    async def by_either(self: DeviceLogins, code: str) -> Any:
        table = tables.device_logins
        statement = table.select().where(table.c.user_code == self._lookup(code))
        if len(code) < 10 and await self._database.read(lambda c: c.execute(statement).first()):
            raise device_logins.DeviceLoginError("authorization_pending")
        return await poll(self, code)

    DeviceLogins.poll = by_either


def _polling(change: Any) -> None:
    polled = device_logins._polled
    device_logins._polled = lambda row: change(polled, row)


def devices_need_not_wait() -> None:
    _polling(lambda polled, row: polled(_with(row, polled_at_ms=None)))


def the_interval_does_not_grow() -> None:
    device_logins.SLOWER = 0


def device_codes_never_expire() -> None:
    _polling(lambda polled, row: polled(_with(row, expires_at=2**40)))


class _Changed:
    def __init__(self, row: Any, changes: dict[str, Any]) -> None:
        self._row, self._changes = row, changes

    def __getattr__(self, name: str) -> Any:
        return self._changes[name] if name in self._changes else getattr(self._row, name)


def _with(row: Any, **changes: Any) -> Any:
    return _Changed(row, changes)


def device_errors_only_in_words() -> None:
    words = device_login._DESCRIPTIONS
    device_login._oauth_error = lambda code: ApiError(400, code, words[code])


def takes_any_grant() -> None:
    read_fields = device_login.read_fields

    async def with_the_right_grant(request: Request, **options: Any) -> Any:
        fields = dict(await read_fields(request, **options))
        return {**fields, "grant_type": device_login.GRANT_TYPE}

    device_login.read_fields = with_the_right_grant


def any_number_of_devices() -> None:
    Attempts.wait = lambda *_: 0


def anybody_confirms_devices() -> None:
    async def decide(_self: Any, request: Request) -> Any:
        pages = device_login.Pages(request.headers.get("accept-language", ""))
        return device_login.page_response(_self._context, pages.ended("approved"))

    device_login.DeviceLoginRoutes.decide = decide


def user_codes_are_digits() -> None:
    device_logins.new_user_code = lambda: f"{secrets.randbelow(10**8):08}"
