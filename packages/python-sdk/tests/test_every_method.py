"""What holds for every method: it takes the options of one call, and whatever fails is an `ArcrunError`."""

from __future__ import annotations

import inspect
import ssl
import zlib
from collections.abc import Iterator

import anyio
import h11
import httpcore
import httpx
import pytest

import arcrun
from arcrun import ConfigurationError, InvalidArgumentError

KEY = "ak_" + "0123456789abcdef" * 3
RUN = "0123456789abcdef" * 2
FLOW = {"flow": ["input >> 完成後 >> a"], "config": {"a": {"component": "set"}}}
CALLS = {
    "health": lambda c, **o: c.health(**o),
    "request": lambda c, **o: c.request("GET", "/health", **o),
    "auth.list_services": lambda c, **o: c.auth.list_services(**o),
    "auth.setup": lambda c, **o: c.auth.setup("own", tok="1", **o),
    "auth.bind": lambda c, **o: c.auth.bind("own", trust_origin="https://api.own.test", **o),
    "auth.get_token": lambda c, **o: c.auth.get_token("own", **o),
    "creds.push": lambda c, **o: c.creds.push("tok", "1", **o),
    "creds.list": lambda c, **o: c.creds.list(**o),
    "creds.delete": lambda c, **o: c.creds.delete("tok", **o),
    "workflows.push": lambda c, **o: c.workflows.push("greet", FLOW, **o),
    "workflows.push_file": lambda c, **o: c.workflows.push_file(o.pop("path"), **o),
    "workflows.list": lambda c, **o: c.workflows.list(**o),
    "workflows.get": lambda c, **o: c.workflows.get("greet", **o),
    "workflows.delete": lambda c, **o: c.workflows.delete("greet", **o),
    "workflows.run": lambda c, **o: c.workflows.run("greet", **o),
    "workflows.executions": lambda c, **o: c.workflows.executions("greet", **o),
    "workflows.resume": lambda c, **o: c.workflows.resume("task", **o),
    "runs.list": lambda c, **o: c.runs.list(**o),
    "runs.get": lambda c, **o: c.runs.get(RUN, **o),
    "runs.events": lambda c, **o: c.runs.events(RUN, **o),
    "runs.cancel": lambda c, **o: c.runs.cancel(RUN, **o),
    "runs.retry": lambda c, **o: c.runs.retry(RUN, **o),
    "recipes.push": lambda c, **o: c.recipes.push({"name": "hello"}, **o),
    "recipes.list": lambda c, **o: c.recipes.list(**o),
    "recipes.get": lambda c, **o: c.recipes.get("hello", **o),
    "recipes.delete": lambda c, **o: c.recipes.delete("hello", **o),
    "recipes.render": lambda c, **o: c.recipes.render("hello", **o),
    "recipes.test": lambda c, **o: c.recipes.test("hello", **o),
    "recipes.backtest": lambda c, **o: c.recipes.backtest("hello", **o),
    "recipes.label": lambda c, **o: c.recipes.label("hello", "staging", 1, **o),
    "recipes.unlabel": lambda c, **o: c.recipes.unlabel("hello", "staging", **o),
    "recipes.versions": lambda c, **o: c.recipes.versions("hello", **o),
    "recipes.diff": lambda c, **o: c.recipes.diff("hello", 1, **o),
    "components.list": lambda c, **o: c.components.list(**o),
    "components.get": lambda c, **o: c.components.get("set", **o),
    "components.search": lambda c, **o: c.components.search("set", **o),
}
MAKE_NO_REQUEST = {"close", "with_options", "with_raw_response"}
EXAMPLES = {
    "/health": {
        "ok": True,
        "capabilities": [
            "idempotency_key",
            "prompt_recipes",
            "recipe_versions",
            "components",
            "durable_runs",
        ],
    },
    "/auth-recipes": {"recipes": []},
    "/credentials": {"name": "tok", "credentials": []},
    "/credentials/tok": {"name": "tok"},
    "/cypher/search": {"cypher": {"nodes": [{"id": "a"}], "edges": []}},
    "/webhooks/named": {"name": "greet", "workflows": []},
    "/webhooks/named/greet": {"deleted": True, "name": "greet"},
    "/webhooks/named/greet/definition": {"name": "greet", "graph": {}},
    "/webhooks/named/greet/trigger": {"success": True, "data": {}},
    "/workflows/resume": {"success": True, "noop": True},
    "/runs": {"runs": []},
    f"/runs/{RUN}": {"run_id": RUN, "status": "running"},
    f"/runs/{RUN}/cancel": {"run_id": RUN, "status": "cancelled"},
    f"/runs/{RUN}/retry": {"accepted": True, "run_id": RUN},
    "/prompt-recipes": {"recipe": {"version": 1}, "warnings": [], "recipes": []},
    "/prompt-recipes/hello": {"recipe": {}, "name": "hello"},
    "/prompt-recipes/hello/render": {"messages": []},
    "/prompt-recipes/hello/test": {"passed": True},
    "/prompt-recipes/hello/backtest": {"runs": []},
    "/prompt-recipes/hello/labels/staging": {"version": 1, "label": "staging"},
    "/prompt-recipes/hello/versions": {"versions": []},
    "/prompt-recipes/hello/diff": {"diff": ""},
    "/components": {"components": []},
    "/components/set": {"component": {}},
    "/components/search": {"results": []},
    "/workflows/greet/executions": {"data": {"executions": []}},
}


