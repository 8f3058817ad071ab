from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from component_use import invocation

from arcrun_server.components.registry import Registry
from arcrun_server.engine import ComponentError, MemoryEnvironment, compile_flow, run_graph

if TYPE_CHECKING:
    from loopback_site import Site

    from arcrun_server.outbound import Outbound


@pytest.fixture
def ask(make_client: Any) -> Any:
    """Call a component that goes out, in development mode."""
    registry = Registry(make_client())

    async def run(component_id: str, given: dict[str, Any]) -> Any:
        component = registry.get(component_id)
        assert component is not None
        return await component(given, invocation(own=given, written=given))

    return run


async def test_http_request_returns_json_in_its_body(ask: Any, site: Site) -> None:
    site.respond("/x", '{"名": ["甲"]}')
    assert await ask("http_request", {"url": f"{site.url}/x"}) == {
        "success": True,
        "status": 200,
        "data": {
            "body": {"名": ["甲"]},
            "headers": {"content-type": "application/json", "content-length": "16"},
        },
    }
    assert site.received[0].line.startswith("GET /x ")


async def test_http_request_returns_text_that_is_not_json(ask: Any, site: Site) -> None:
    for body in ["你好", "NaN", "[" * 100_000]:
        site.respond("/x", body, status=201)
        response = await ask("http_request", {"url": f"{site.url}/x"})
        assert (response["success"], response["status"]) == (True, 201)
        assert response["data"]["body"] == body


async def test_http_request_sends_a_body_as_text_or_as_json(ask: Any, site: Site) -> None:
    site.respond("/x", "")
    for given, kind, body in [
        ({"body": "你好"}, "text/plain; charset=utf-8", "你好"),
        ({"body": {"名": 1}}, "application/json", '{"名": 1}'),
        ({"body_json": "字"}, "application/json", '"字"'),
        ({"body_json": [1], "body": "不"}, "application/json", "[1]"),
        ({"body": None, "headers": {"content-type": "x/y"}}, "x/y", ""),
        ({"body": "<a/>", "headers": {"content-type": "text/xml"}}, "text/xml", "<a/>"),
    ]:
        await ask("http_request", {"url": f"{site.url}/x", "method": "post", **given})
        assert site.received[-1].line.startswith("POST")
        assert site.received[-1].headers["content-type"] == kind
        assert site.received[-1].body.decode() == body


async def test_http_request_sends_no_body_with_get(ask: Any, site: Site) -> None:
    site.respond("/x", "")
    await ask("http_request", {"url": f"{site.url}/x", "body": "字"})
    assert site.received[0].body == b""


async def test_http_request_turns_numbers_in_headers_into_text(ask: Any, site: Site) -> None:
    site.respond("/x", "")
    await ask("http_request", {"url": f"{site.url}/x", "headers": {"X-N": 5}})
    assert site.received[0].headers["x-n"] == "5"


@pytest.mark.parametrize("component", ["http_request", "url"])
async def test_a_response_that_is_not_2xx_is_a_failure_with_its_first_200_characters(
    ask: Any, site: Site, component: str
) -> None:
    url = f"{site.url}/x"
    site.respond("/x", "壞" * 300, status=503)
    response = await ask(component if component == "http_request" else url, {"url": url})
    response.pop("data", None)
    assert response == {"success": False, "status": 503, "error": "壞" * 200}
    site.respond("/x", "", status=404)
    response = await ask(component if component == "http_request" else url, {"url": url})
    response.pop("data", None)
    assert response == {"success": False, "status": 404, "error": "HTTP 404"}


