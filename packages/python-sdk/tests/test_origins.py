"""Secrets go to the service's own origin, whatever the engine's recipe says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun import RecipeOriginError
from arcrun._core.origins import SHIPPED, check_origins, check_trusted, is_loopback, origin_of
from arcrun._http import httpx, origin

CONTRACT = [
    "notion",
    "slack",
    "github",
    "openai",
    "anthropic",
    "gemini",
    "airtable",
    "discord",
    "stripe",
    "twilio",
    "sendgrid",
    "hubspot",
    "linear",
    "shopify",
    "resend",
    "supabase",
    "typeform",
    "jira",
    "trello",
    "mailgun",
    "telegram",
    "line_notify",
    "google_sheets_sa",
    "google_gmail_sa",
    "google_drive_sa",
]


def test_the_table_has_the_services_of_the_contract() -> None:
    assert sorted(SHIPPED) == sorted(CONTRACT)


def test_every_origin_of_the_table_is_https_and_as_written() -> None:
    for origins in SHIPPED.values():
        for written in origins:
            assert written.startswith("https://")
            assert origin_of(written) == written


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
def test_where_httpx_reads_another_origin_nothing_is_injected(rest: str) -> None:
    """An origin found is the one httpx connects to, or a request never matches it."""
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


def check(written: str, rendered: str | None = None, *, pinned=(), trusted=None) -> str:
    return check_origins("notion", written, rendered or written, pinned=pinned, trusted=trusted)


def test_a_pinned_origin_is_right() -> None:
    assert check("https://api.notion.com/v1", pinned=SHIPPED["notion"]) == "https://api.notion.com"


def test_a_pinned_pattern_is_right_as_the_recipe_writes_it() -> None:
    written = "https://{{secret.jira_domain}}.atlassian.net/rest/api/3"
    rendered = "https://acme.atlassian.net/rest/api/3"
    assert check(written, rendered, pinned=SHIPPED["jira"]) == "https://acme.atlassian.net"


@pytest.mark.parametrize(
    "written",
    [
        "https://evil.test/v1",
        "http://api.notion.com/v1",
        "https://api.notion.com:8443/v1",
        "https://api.notion.com.evil.test/v1",
        "https://api.notion.com@evil.test/v1",
        "nonsense",
    ],
)
def test_another_origin_is_refused_and_named(written: str) -> None:
    with pytest.raises(RecipeOriginError, match="notion"):
        check(written, pinned=SHIPPED["notion"])


def test_somebody_elses_host_of_a_pattern_is_refused() -> None:
    evil = "https://evil.atlassian.net/rest/api/3"
    with pytest.raises(RecipeOriginError, match=r"evil\.atlassian\.net"):
        check(evil, pinned=SHIPPED["jira"])


def test_the_user_may_trust_an_origin() -> None:
    trusted = check_trusted("https://api.own.test/")
    assert check("https://api.own.test/v2", trusted=trusted) == "https://api.own.test"
    assert check_trusted(None) is None
    assert check_trusted("http://127.0.0.1:99") == "http://127.0.0.1:99"


def test_the_error_of_an_unknown_service_says_what_to_do() -> None:
    with pytest.raises(RecipeOriginError, match=r"trust_origin=.https://api\.own\.test"):
        check("https://api.own.test/v2")


@pytest.mark.parametrize("origin", ["api.own.test", "https://a.test/path", "https://a@b.test", ""])
def test_what_is_trusted_must_be_an_origin(origin: str) -> None:
    with pytest.raises(RecipeOriginError, match="scheme, host and port only"):
        check_trusted(origin)


def test_plain_http_is_trusted_on_loopback_only() -> None:
    with pytest.raises(RecipeOriginError, match="loopback only"):
        check_trusted("http://api.own.test")