ENDED = b'id: 1-0\nevent: status\ndata: {"status": "succeeded"}\n\n'


def read(events):
    """Read events to their end; of the asynchronous client, a coroutine that does."""

    async def read_all() -> list:
        return [event async for event in events]

    return read_all() if hasattr(events, "__aiter__") else list(events)


class Engine:
    """Responds to every request as an engine does, and keeps the requests."""

    def __init__(self, recipe: dict) -> None:
        self.requests: list[httpx.Request] = []
        self.recipe = recipe
        self.broken = False
        self.error: BaseException | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.error is not None:
            raise self.error
        if self.broken:
            return httpx.Response(503, headers={"retry-after-ms": "1"})
        if request.url.path == "/auth-recipes/own":
            return httpx.Response(200, json={"recipe": self.recipe})
        if request.url.path == f"/runs/{RUN}/events":
            headers = {"content-type": "text/event-stream"}
            return httpx.Response(200, headers=headers, content=ENDED)
        return httpx.Response(200, json=EXAMPLES[request.url.path])


@pytest.fixture
def engine(recipe) -> Engine:
    inject = {"header": {"X-Tok": "{{secret.tok}}"}}
    return Engine(recipe("own", "https://api.own.test", ["tok"], inject=inject))


@pytest.fixture
def client(kind, engine):
    http = kind.http_client(transport=httpx.MockTransport(engine))
    return kind.client("https://engine.test", http_client=http, default_headers={"X-Team": "books"})


@pytest.fixture
def call(kind, client, engine, tmp_path, monkeypatch):
    """Makes a call by its name, with what it needs."""
    monkeypatch.setenv("ARCRUN_SECRET_TOK", "1")
    path = tmp_path / "greet.yaml"
    path.write_text("flow:\n  - input >> 完成後 >> a\n", encoding="utf-8")

    def make(name: str, **options) -> None:
        if name == "workflows.push_file":
            options["path"] = path
        if name in {"auth.bind", "auth.get_token"}:
            options["trust_recipe"] = True
        made = CALLS[name](client, **options)
        result = kind.run(made if name != "runs.events" else read(made))
        if name == "auth.bind":
            kind.keep(result)

    return make


def test_every_method_is_tried() -> None:
    client = arcrun.Arcrun(KEY, base_url="https://engine.test")
    owners = {
        "": client,
        "auth.": client.auth,
        "creds.": client.creds,
        "workflows.": client.workflows,
        "runs.": client.runs,
        "recipes.": client.recipes,
        "components.": client.components,
    }
    names = {
        prefix + name
        for prefix, owner in owners.items()
        for name, _ in inspect.getmembers(owner, inspect.ismethod)
        if not name.startswith("_")
    }
    client.close()
    assert names - MAKE_NO_REQUEST == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_a_call_sends_its_own_headers_within_its_own_time(name, call, engine) -> None:
    call(name, timeout=3, extra_headers={"x-team": "music", "X-Trace": "7"})
    assert engine.requests
    for request in engine.requests:
        assert request.headers.get_list("x-team") == ["music"]
        assert request.headers["x-trace"] == "7"
        assert request.extensions["timeout"]["read"] == 3
    engine.requests.clear()
    call("health")
    (request,) = engine.requests
    assert request.headers["x-team"] == "books"
    assert "x-trace" not in request.headers
    assert request.extensions["timeout"]["read"] == 60


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_retried_as_often_as_it_says(name, call, engine) -> None:
    engine.broken = True
    with pytest.raises(arcrun.ServerError):
        call(name, max_retries=0)
    for path in {
        request.url.path for request in engine.requests
    }:  # health too, which is asked first
        assert [request.url.path for request in engine.requests].count(path) == 1


def test_a_call_can_be_retried_more_often_than_others(call, engine) -> None:
    engine.broken = True
    with pytest.raises(arcrun.ServerError):
        call("creds.list", max_retries=4)
    assert len(engine.requests) == 5


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("options", "error", "named"),
    [
        ({"timeout": 0}, InvalidArgumentError, "timeout"),
        ({"max_retries": -1}, ConfigurationError, "max_retries"),
        ({"extra_headers": {"Host": "a"}}, ConfigurationError, "extra_headers can't set 'Host'"),
        ({"extra_headers": {"X": "a\nb"}}, ConfigurationError, "extra_headers: the value of X"),
    ],
)
def test_a_malformed_option_is_refused_before_a_request(
    options, error, named, name, call, engine
) -> None:
    with pytest.raises(error, match=named):
        call(name, **options)
    assert engine.requests == []