async def test_http_request_without_a_response_is_a_failure_as_a_result(
    ask: Any, site: Site
) -> None:
    site.responses["/x"] = b"garbage\r\n\r\n"
    response = await ask("http_request", {"url": f"{site.url}/x"})
    assert response["success"] is False
    assert response["error"].startswith("127.0.0.1 can't be reached")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "`url` is missing"),
        ({"url": 3}, "`url` must be text, but it is the number 3"),
        ({"url": "ftp://x/"}, "http://"),
        ({"url": "http://x/", "method": "GTE"}, "did you mean 'GET'"),
        ({"url": "http://x/", "method": 1}, "`method` must be text"),
        ({"url": "http://x/", "headers": []}, "`headers` must be an object"),
        ({"url": "http://x/", "headers": {"A": True}}, "the header 'A' must be text"),
        ({"url": "http://x/", "headers": {"A": None}}, "the header 'A' must be text"),
    ],
)
async def test_http_request_says_what_is_wrong_with_its_config(
    ask: Any, given: Any, message: str
) -> None:
    with pytest.raises(ComponentError, match=message):
        await ask("http_request", given)


async def test_a_url_component_is_posted_the_context_and_its_json_is_the_result(
    ask: Any, site: Site
) -> None:
    site.respond("/c", '["好"]')
    assert await ask(f"{site.url}/c", {"題": "天氣", "n": 1}) == ["好"]
    received = site.received[0]
    assert received.line.startswith("POST /c ")
    assert json.loads(received.body) == {"題": "天氣", "n": 1}
    assert received.headers["content-type"] == "application/json"


async def test_a_context_that_is_too_large_to_send_is_not_even_written(
    ask: Any, site: Site
) -> None:
    doubling: Any = "十個字元十個字元十個"
    for _ in range(40):
        doubling = [doubling, doubling]
    for component, given in [
        (f"{site.url}/c", {"v": doubling}),
        ("http_request", {"url": site.url, "method": "POST", "body": doubling}),
        ("http_request", {"url": site.url, "method": "POST", "body_json": doubling}),
    ]:
        with pytest.raises(ComponentError, match="larger than 8,388,608 bytes"):
            await ask(component, given)
    assert site.connections == 0


async def test_a_url_component_whose_response_is_not_json_returns_its_text(
    ask: Any, site: Site
) -> None:
    site.respond("/c", "純文字")
    assert await ask(f"{site.url}/c", {}) == {"success": True, "data": "純文字"}


async def test_a_url_component_that_is_not_there_fails_its_node(ask: Any, site: Site) -> None:
    site.responses["/c"] = b"garbage\r\n\r\n"
    with pytest.raises(ComponentError, match="can't be reached"):
        await ask(f"{site.url}/c", {})


class RecordingEngine(MemoryEnvironment):
    """An engine whose components are those of the catalog."""

    registry: Registry

    async def resolve(self, component_id: str) -> Any:
        return self.registry.get(component_id)


def engine(outbound: Outbound, **more: Any) -> RecordingEngine:
    made = RecordingEngine(**more)
    object.__setattr__(made, "registry", Registry(outbound))
    return made


async def test_a_workflow_goes_out_with_a_credential_and_leaves_none_behind(
    make_client: Any, site: Site
) -> None:
    site.respond("/who", '{"you": "Bearer s3cr3t-token", "again": "s3cr3t-token"}')
    graph = compile_flow(
        ["input >> 完成後 >> 問", "問 >> ON_SUCCESS >> 答", "答 >> 完成後 >> 轉"],
        {
            "問": {
                "component": "http_request",
                "url": f"{site.url}/{{{{input.路}}}}",
                "headers": {"Authorization": "Bearer {{credential.tok}}"},
            },
            "答": {
                "component": "set",
                "values": {"誰": "{{問.data.body.you}}", "碼": "{{prev.status}}"},
            },
            "轉": {"component": f"{site.url}/echo"},
        },
    )
    site.respond("/echo", '{"好": true}')
    result = await run_graph(
        graph, {"路": "who"}, engine(make_client(), secrets={"tok": "s3cr3t-token"})
    )
    assert result.data == {"好": True}
    assert site.received[0].headers["authorization"] == "Bearer s3cr3t-token"
    assert json.loads(site.received[1].body)["誰"] == "Bearer [redacted]"
    assert b"s3cr3t" not in site.received[1].body
    assert "s3cr3t" not in json.dumps([result.data, result.trace], ensure_ascii=False)


