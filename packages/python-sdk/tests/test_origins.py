"""Origins of URLs: the SDK and httpx must read the same one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun._core.origins import is_loopback, is_secure, origin_of
from arcrun._http import httpx, origin


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.notion.com/v1", "https://api.notion.com"),
        ("HTTPS://API.Notion.com:443/v1?x#y", "https://api.notion.com"),
        ("http://127.0.0.1:8787/x", "http://127.0.0.1:8787"),
        ("http://localhost:80", "http://localhost"),
        ("https://[::1]:8443/", "https://[::1]:8443"),
        (
            "https://{{ secret.jira_domain }}.atlassian.net/rest",
            "https://{{secret.jira_domain}}.atlassian.net",
        ),
        ("https://api.notion.com@evil.test/", None),
        ("https://user:pw@api.notion.com/", None),
        ("https://api.notion.com\\@evil.test/", None),
        ("https://api.notion.com evil.test/", None),
        ("https://аpi.notion.com/", None),  # a Cyrillic а
        ("ftp://api.notion.com/", None),
        ("//api.notion.com/", None),
        ("api.notion.com", None),
        ("https://", None),
        ("https://api.notion.com ", None),  # httpx reads another host here
        (" https://api.notion.com", None),
        ("", None),
    ],
)
def test_origin_of(url: str, expected: str | None) -> None:
    assert origin_of(url) == expected


hosts = st.from_regex(r"[a-z][a-z0-9-]{0,10}(\.[a-z]{2,5}){1,2}", fullmatch=True)


@given(st.sampled_from(["http", "https"]), hosts, st.integers(1, 65535), st.booleans())
def test_the_sdk_and_httpx_read_the_same_origin(scheme, host, port, upper) -> None:
    url = f"{scheme}://{host.upper() if upper else host}:{port}/path"
    assert origin_of(url) == origin(httpx.URL(url))


@given(st.text(max_size=40))
def test_where_httpx_reads_another_origin_the_sdk_does_too(rest: str) -> None:
    """The origin found is the one that httpx connects to, or no request ever matches it."""
    url = f"https://api.notion.com{rest}"
    ours = origin_of(url)
    try:
        theirs = origin(httpx.URL(url))
    except (httpx.InvalidURL, ValueError):
        return
    if theirs != "https://api.notion.com":
        assert ours != "https://api.notion.com"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://localhost", True),
        ("http://app.localhost:1", True),
        ("http://127.0.0.1:8787", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:1", True),
        ("http://10.0.0.1", False),
        ("http://localhost.evil.test", False),
        ("http://127.0.0.1.evil.test", False),
        ("http://example.com", False),
        ("http://[::1", False),
    ],
)
def test_loopback(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://engine.test", True),
        ("http://127.0.0.1:8787", True),
        ("http://engine.test", False),
        ("http://192.168.0.1", False),
    ],
)
def test_https_and_loopback_are_secure(address: str, expected: bool) -> None:
    assert is_secure(address) is expected
