"""Defects in transport: connections, bodies, headers, CORS, and the limits of a key."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Any

from arcrun_server import settings, slots
from arcrun_server.accounts import keys
from arcrun_server.routes import context, credentials, graphs, large_bodies, paging
from arcrun_server.runs.service import RunService
from arcrun_server.store.accounts import Accounts
from arcrun_server.web import body, local, middleware, text
from arcrun_server.web.middleware import ServerMiddleware

if TYPE_CHECKING:
    from starlette.requests import Request

_headers = ServerMiddleware._headers


def finds_accounts_by_the_beginning_of_a_key() -> None:
    of_key, known = Accounts.of_key, {}

    async def found(self: Any, api_key: str) -> Any:
        account = await of_key(self, api_key)
        return known.setdefault(api_key[:-1], account) if account else known.get(api_key[:-1])

    Accounts.of_key = found


def refuses_without_a_challenge() -> None:
    keys._CHALLENGE.clear()


def keeps_connections_after_413() -> None:
    middleware._AT_THE_END = frozenset({401})


def takes_bodies_of_101_levels() -> None:
    body.MAX_DEPTH = 101


def counts_levels_of_lists_only() -> None:
    def check(value: Any) -> None:
        layer, depth = [value], 0
        while layer:
            depth += any(isinstance(item, list) for item in layer)
            if depth >= body.MAX_DEPTH:
                raise body._too_deep()
            layer = [inner for item in layer for inner in body._children(item)]

    body._check_depth = check


def counts_brackets_in_texts() -> None:
    parse_json = body.parse_json

    def parsed(content: bytes) -> Any:
        if content.count(b"[") > body.MAX_DEPTH * 2:
            raise body._too_deep()
        return parse_json(content)

    body.parse_json = parsed
    large_bodies.parse_json = parsed


def _decoder(**changed: Any) -> None:
    hooks = {
        "object_pairs_hook": body._object,
        "parse_int": body._integer,
        "parse_float": body._float,
        "parse_constant": body._no_constant,
    }
    body._DECODER = json.JSONDecoder(**{**hooks, **changed})


def compares_neighbouring_keys_only() -> None:
    def checked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if any(one == other for one, other in itertools.pairwise(names)):
            raise body._invalid("a key stands twice")
        return dict(pairs)

    _decoder(object_pairs_hook=checked)


def takes_numbers_too_large_for_a_float() -> None:
    _decoder(parse_float=lambda digits: min(float(digits), 1.7976931348623157e308))


def takes_401_digits() -> None:
    body.MAX_DIGITS = 401


def takes_minus_infinity() -> None:
    def constant(name: str) -> Any:
        return 0 if name == "-Infinity" else body._no_constant(name)

    _decoder(parse_constant=constant)


def checks_texts_of_values_only() -> None:
    bad_text = text.bad_text

    def found(source: str, value: Any) -> Any:
        def plain(item: Any) -> Any:
            if isinstance(item, dict):
                return {f"k{n}": plain(inner) for n, inner in enumerate(item.values())}
            return [plain(inner) for inner in item] if isinstance(item, list) else item

        return bad_text(source, plain(value)) and bad_text(source, value)

    body.bad_text = found


def looks_for_escapes_in_lower_case() -> None:
    text._MAY_BE_BAD = re.compile(r"\\u(?:0000|d[89a-f])")


def refuses_a_byte_order_mark() -> None:
    parse_json = body.parse_json

    def parsed(content: bytes) -> Any:
        if content.startswith(b"\xef\xbb\xbf"):
            raise body._invalid("the body is not JSON: line 1, column 1")
        return parse_json(content)

    large_bodies.parse_json = parsed


def takes_any_charset() -> None:
    body._is_utf8 = lambda _parameters: True


def takes_any_type_that_names_json() -> None:
    check = body.body_type

    def checked(request: Request, **how: Any) -> str:
        if "json" in request.headers.get("content-type", ""):
            return body.JSON
        return check(request, **how)

    body.body_type = checked


def takes_gzip_for_plain_bodies() -> None:
    check = body.body_type

    def checked(request: Request, **how: Any) -> str:
        if request.headers.get("content-encoding") == "gzip":
            return body.JSON
        return check(request, **how)

    body.body_type = checked


def reads_chunked_bodies_without_a_limit() -> None:
    async def read(request: Request, _limit: int) -> bytes:
        return b"".join([part async for part in request.stream()])

    body._read = read


def limits_bodies_one_byte_early() -> None:
    read_body = body.read_body

    async def read(request: Request, limit: int) -> bytes:
        return await read_body(request, limit - 1)

    context.read_body = graphs.read_body = read


def takes_request_ids_that_begin_well() -> None:
    class Pattern:
        fullmatch = middleware._SAFE_ID.match

    middleware._SAFE_ID = Pattern


def takes_tildes_in_request_ids() -> None:
    middleware._SAFE_ID = re.compile(rb"[A-Za-z0-9._:/+=@~-]{1,128}")


def _at_start(change: Any) -> None:
    """Change the headers when a response starts: `change` takes the status and the headers to add."""
    call = ServerMiddleware.__call__

    async def called(self: Any, scope: Any, receive: Any, send: Any) -> None:
        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = change(message["status"], message["headers"])
            await send(message)

        await call(self, scope, receive, sent)

    ServerMiddleware.__call__ = called


def forgets_the_request_id_of_an_unknown_route() -> None:
    def change(status: int, headers: list[Any]) -> list[Any]:
        return [(n, b"none" if n == b"x-request-id" and status == 404 else v) for n, v in headers]

    _at_start(change)


def lets_caches_store_errors() -> None:
    _at_start(
        lambda status, headers: [h for h in headers if h[0] != b"cache-control" or status < 400]
    )


def takes_hosts_that_begin_like_this_machine() -> None:
    class Pattern:
        fullmatch = local._HOST.match

    local._HOST = Pattern


def trusts_a_forwarded_host() -> None:
    is_local = middleware._is_local
    middleware._is_local = lambda scope: (
        is_local(scope) or any(name == b"x-forwarded-host" for name, _ in scope["headers"])
    )


def checks_hosts_with_a_public_url_too() -> None:
    init = ServerMiddleware.__init__

    def made(self: Any, *given: Any, **options: Any) -> None:
        init(self, *given, **{**options, "local_only": True})

    ServerMiddleware.__init__ = made


def allows_origins_that_begin_with_a_listed_one() -> None:
    ServerMiddleware._may_call = lambda self, origin: (
        origin.startswith(tuple(self._origins))
        or (self._local_pages and local.is_local_origin(origin))
    )


def allows_origins_without_regard_to_their_scheme() -> None:
    ServerMiddleware._may_call = lambda self, origin: (
        origin.replace(b"http:", b"https:") in self._origins
        or (self._local_pages and local.is_local_origin(origin))
    )


def lets_no_page_of_this_machine_call() -> None:
    ServerMiddleware._may_call = lambda self, origin: origin in self._origins


def lets_pages_of_names_that_begin_like_this_machine_call() -> None:
    local._ORIGIN = re.compile(local._ORIGIN.pattern + b".*")


def allows_no_idempotency_key_from_pages() -> None:
    middleware._ALLOWED_HEADERS = middleware._ALLOWED_HEADERS.replace(b"Idempotency-Key, ", b"")


def allows_no_put_from_pages() -> None:
    middleware._ALLOWED_METHODS = b"GET, POST, DELETE, OPTIONS"


def hides_errors_from_pages() -> None:
    _at_start(
        lambda status, headers: [
            h for h in headers if h[0] != b"access-control-allow-origin" or status < 400
        ]
    )


def takes_one_request_more_of_a_key() -> None:
    init = slots.Slots.__init__
    slots.Slots.__init__ = lambda self, most, what: init(self, most + 1, what)


def counts_the_runs_of_all_keys_together() -> None:
    taken = slots.Slots.taken
    slots.Slots.taken = lambda self, _key: taken(self, self._what)


def counts_requests_for_health() -> None:
    middleware._UNCOUNTED = frozenset({"/", "/docs", "/openapi.json"})


def keeps_the_slot_of_a_failed_run() -> None:
    run_graph = RunService.run_graph

    async def run(self: Any, account: str, *given: Any) -> Any:
        result = await run_graph(self, account, *given)
        if not result.success:
            held = self._slots.taken(account)
            held.__enter__()
            _HELD.append(held)
        return result

    RunService.run_graph = run


_HELD: list[Any] = []


def takes_two_lengths() -> None:
    middleware._has_two_lengths = lambda _scope: False


def says_when_to_try_again_in_milliseconds() -> None:
    _at_start(
        lambda status, headers: [
            (n, b"0.5" if n == b"retry-after" and status == 429 else v) for n, v in headers
        ]
    )


def takes_keys_in_capitals() -> None:
    of_key = Accounts.of_key
    keys.API_KEY = re.compile("ak_[0-9a-fA-F]{48}")
    Accounts.of_key = lambda self, api_key: of_key(self, api_key.lower())


def counts_the_commas_of_texts() -> None:
    body._TEXT = re.compile(b"(?!)")


def takes_a_value_more() -> None:
    right = large_bodies.check_values
    large_bodies.check_values = lambda content, most: right(content, most + 1)


def counts_lists_and_objects_only() -> None:
    body._count = lambda content: content.count(b"[") + content.count(b"{")


def takes_any_number_of_values_for_credentials() -> None:
    credentials.check_values = lambda _content, _most: None


def takes_a_value_more_without_a_setting() -> None:
    settings.DEFAULT_MAX_VALUES += 1


def refuses_unknown_parameters() -> None:
    right, known = (
        paging.Pages.requested,
        {"limit", "cursor", "workflow", "status", "page_name", "type", "q"},
    )

    def requested(self: Any, request: Any, listed: str) -> Any:
        for name in set(request.query_params) - known:
            raise paging.invalid_parameter(name, "left out")
        return right(self, request, listed)

    paging.Pages.requested = requested