async def test_in_production_a_workflow_cannot_reach_the_machine_it_runs_on(
    make_client: Any, site: Site
) -> None:
    graph = compile_flow(
        ["input >> 完成後 >> 問"], {"問": {"component": "http_request", "url": site.url}}
    )
    result = await run_graph(graph, {}, engine(make_client(development=False)))
    assert str(result.error).startswith(
        "Node 問 failed: '127.0.0.1' can't be reached from a workflow"
    )
    assert site.connections == 0


def requesting(outbound: Outbound, **secrets: str) -> MemoryEnvironment:
    components = {"http_request": Registry(outbound).get("http_request")}
    return MemoryEnvironment(components=components, secrets=secrets)  # type: ignore[arg-type]


def node(**data: Any) -> Any:
    config = {"問": {"component": "http_request", **data}}
    return compile_flow(["input >> 完成後 >> 問"], config)


@pytest.mark.parametrize(
    "url",
    [None, "{{input.url}}", "{{url}}/x", "http://{{host}}/x", "http://127.0.0.1:{{port}}/x"],
)
async def test_a_credential_goes_to_no_host_that_the_input_chooses(
    make_client: Any, site: Site, url: str | None
) -> None:
    site.respond("/x", "")
    graph = node(headers={"X-Token": "{{credential.tok}}"}, **({"url": url} if url else {}))
    run_input = {"url": f"{site.url}/x", "host": f"127.0.0.1:{site.port}", "port": site.port}
    result = await run_graph(graph, run_input, requesting(make_client(), tok="s3cr3t-value"))
    assert not result.success
    assert "url" in str(result.error)
    assert site.received == []


async def test_a_credential_goes_to_the_host_that_stands_in_the_node(
    make_client: Any, site: Site
) -> None:
    site.respond("/x/1", "")
    graph = node(url=f"{site.url}/x/{{{{input.id}}}}", headers={"X-Token": "{{credential.tok}}"})
    result = await run_graph(graph, {"id": 1}, requesting(make_client(), tok="s3cr3t-value"))
    assert result.success
    assert site.received[0].headers["x-token"] == "s3cr3t-value"


async def test_a_host_from_the_input_is_fine_without_a_credential(
    make_client: Any, site: Site
) -> None:
    site.respond("/x", "")
    result = await run_graph(
        node(url="{{input.url}}"), {"url": f"{site.url}/x"}, requesting(make_client())
    )
    assert result.success


async def test_a_secret_that_reaches_over_the_end_of_an_error_is_redacted_first(
    make_client: Any, site: Site
) -> None:
    secret = "s3cr3t-value-that-is-long"
    site.respond("/x", "x" * 190 + secret, status=400)
    graph = node(url=f"{site.url}/x", headers={"X-Token": "{{credential.tok}}"})
    result = await run_graph(graph, {}, requesting(make_client(), tok=secret))
    assert result.data["error"] == "x" * 190 + "[redacted]"


async def test_a_secret_in_a_parameter_that_is_quoted_in_an_error_is_redacted_first(
    make_client: Any, site: Site
) -> None:
    secret = "s3cr3t-" * 20
    graph = node(url=f"{site.url}/x", method="{{credential.tok}}")
    result = await run_graph(graph, {}, requesting(make_client(), tok=secret))
    assert "[REDACTED]" in str(result.error).upper()
    assert "s3cr3t" not in str(result.error).lower()


