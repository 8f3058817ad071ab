"""Defects in what components, services and recipes send, in tokens, and in the guard of outgoing requests."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import select

from arcrun_server.components import http_request, url_component
from arcrun_server.engine import destinations, parameters, redaction
from arcrun_server.json_text import as_text
from arcrun_server.outbound import client, content, guard, urls
from arcrun_server.recipes import request as requests
from arcrun_server.recipes.api import component as api_component
from arcrun_server.recipes.api import record as api_record
from arcrun_server.recipes.auth import component as auth_component
from arcrun_server.recipes.auth import injection, tokens
from arcrun_server.store import schema
from arcrun_server.store.recipes import Recipes

if TYPE_CHECKING:
    from collections.abc import Callable

# http_request


def errors_have_201_characters() -> None:
    client.ERROR_LENGTH = 201


def errors_have_200_bytes() -> None:
    right = client.Response.failure

    def failure(self: client.Response) -> dict[str, Any]:
        found = right(self)
        return {**found, "error": found["error"].encode()[:200].decode("utf-8", "ignore")}

    client.Response.failure = failure


def responses_may_have_a_byte_more() -> None:
    right = client.decompressed
    client.decompressed = lambda parts, coding, most: right(parts, coding, most + 1)


def gzip_is_not_limited() -> None:
    right = client.decompressed
    client.decompressed = lambda parts, coding, most: right(
        parts, coding, most * 100 if coding == "gzip" else most
    )


def six_redirects_are_followed() -> None:
    client.MAX_REDIRECTS = 6


def redirects_take_headers_elsewhere() -> None:
    client._harmless = lambda _url, _target, headers, _content: headers


def redirects_take_unknown_headers_elsewhere() -> None:
    client._harmless = lambda _url, _target, headers, _content: {
        name: value
        for name, value in headers.items()
        if name not in {"authorization", "cookie", "proxy-authorization"}
    }


def redirects_take_secrets_in_harmless_headers_elsewhere() -> None:
    client._harmless = lambda _url, _target, headers, _content: {
        name: value for name, value in headers.items() if name in client._KEPT_ACROSS_ORIGINS
    }


def another_port_is_the_same_origin() -> None:
    client._origin = lambda url: (urlsplit(url).scheme, urlsplit(url).hostname, None)


def timeouts_are_ignored() -> None:
    http_request._timeout = lambda _given: None


def timeouts_may_be_longer() -> None:
    http_request.MAX_TIMEOUT = 120


def text_that_looks_like_json_is_json() -> None:
    client.is_json_type = lambda _kind: True


def only_plain_json_types_are_json() -> None:
    client.is_json_type = lambda kind: kind == "application/json"


def charsets_are_ignored() -> None:
    client._CHARSETS = frozenset()


def bytes_are_shown_as_text() -> None:
    client.is_text = lambda _body, _kind: True


def _whole_input(module: Any) -> None:
    """Let a component take its parameters from the context too."""
    right = module.component

    def component(*arguments: Any) -> Any:
        run = right(*arguments)

        async def with_context(given: dict[str, Any], invocation: Any) -> Any:
            object.__setattr__(invocation, "own", {**given, "url": invocation.own.get("url")})
            return await run(given, invocation)

        return with_context

    module.component = component


def input_sets_the_method() -> None:
    _whole_input(http_request)


def path_values_keep_their_slashes() -> None:
    http_request._segment = lambda _name, value: urls.quote(as_text(value), safe="/")


def values_name_places() -> None:
    http_request.without_places = as_text


def text_bodies_are_sent_as_json() -> None:
    right = http_request.request_body

    def as_json(given: dict[str, Any], method: str, headers: dict[str, str]) -> bytes | None:
        if given.get("body") is not None:
            given = {**given, "body_json": given["body"]}
        return right(given, method, headers)

    http_request.request_body = as_json


def credentials_go_to_any_host() -> None:
    for module in (http_request, parameters):
        module.destination_problem = lambda _url, _credentials: None


def hosts_may_go_on_in_a_placeholder() -> None:
    destinations._ORIGIN = re.compile(r"(https?://[^/{}?#@\\\s]+)", re.IGNORECASE)


def urls_fail_without_a_status() -> None:
    right = client.Response.failure

    def component(url: str, outbound: Any) -> Any:
        run = original(url, outbound)

        async def without(given: dict[str, Any], invocation: Any) -> Any:
            result = await run(given, invocation)
            if isinstance(result, dict) and result.get("success") is False:
                result.pop("status", None)
            return result

        return without

    original = url_component.component
    url_component.component = component
    client.Response.failure = right


# What is removed from results


def _forms(keep: Callable[[str, str], bool]) -> None:
    right = redaction._forms
    redaction._forms = lambda secret: [f for f in right(secret) if f == secret or keep(secret, f)]


def secrets_stay_in_base64() -> None:
    redaction._in_base64 = lambda _secret: ()


def secrets_stay_percent_encoded() -> None:
    _forms(lambda _secret, form: "%" not in form)


def secrets_stay_percent_encoded_twice() -> None:
    _forms(lambda _secret, form: "%25" not in form)


def secrets_stay_in_hexadecimal() -> None:
    _forms(lambda secret, form: form != secret.encode().hex())


def secrets_stay_in_base64_of_several_lines() -> None:
    redaction._found_across_lines = lambda _forms, _text: []


def secrets_stay_as_doubles() -> None:
    redaction._numbers = lambda _secret: ()


def secrets_stay_in_keys() -> None:
    right = redaction.Redactor.value

    def value(self: Any, found: Any) -> Any:
        if isinstance(found, dict):
            return {key: self.value(field) for key, field in found.items()}
        return right(self, found)

    redaction.Redactor.value = value


def errors_are_cut_before_secrets_are_removed() -> None:
    client.shorten = lambda text, most, _mark="": text[:most]


# Services


def nodes_choose_a_services_query() -> None:
    right = requests.with_query
    requests.with_query = lambda url, query: (
        right(url, dict(sorted(query.items())))
        if (query.get("key") is None)
        else right(url, {**query, "key": "mine"})
    )


def basic_is_sent_as_it_is() -> None:
    injection._BASIC = re.compile(r"(?!)(.)")


def parts_of_a_base_url_hold_anything() -> None:
    injection._HOST_PART = re.compile(r"(?s).*")


def underscores_are_parts_of_a_base_url() -> None:
    injection._HOST_PART = re.compile(r"[\w-]+", re.ASCII)


def headers_hold_any_script() -> None:
    injection._HEADER_VALUE = re.compile(r"[^\r\n\0]*")


def input_names_a_place_for_a_secret() -> None:
    auth_component.without_places = as_text


def paths_may_climb() -> None:
    auth_component.climbs = lambda path: "/../" in path


def services_go_to_any_origin() -> None:
    requests._check_origin = lambda _url, _base_url: None


def path_values_are_not_encoded() -> None:
    injection._segment = lambda _name, value: value


def _caching(key: Callable[[Any, str], Any]) -> None:
    right = requests.ServiceClient._read_secrets
    kept: dict[Any, dict[str, str]] = {}

    async def read(self: Any, recipe: dict[str, Any]) -> dict[str, str]:
        identity = key(self, json.dumps([entry["key"] for entry in recipe["required_secrets"]]))
        if identity not in kept:
            kept[identity] = await right(self, recipe)
        return dict(kept[identity])

    requests.ServiceClient._read_secrets = read


def secrets_are_cached_by_their_names() -> None:
    _caching(lambda _client, names: names)


def secrets_are_cached_for_an_account() -> None:
    _caching(lambda found, names: (found.read_secret.__self__.account, names))


def only_the_first_missing_secret_is_named() -> None:
    right = requests.ServiceClient._read_secrets

    async def read(self: Any, recipe: dict[str, Any]) -> dict[str, str]:
        values: dict[str, str] = {}
        for entry in recipe["required_secrets"]:
            values |= await right(self, {**recipe, "required_secrets": [entry]})
        return values

    requests.ServiceClient._read_secrets = read


# Tokens


def tokens_are_kept_to_their_end() -> None:
    tokens.REFRESH_BEFORE = 0.0


def tokens_are_replaced_ten_minutes_early() -> None:
    tokens.REFRESH_BEFORE = 600.0


def tokens_are_kept_by_their_recipe() -> None:
    right = tokens.json.dumps
    tokens.json = type(
        "json",
        (),
        {
            "dumps": staticmethod(
                lambda value, **more: right(value[0] if isinstance(value, list) else value, **more)
            ),
            "loads": staticmethod(json.loads),
        },
    )


def a_401_brings_no_new_token() -> None:
    requests.TOKEN_PRIMITIVES = frozenset({"service_account"})
    right = requests.ServiceClient._authenticate

    async def authenticate(self: Any, recipe: dict[str, Any], *, fresh: bool) -> Any:
        requests.TOKEN_PRIMITIVES = frozenset({"service_account", "oauth2"})
        try:
            return await right(self, recipe, fresh=fresh)
        finally:
            requests.TOKEN_PRIMITIVES = frozenset({"service_account"})

    requests.ServiceClient._authenticate = authenticate


def token_endpoints_give_any_reason() -> None:
    class Anything(frozenset[str]):
        def __contains__(self, _reason: object) -> bool:
            return True

    tokens._REASONS = Anything()


def scopes_are_joined_by_commas() -> None:
    right = tokens._refresh_form

    def form(recipe: dict[str, Any], values: dict[str, str]) -> Any:
        endpoint, fields = right(recipe, values)
        if "scope" in fields:
            fields["scope"] = fields["scope"].replace(" ", ",")
        return endpoint, fields

    tokens._refresh_form = form


def assertions_are_valid_for_a_day() -> None:
    tokens.LIFETIME = 86400


# API recipes


def input_fills_recipes() -> None:
    right = api_component.api_recipe_component

    def component(*arguments: Any) -> Any:
        run = right(*arguments)

        async def with_context(given: dict[str, Any], invocation: Any) -> Any:
            object.__setattr__(invocation, "own", given)
            return await run(given, invocation)

        return with_context

    from arcrun_server.recipes import resolver  # noqa: PLC0415

    resolver.api_recipe_component = component


def answers_begin_at_the_first_marker() -> None:
    right = api_component.mapped_text

    def text(data: Any, response_map: dict[str, Any]) -> str | None:
        found = right(data, {"text_path": response_map["text_path"]})
        marker = response_map.get("answer_marker")
        if found is None or not marker or marker not in found:
            return right(data, response_map)
        return found.partition(marker)[2].strip()

    api_component.mapped_text = text


def templates_are_not_escaped() -> None:
    api_component._inside_json = api_component.as_text


def bodies_of_recipes_hold_texts_only() -> None:
    api_component.only_placeholder = lambda _parts: None


def hashes_are_those_of_the_id_as_pushed() -> None:
    right = api_record.hash_id

    def stored(recipe: dict[str, Any]) -> dict[str, Any]:
        written = recipe["canonical_id"]
        return recipe | {"canonical_id": written.lower(), "hash_id": right(written)}

    from arcrun_server.routes import recipes as routes  # noqa: PLC0415

    object.__setattr__(routes.API, "stored", stored)


def hashes_find_the_recipes_of_all_accounts() -> None:
    get = Recipes.get

    async def found(self: Recipes, account: str, reference: Any) -> Any:
        table = schema.recipes.c
        theirs = (table.kind == self._kind, table.hash_id == reference.name)
        statement = select(table.account).where(*theirs)
        row = await self._database.read(lambda c: c.execute(statement).first())
        return await get(self, account, reference) or (row and await get(self, row[0], reference))

    Recipes.get = found


# The guard


def only_the_first_address_is_checked() -> None:
    right = guard.check_address

    async def addresses(self: Any, host: str, port: int, _timeout: float | None) -> Any:
        found = await self._resolver(host, port)
        right(found[0], host, development=self._development)
        return [guard.ipaddress.ip_address(text) for text in found]

    guard.GuardedBackend._addresses = addresses


def a_host_is_checked_once() -> None:
    right = guard.check_address
    good: set[str] = set()

    def check(text: str, host: str, *, development: bool) -> Any:
        if host in good:
            return guard.ipaddress.ip_address(text)
        address = right(text, host, development=development)
        good.add(host)
        return address

    guard.check_address = check


def names_are_resolved_twice() -> None:
    right = guard.GuardedBackend._addresses

    async def addresses(self: Any, host: str, port: int, timeout: float | None) -> Any:
        await right(self, host, port, timeout)
        return [guard.ipaddress.ip_address(text) for text in await self._resolver(host, port)]

    guard.GuardedBackend._addresses = addresses


def private_172_ends_at_its_first_network() -> None:
    guard._PRIVATE = tuple(
        guard.ipaddress.ip_network("172.16.0.0/16") if str(n) == "172.16.0.0/12" else n
        for n in guard._PRIVATE
    )


def mapped_addresses_are_not_unpacked() -> None:
    guard._CARRIERS = tuple(c for c in guard._CARRIERS if "ffff" not in str(c[0]))


def metadata_is_reached_in_development() -> None:
    right = guard._reason_against
    guard._reason_against = lambda address, *, development: (
        None
        if development and str(address) == "168.63.129.16"
        else right(address, development=development)
    )


def compressed_answers_of_services_are_not_unpacked() -> None:
    right = content.decompressed
    client.decompressed = lambda parts, _coding, most: right(parts, "", most)


def numbers_like_secrets_stay() -> None:
    value = redaction.Redactor.value
    redaction.Redactor.value = lambda self, given: (
        given if isinstance(given, int) else value(self, given)
    )


def short_secrets_are_removed_from_words() -> None:
    redaction._in_word = lambda _text, _place: False
