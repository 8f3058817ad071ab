"""Access tokens: service accounts by a signed JWT, oauth2 by a refresh token."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
import traceback
from urllib.parse import parse_qsl

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from arcrun import InvalidArgumentError, TokenExchangeError
from arcrun._core import tokens
from arcrun._core.secret import Secret
from arcrun._core.tokens import read_token, token_text

RUNTIME = {"header": {"Authorization": "Bearer {{runtime.access_token}}"}}
SCOPE = "https://www.googleapis.com/auth/spreadsheets"


def pem(key) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@pytest.fixture(scope="session")
def rsa_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def account(rsa_key) -> str:
    return json.dumps(
        {
            "type": "service_account",
            "client_email": "robot@project.test",
            "private_key_id": "kid-1",
            "private_key": pem(rsa_key),
            "token_uri": "https://evil.test/token",
        }
    )


def token_response(number: int, **more) -> dict:
    return {"access_token": f"access-{number}", "expires_in": 3600, "token_type": "Bearer", **more}


@pytest.fixture
def service(other_server):
    """The service and its token endpoint, on one origin."""
    other_server.on("POST", "/token", *[token_response(n) for n in range(1, 9)])
    other_server.on("GET", "/v4/x", {"ok": True})
    return other_server


@pytest.fixture
def google_client(kind, server, service, serve_recipe, account):
    """A client set up for a service account."""
    serve_recipe(
        "google_sheets_sa",
        f"{service.url}/v4",
        ["google_service_account"],
        primitive="service_account",
        service_account_kind="google_jwt",
        token_exchange={"endpoint": f"{service.url}/token", "scopes": [SCOPE]},
        inject=RUNTIME,
    )
    client = kind.client(server.url)
    kind.run(client.auth.setup("google_sheets_sa", google_service_account=account))
    return client


OAUTH2 = {
    "client_id": "{{secret.crm_client_id}}",
    "client_secret": "{{secret.crm_client_secret}}",
    "scopes": ["read", "write"],
}
CRM_SECRETS = {
    "crm_client_id": "id-1",
    "crm_client_secret": "s3cret-client",
    "crm_refresh_token": "s3cret-refresh",
}


@pytest.fixture
def crm_client(kind, server, service, serve_recipe):
    """A client set up for a service that signs in by oauth2."""
    serve_recipe(
        "crm",
        f"{service.url}/v4",
        list(CRM_SECRETS),
        primitive="oauth2",
        oauth2={**OAUTH2, "token_endpoint": f"{service.url}/token"},
        inject=RUNTIME,
    )
    client = kind.client(server.url)
    kind.run(client.auth.setup("crm", **CRM_SECRETS))
    return client


def exchanges(service) -> list[dict[str, str]]:
    return [dict(parse_qsl(request.body.decode())) for request in service.to("/token")]


def part(text: str) -> dict:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def test_a_service_account_proves_itself_with_a_signed_jwt(
    kind, google_client, service, rsa_key
) -> None:
    bound = kind.bind(google_client, "google_sheets_sa", trust_origin=service.url)
    assert service.requests == []  # nothing is fetched before it is needed
    kind.run(bound.get("/x"))
    (form,) = exchanges(service)
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    header, claims, signature = form["assertion"].split(".")
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    rsa_key.public_key().verify(
        raw, f"{header}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    assert part(header) == {"alg": "RS256", "typ": "JWT", "kid": "kid-1"}
    claimed = part(claims)
    assert claimed["iss"] == "robot@project.test"
    assert claimed["scope"] == SCOPE
    assert claimed["aud"] == f"{service.url}/token"  # the recipe's endpoint, which was checked
    assert claimed["exp"] - claimed["iat"] == 3600
    assert abs(claimed["iat"] - time.time()) < 30
    assert service.to("/v4/x")[0].headers["authorization"] == "Bearer access-1"
    assert service.to("/token")[0].headers["user-agent"].startswith("arcrun-python/")


def test_a_token_is_fetched_once_for_all_requests_and_clients(kind, google_client, service) -> None:
    for _ in range(2):
        bound = kind.bind(google_client, "google_sheets_sa", trust_origin=service.url)
        kind.run(bound.get("/x"))
        kind.run(bound.get("/x"))
    assert len(service.to("/token")) == 1
    token = google_client.auth.get_token("google_sheets_sa", trust_origin=service.url)
    assert kind.run(token) == "access-1"


def test_a_token_is_renewed_60_s_before_it_expires(
    kind, google_client, service, monkeypatch
) -> None:
    service.on("POST", "/token", token_response(1, expires_in=100), token_response(2))
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    bound = kind.bind(google_client, "google_sheets_sa", trust_origin=service.url)
    for now, expected in [(1000.0, 1), (1039.9, 1), (1040.0, 2), (1041.0, 2)]:
        clock[0] = now
        kind.run(bound.get("/x"))
        assert service.requests[-1].headers["authorization"] == f"Bearer access-{expected}"


def test_a_refused_token_is_renewed_once(kind, google_client, service, canned) -> None:
    service.on("GET", "/v4/x", canned(401), {"ok": True})
    bound = kind.bind(google_client, "google_sheets_sa", trust_origin=service.url)
    response = kind.run(bound.get("/x"))
    assert response.status_code == 200
    used = [request.headers["authorization"] for request in service.to("/v4/x")]
    assert used == ["Bearer access-1", "Bearer access-2"]


def test_a_body_is_sent_again_with_the_new_token(kind, google_client, service, canned) -> None:
    service.on("POST", "/v4/x", canned(401), {"ok": True})
    bound = kind.bind(google_client, "google_sheets_sa", trust_origin=service.url)
    kind.run(bound.post("/x", json={"text": "你好"}))
    assert [request.json for request in service.to("/v4/x")] == [{"text": "你好"}] * 2


def test_a_second_401_is_returned(kind, google_client, service, canned) -> None:
    service.on("GET", "/v4/x", canned(401, {"error": "no"}))
    bound = kind.bind(google_client, "google_sheets_sa", trust_origin=service.url)
    response = kind.run(bound.get("/x"))
    assert (response.status_code, response.json()) == (401, {"error": "no"})
    assert len(service.to("/v4/x")) == 2


def test_a_streamed_body_is_not_sent_twice(kind, google_client, service, canned) -> None:
    service.on("POST", "/v4/x", canned(401))

    def chunks():
        yield b"ab"

    async def chunks_async():
        yield b"ab"

    bound = kind.bind(google_client, "google_sheets_sa", trust_origin=service.url)
    content = chunks() if kind.name == "sync" else chunks_async()
    headers = {"content-length": "2"}
    assert kind.run(bound.post("/x", content=content, headers=headers)).status_code == 401
    assert len(service.to("/v4/x")) == 1


def test_concurrent_requests_fetch_one_token(kind, google_client, service) -> None:
    bound = kind.bind(google_client, "google_sheets_sa", trust_origin=service.url)
    if kind.name == "async":

        async def all_at_once() -> None:
            await asyncio.gather(*(bound.get("/x") for _ in range(8)))

        kind.run(all_at_once())
    else:
        threads = [threading.Thread(target=bound.get, args=("/x",)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(service.to("/v4/x")) == 8
    assert len(service.to("/token")) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no json", "JSON key file"),
        ("[]", "JSON key file"),
        ('{"client_email": "a"}', "JSON key file"),
        ('{"client_email": "a", "private_key": 5}', "JSON key file"),
    ],
)
def test_setup_refuses_a_malformed_key_file(text, message, kind, google_client, server) -> None:
    before = len(server.to("/credentials"))
    with pytest.raises(InvalidArgumentError, match=message):
        kind.run(google_client.auth.setup("google_sheets_sa", google_service_account=text))
    assert len(server.to("/credentials")) == before


@pytest.mark.parametrize("what", ["text", "elliptic"])
def test_a_private_key_that_is_not_an_rsa_key_is_refused(what) -> None:
    private_key = "no pem" if what == "text" else pem(ec.generate_private_key(ec.SECP256R1()))
    account = tokens.ServiceAccount("a@b.test", None, Secret(private_key))
    with pytest.raises(InvalidArgumentError, match="not an RSA key in PEM") as caught:
        tokens.assertion(account, "https://x.test", [SCOPE], 0)
    assert "BEGIN" not in str(caught.value)


def test_oauth2_refreshes_with_the_stored_token(kind, crm_client, service) -> None:
    bound = kind.bind(crm_client, "crm", trust_origin=service.url)
    kind.run(bound.get("/x"))
    assert exchanges(service) == [
        {
            "grant_type": "refresh_token",
            "refresh_token": "s3cret-refresh",
            "client_id": "id-1",
            "client_secret": "s3cret-client",
            "scope": "read write",
        }
    ]
    assert service.to("/v4/x")[0].headers["authorization"] == "Bearer access-1"


def test_a_rotated_refresh_token_is_used_and_stored(
    kind, crm_client, server, service, canned
) -> None:
    service.on("POST", "/token", token_response(1, refresh_token="s3cret-next"), token_response(2))
    service.on("GET", "/v4/x", canned(401), {"ok": True})
    bound = kind.bind(crm_client, "crm", trust_origin=service.url)
    kind.run(bound.get("/x"))
    used = [form["refresh_token"] for form in exchanges(service)]
    assert used == ["s3cret-refresh", "s3cret-next"]
    last = server.to("/credentials")[-1].json
    assert (last["name"], last["service"]) == ("crm_refresh_token", "crm")


def test_a_rotated_refresh_token_outlives_the_bound_client(kind, crm_client, service) -> None:
    service.on("POST", "/token", token_response(1, refresh_token="s3cret-next"), token_response(2))
    for _ in range(2):
        bound = kind.bind(crm_client, "crm", trust_origin=service.url)
        kind.run(bound.get("/x"))
    assert len(exchanges(service)) == 1
    kind.run(crm_client.auth.setup("crm", **{**CRM_SECRETS, "crm_refresh_token": "s3cret-third"}))
    bound = kind.bind(crm_client, "crm", trust_origin=service.url)
    kind.run(bound.get("/x"))
    assert [form["refresh_token"] for form in exchanges(service)] == [
        "s3cret-refresh",
        "s3cret-third",
    ]


def test_secrets_from_the_environment_share_one_token(
    kind, server, crm_client, service, monkeypatch
) -> None:
    for key, text in CRM_SECRETS.items():
        monkeypatch.setenv(f"ARCRUN_SECRET_{key.upper()}", text)
    client = kind.client(server.url, None)
    for _ in range(3):
        token = client.auth.get_token("crm", trust_origin=service.url, trust_recipe=True)
        kind.run(token)
    assert len(exchanges(service)) == 1


def test_a_rotated_token_that_cannot_be_stored_is_logged(
    kind, crm_client, server, service, canned, caplog
) -> None:
    service.on("POST", "/token", token_response(1, refresh_token="s3cret-next"))
    server.on("POST", "/credentials", canned(403, {"error": "no"}))
    bound = kind.bind(crm_client, "crm", trust_origin=service.url)
    assert kind.run(bound.get("/x")).status_code == 200
    assert "crm_refresh_token could not be stored" in caplog.text
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize(
    ("response", "message"),
    [
        ((400, {"error": "invalid_grant", "error_description": "過期"}), "invalid_grant: 過期"),
        (
            (400, {"error": "bad", "error_description": "s3cret-refresh ended"}),
            r"bad: \*\*\* ended",
        ),
        ((200, {"token_type": "Bearer"}), "no access_token"),
        ((200, {"access_token": ""}), "no access_token"),
        ((200, {"access_token": "access-1\n"}), "no access_token"),
        ((200, {"access_token": "權杖"}), "no access_token"),
        ((400, {"access_token": "access-1"}), "HTTP 400"),
        ((500, b"<html>"), "HTTP 500"),
        ((200, b"[]"), "no access_token"),
        ((400, {"error": "e" * 301}), r"[^e]e{300}(?!e)"),
    ],
)
def test_a_token_endpoint_that_returns_no_token(
    response, message, kind, crm_client, service, canned
) -> None:
    service.on("POST", "/token", canned(*response))
    bound = kind.bind(crm_client, "crm", trust_origin=service.url)
    with pytest.raises(TokenExchangeError, match=message) as caught:
        kind.run(bound.get("/x"))
    assert "s3cret" not in str(caught.value)
    assert service.to("/v4/x") == []


def drop(handler) -> None:
    handler.connection.close()


def test_a_token_endpoint_that_cannot_be_reached(kind, crm_client, service, canned) -> None:
    service.on("POST", "/token", canned(act=drop))
    with pytest.raises(TokenExchangeError, match="could not be reached"):
        kind.run(crm_client.auth.get_token("crm", trust_origin=service.url))


@pytest.mark.parametrize(
    ("primitive", "more"),
    [
        ("oauth2", {}),
        ("oauth2", {"oauth2": {"token_endpoint": "https://own.test/token"}}),
        ("service_account", {"token_exchange": {}}),
    ],
)
def test_an_incomplete_recipe_is_unexpected(primitive, more, kind, server, serve_recipe) -> None:
    from arcrun import UnexpectedResponseError

    serve_recipe("own", "https://own.test", ["own_refresh_token"], primitive=primitive, **more)
    client = kind.client(server.url)
    client._connection.memory.secrets["own_refresh_token"] = Secret("x")
    with pytest.raises(UnexpectedResponseError, match="own"):
        kind.run(client.auth.get_token("own", trust_origin="https://own.test"))


def test_a_refusal_that_repeats_a_secret_keeps_it_in_no_frame() -> None:
    content = Secret('{"error": "bad", "error_description": "s3cret-refresh ended"}')
    sent = (Secret("s3cret-refresh"),)
    with pytest.raises(TokenExchangeError, match=r"bad: .* ended") as caught:
        read_token("own", 400, content, now=0.0, sent=sent)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "s3cret" not in "".join(shown.format())


@pytest.mark.parametrize(
    ("expires_in", "lifetime"),
    [(3600, 3540), (10, 0), (None, 3540), ("3600", 3540), (0, 0), (-5, 0)],
)
def test_a_token_is_used_until_60_s_before_it_expires(expires_in, lifetime) -> None:
    body = json.dumps({"access_token": "a", "expires_in": expires_in})
    token = read_token("own", 200, Secret(body), now=100.0, sent=())
    assert token.use_until == 100.0 + lifetime
    assert "a" not in repr(token.access).replace("Secret", "")


def test_no_token_or_secret_is_logged_or_shown(kind, crm_client, service, caplog) -> None:
    caplog.set_level("DEBUG")
    bound = kind.bind(crm_client, "crm", trust_origin=service.url)
    response = kind.run(bound.get("/x"))
    seen = (
        f"{caplog.text}{vars(bound)}{response.request.headers}{vars(crm_client._connection.memory)}"
    )
    assert "access-1" not in seen
    assert "s3cret" not in seen


LATIN_1 = '{"access_token": "a-token", "error_description": "révoked"}'.encode("latin-1")


def test_no_token_is_read_beside_what_is_not_utf8() -> None:
    assert token_text(200, LATIN_1).reveal() == ""
    # Of a refusal the reason is read, as far as it can be.
    refused = '{"access_token": "a-token", "error_description": "r\ufffdvoked"}'
    assert token_text(400, LATIN_1).reveal() == refused
    assert token_text(200, b'\xef\xbb\xbf{"a": 1}').reveal() == '{"a": 1}'