@pytest.mark.parametrize(
    "run_input",
    [
        {"method": "DELETE"},
        {"headers": {"X-Evil": "1"}},
        {"body": "x"},
        {"url": "http://127.0.0.1:1"},
    ],
)
async def test_the_input_sets_no_parameter_of_a_request(
    make_client: Any, site: Site, run_input: dict[str, Any]
) -> None:
    site.respond("/x", "")
    result = await run_graph(node(url=f"{site.url}/x"), run_input, requesting(make_client()))
    assert result.success
    [request] = site.received
    assert request.line.startswith("GET /x ")
    assert "x-evil" not in request.headers
    assert request.body == b""


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"query": {"q": "a&b", "文": "中 "}}, "/x?q=a%26b&%E6%96%87=%E4%B8%AD%20"),
        ({"query": {"t": ["a", 1], "none": None, "n": 0, "b": True}}, "/x?t=a&t=1&n=0&b=true"),
        ({"query": {}}, "/x"),
    ],
)
async def test_http_request_encodes_the_parameters_of_the_url(
    ask: Any, site: Site, given: dict[str, Any], line: str
) -> None:
    site.respond(line, "")
    await ask("http_request", {"url": f"{site.url}/x", **given})
    assert site.received[0].path == line


async def test_http_request_encodes_what_goes_into_a_place(make_client: Any, site: Site) -> None:
    site.respond("/a/x%2F%3Fy%7Bid%7D/%7Bid%7D", "")
    graph = node(url=f"{site.url}/a/{{id}}/{{{{input.b}}}}", path={"id": "{{input.a}}"})
    run_input = {"a": "x/?y{id}", "b": "{id}"}
    result = await run_graph(graph, run_input, requesting(make_client()))
    assert result.success
    assert site.received[0].path == "/a/x%2F%3Fy%7Bid%7D/%7Bid%7D"


@pytest.mark.parametrize("value", ["", ".", ".."])
async def test_what_goes_into_a_place_leads_to_no_other_path(ask: Any, value: str) -> None:
    given = {"url": "https://a.example/{id}/x", "path": {"id": value}}
    with pytest.raises(ComponentError, match=r"`path\.id` is empty or only dots"):
        await ask("http_request", given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"url": "http://a/x", "path": {"id": 3}}, r"`path\.id` has no place in `url`; write {id}"),
        ({"url": "http://a/{{id}}", "path": {"id": 3}}, r"`path\.id` has no place"),
        ({"url": "http://a/{id}/{b}", "path": {"id": 3}}, r"`url` has the place {b}, but `path`"),
    ],
)
async def test_places_and_their_values_belong_together(
    ask: Any, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(ComponentError, match=message):
        await ask("http_request", given)


async def test_half_a_character_in_a_url_is_replaced(ask: Any, site: Site) -> None:
    site.respond("/x/%3F?q=%3F", "")
    given = {"url": f"{site.url}/x/{{a}}", "path": {"a": "\ud800"}, "query": {"q": "\ud800"}}
    assert (await ask("http_request", given))["success"]


async def test_http_request_sends_a_form(ask: Any, site: Site) -> None:
    site.respond("/x", "")
    given = {"url": f"{site.url}/x", "method": "POST", "form": {"文": "a&b", "t": [1, 2]}}
    await ask("http_request", given)
    [request] = site.received
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.body == b"%E6%96%87=a%26b&t=1&t=2"


async def test_http_request_gives_the_headers_and_the_whole_body_of_a_failure(
    ask: Any, site: Site
) -> None:
    site.respond("/x", "壞" * 300, status=429, headers={"Retry-After": "7"})
    response = await ask("http_request", {"url": f"{site.url}/x"})
    assert response["error"] == "壞" * 200
    assert response["data"]["body"] == "壞" * 300
    assert response["data"]["headers"]["retry-after"] == "7"


async def test_http_request_waits_no_longer_than_it_should(ask: Any, site: Site) -> None:
    response = await ask("http_request", {"url": f"{site.url}/silent", "timeout_seconds": 0.05})
    assert response == {
        "success": False,
        "error": "127.0.0.1 did not respond within 0.05 s",
        "error_type": "timeout",
    }


@pytest.mark.parametrize("seconds", [0, -1, 61, "1"])
async def test_http_request_refuses_a_time_that_is_none(ask: Any, seconds: Any) -> None:
    with pytest.raises(ComponentError, match="`timeout_seconds` must be"):
        await ask("http_request", {"url": "https://a.example", "timeout_seconds": seconds})