def test_a_misspelled_option_is_refused(call) -> None:
    with pytest.raises(TypeError, match="max_retry"):
        call("creds.list", max_retry=1)


def test_what_one_call_learns_is_remembered_for_the_next(call, engine) -> None:
    call("auth.setup", timeout=3)
    engine.requests.clear()
    call("auth.get_token")
    assert engine.requests == []


def test_a_default_header_of_any_case_is_replaced_not_repeated(kind, engine) -> None:
    http = kind.http_client(transport=httpx.MockTransport(engine))
    client = kind.client(
        "https://engine.test", http_client=http, default_headers={"user-agent": "books/1"}
    )
    kind.run(client.health())
    assert engine.requests[0].headers.get_list("user-agent") == ["books/1"]


# --- strict -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "options", "sent"),
    [
        ({}, {}, None),
        ({"strict": True}, {}, True),
        ({}, {"strict": True}, True),
        ({"strict": True}, {"strict": False}, False),
    ],
)
def test_a_push_is_strict_if_the_argument_or_the_document_says_so(
    document, options, sent, call, kind, client, engine
) -> None:
    kind.run(client.workflows.push("greet", {**FLOW, **document}, **options))
    body = httpx.Response(200, content=engine.requests[-1].content).json()
    assert body.get("strict") is sent


def test_a_compiled_graph_says_itself_whether_it_is_strict(kind, client, engine) -> None:
    graph = {"nodes": [{"id": "a"}], "edges": [], "strict": True}
    kind.run(client.workflows.push("greet", graph))
    body = httpx.Response(200, content=engine.requests[-1].content).json()
    assert (body.get("strict"), body["graph"]["strict"]) == (None, True)


@pytest.mark.parametrize(("strict", "query"), [(True, b"strict=true"), (False, b"")])
def test_a_run_can_be_strict(strict, query, call, engine) -> None:
    call("workflows.run", strict=strict)
    assert engine.requests[-1].url.query == query


@pytest.mark.parametrize("strict", ["yes", 1])
def test_strict_is_a_bool(strict, call, engine) -> None:
    with pytest.raises(InvalidArgumentError, match="strict must be True or False"):
        call("workflows.push", strict=strict)
    with pytest.raises(InvalidArgumentError, match="strict must be True or False"):
        call("workflows.run", strict=strict)
    assert engine.requests == []


# --- exceptions of other libraries --------------------------------------------------------------


def exceptions_of_libraries() -> Iterator[type[Exception]]:
    """What httpx, and what it is made of, may raise."""
    for library in (httpx, httpcore, anyio, ssl, zlib):
        for found in vars(library).values():
            if isinstance(found, type) and issubclass(found, Exception):
                yield found
    yield from (h11.LocalProtocolError, h11.RemoteProtocolError)
    yield from (OSError, ConnectionResetError, TimeoutError, UnicodeError, RuntimeError, ValueError)
    yield OverflowError


def made(kind: type[Exception]) -> Exception:
    if issubclass(kind, httpx.HTTPStatusError):
        request = httpx.Request("GET", "https://engine.test")
        return kind("broken", request=request, response=httpx.Response(418, request=request))
    if issubclass(kind, (UnicodeEncodeError, UnicodeDecodeError)):
        return kind("ascii", b"x" if kind is UnicodeDecodeError else "x", 0, 1, "broken")
    try:
        return kind("broken")
    except TypeError:
        return kind()


EXCEPTIONS = sorted(
    set(exceptions_of_libraries()), key=lambda kind: (kind.__module__, kind.__name__)
)


@pytest.mark.parametrize("name", CALLS)
def test_an_exception_of_another_library_becomes_a_typed_error(name, call, engine) -> None:
    for kind in EXCEPTIONS:
        engine.error = made(kind)
        with pytest.raises(arcrun.ArcrunError) as caught:
            call(name, max_retries=0)
        assert "engine.test" in str(caught.value), kind
        assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx.ConnectError("no route"), arcrun.APIConnectionError),
        (httpcore.ReadError("reset"), arcrun.APIConnectionError),
        (ssl.SSLError("no certificate"), arcrun.APIConnectionError),
        (anyio.ClosedResourceError(), arcrun.APIConnectionError),
        (httpx.ReadTimeout("late"), arcrun.APITimeoutError),
        (httpcore.ConnectTimeout("late"), arcrun.APITimeoutError),
        (TimeoutError(), arcrun.APITimeoutError),
        (httpx.CookieConflict("two"), ConfigurationError),
        (made(httpx.HTTPStatusError), ConfigurationError),
        (RuntimeError("closed"), ConfigurationError),
    ],
)
def test_the_typed_error_says_what_happened(error, expected, call, engine) -> None:
    engine.error = error
    with pytest.raises(arcrun.ArcrunError) as caught:
        call("creds.list", max_retries=0)
    assert type(caught.value) is expected
    assert type(error).__name__ in str(caught.value)


def test_an_exception_of_the_program_stays_what_it_is(call, engine) -> None:
    engine.error = KeyError("of an event hook")
    with pytest.raises(KeyError):
        call("creds.list")
