from __future__ import annotations

import asyncio
import gzip
import ssl
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from arcrun_server.engine import ComponentError
from arcrun_server.engine.redaction import Redactor
from arcrun_server.engine.shorten import redacting
from arcrun_server.outbound import Unreachable

if TYPE_CHECKING:
    from pathlib import Path

    from loopback_site import Site


async def test_a_request_and_its_response(make_client: Any, site: Site) -> None:
    site.respond("/%E8%B7%AF?q=1", '{"好": true}')
    response = await make_client().send(
        "POST",
        f"{site.url}/路?q=1#x",
        headers={"X-Name": "值"},
        content="內容".encode(),
    )
    assert (response.status, response.json()) == (200, (True, {"好": True}))
    received = site.received[0]
    assert received.line == "POST /%E8%B7%AF?q=1 HTTP/1.1"
    assert received.body.decode() == "內容"
    assert received.headers["x-name"].encode("latin-1").decode() == "值"
    assert received.headers["user-agent"].startswith("arcrun-engine/")
    assert received.headers["host"] == f"127.0.0.1:{site.port}"


async def test_connections_are_kept(make_client: Any, site: Site) -> None:
    site.respond("/", "好")
    outbound = make_client()
    for _ in range(3):
        await outbound.send("GET", site.url + "/")
    assert (site.connections, len(site.received)) == (1, 3)


async def test_no_cookie_is_kept_between_requests(make_client: Any, site: Site) -> None:
    site.respond("/", "好", headers={"Set-Cookie": "session=abc"})
    outbound = make_client()
    await outbound.send("GET", site.url + "/")
    await outbound.send("GET", site.url + "/")
    assert "cookie" not in site.received[1].headers


async def test_the_charset_of_the_response_is_used(make_client: Any, site: Site) -> None:
    site.respond(
        "/big5", "中文".encode("big5"), headers={"Content-Type": "text/plain; charset=big5"}
    )
    site.respond("/odd", "中文", headers={"Content-Type": "text/plain; charset=nonsense"})
    site.respond("/none", b"\xff\xfe ok")
    assert (await make_client().send("GET", site.url + "/big5")).text == "中文"
    assert (await make_client().send("GET", site.url + "/odd")).text == "中文"
    assert (await make_client().send("GET", site.url + "/none")).text == "\ufffd\ufffd ok"


@pytest.mark.parametrize("charset", ["punycode", "idna", "unicode_escape", "utf-7", "rot13", "hex"])
async def test_what_is_no_character_set_of_the_web_is_read_as_utf_8(
    make_client: Any, site: Site, charset: str
) -> None:
    headers = {"Content-Type": f"text/plain; charset={charset}"}
    site.respond("/", "中文-\\u0041".encode() + b"\xff", headers=headers)
    assert (await make_client().send("GET", site.url + "/")).text == "中文-\\u0041\ufffd"


@pytest.mark.parametrize(
    "charset", ["utf-8", "utf-16", "big5", "gb18030", "euc-kr", "shift_jis", "iso-2022-jp"]
)
async def test_a_long_text_is_decoded_in_parts_without_a_seam(
    make_client: Any, site: Site, charset: str
) -> None:
    text = "a" + "中" * 100_000
    site.respond(
        "/", text.encode(charset), headers={"Content-Type": f"text/plain; charset={charset}"}
    )
    assert (await make_client().send("GET", site.url + "/")).text == text


async def test_a_response_that_is_too_large_is_refused(make_client: Any, site: Site) -> None:
    site.responses["/"] = b"HTTP/1.1 200 X\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 5000
    with pytest.raises(Unreachable, match="larger than 1,000 bytes"):
        await make_client(max_bytes=1000).send("GET", site.url + "/")


async def test_an_answer_that_is_compressed_twice_is_refused(make_client: Any, site: Site) -> None:
    site.respond("/", gzip.compress(b"x" * 10_000), headers={"Content-Encoding": "gzip, gzip"})
    with pytest.raises(Unreachable, match="compressed"):
        await make_client().send("GET", site.url + "/")
    assert site.received[0].headers["accept-encoding"] == "identity"


async def test_a_server_that_is_silent_or_slow_times_out(make_client: Any, site: Site) -> None:
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1 did not respond in time"):
        await make_client(read_timeout=0.02).send("GET", site.url + "/silent")
    with pytest.raises(Unreachable, match=r"did not respond within 0\.02 s"):
        await make_client(total_timeout=0.02).send("GET", site.url + "/silent")


async def test_a_server_that_is_not_there_or_does_not_use_http(
    make_client: Any, site: Site
) -> None:
    site.responses["/"] = b"SSH-2.0-OpenSSH_9.9\r\n\r\n"
    with pytest.raises(Unreachable, match="can't be reached"):
        await make_client().send("GET", site.url + "/")

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(Unreachable, match="can't be reached"):
        await make_client().send("GET", f"http://127.0.0.1:{port}/")
    server.close()
    await server.wait_closed()
    with pytest.raises(Unreachable, match="can't be reached"):
        await make_client().send("GET", f"http://127.0.0.1:{port}/")


async def test_errors_name_the_host_but_neither_path_nor_query(make_client: Any) -> None:
    async def nothing(host: str, port: int) -> list[str]:
        raise OSError

    with pytest.raises(Unreachable) as caught:
        await make_client(resolver=nothing).send(
            "GET", "http://no.example/bot123:geheim/x?key=geheim"
        )
    assert "no.example" in str(caught.value)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"X-A": "a\r\nX-B: b"}, "line break"),
        ({"X-A": "a\0"}, "line break"),
        ({"X A": "a"}, "not a valid header name"),
        ({"": "a"}, "not a valid header name"),
        ({"X:A": "a"}, "not a valid header name"),
        ({"標頭": "a"}, "not a valid header name"),
        ({"Host": "evil"}, "set by the engine"),
        ({"content-LENGTH": "3"}, "set by the engine"),
        ({"Transfer-Encoding": "chunked"}, "set by the engine"),
    ],
)
async def test_headers_that_would_forge_the_request_are_refused(
    make_client: Any, site: Site, headers: dict[str, str], message: str
) -> None:
    with pytest.raises(ComponentError, match=message):
        await make_client().send("GET", site.url, headers=headers)
    assert site.connections == 0


async def test_a_redirect_within_the_site_keeps_the_headers(make_client: Any, site: Site) -> None:
    site.respond("/a", status=307, headers={"Location": "/b"})
    site.respond("/b", "到了")
    response = await make_client().send(
        "POST", site.url + "/a", headers={"Authorization": "Bearer t"}, content=b"x"
    )
    assert response.text == "到了"
    assert [received.line.split(" ")[0] for received in site.received] == ["POST", "POST"]
    assert site.received[1].headers["authorization"] == "Bearer t"
    assert site.received[1].body == b"x"


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_a_redirect_after_a_post_becomes_a_get_without_body(
    make_client: Any, site: Site, status: int
) -> None:
    site.respond("/a", status=status, headers={"Location": "b"})
    site.respond("/b", "到了")
    await make_client().send("POST", site.url + "/a", headers={"Content-Type": "x/y"}, content=b"x")
    assert site.received[1].line.startswith("GET /b")
    assert site.received[1].body == b""
    assert "content-type" not in site.received[1].headers


async def test_no_header_that_may_hold_a_secret_goes_to_another_origin(
    make_client: Any, site: Site, other_site: Site
) -> None:
    site.respond("/a", status=302, headers={"Location": f"{other_site.url}/b"})
    other_site.respond("/b", "到了")
    headers = {
        "Authorization": "Bearer t",
        "X-API-Key": "k",
        "Cookie": "c=1",
        "Accept": "text/plain",
    }
    response = await make_client().send("GET", site.url + "/a", headers=headers)
    assert response.text == "到了"
    received = other_site.received[0].headers
    assert received["accept"] == "text/plain"
    assert not {"authorization", "x-api-key", "cookie"} & set(received)
    assert received["host"] == f"127.0.0.1:{other_site.port}"


@pytest.mark.parametrize("name", ["accept", "accept-language", "content-type", "user-agent"])
async def test_no_header_that_holds_a_secret_goes_to_another_origin(
    name: str, make_client: Any, site: Site, other_site: Site
) -> None:
    site.respond("/a", status=302, headers={"Location": f"{other_site.url}/b"})
    other_site.respond("/b", "到了")
    with redacting(Redactor(["canary-secret"])):
        headers = {name: "x/canary-secret", "accept": "text/plain"} | {name: "x/canary-secret"}
        await make_client().send("GET", site.url + "/a", headers=headers)
    assert site.received[0].headers[name] == "x/canary-secret"
    received = other_site.received[0].headers
    assert "canary-secret" not in str(received)
    assert received["user-agent"].startswith("arcrun-engine/")
    assert received.get("accept") == (None if name == "accept" else "text/plain")


@pytest.mark.parametrize("place", ["/canary-%2Fsecret/b", "/b?k=canary-/secret", "/canary-/secret"])
async def test_no_address_that_holds_a_secret_is_requested_at_another_origin(
    place: str, make_client: Any, site: Site, other_site: Site
) -> None:
    site.respond("/a", status=302, headers={"Location": other_site.url + place})
    site.respond("/near", status=302, headers={"Location": place})
    site.respond(place, "到了")
    with redacting(Redactor(["canary-/secret"])):
        with pytest.raises(Unreachable, match="to another host, with a secret in the address"):
            await make_client().send("GET", site.url + "/a")
        await make_client().send("GET", site.url + "/near")
    assert other_site.connections == 0
    assert site.received[-1].line == f"GET {place} HTTP/1.1"


async def test_a_body_never_goes_to_another_origin(
    make_client: Any, site: Site, other_site: Site
) -> None:
    site.respond("/a", status=307, headers={"Location": f"{other_site.url}/b"})
    with pytest.raises(Unreachable, match="the body is not sent there"):
        await make_client().send("POST", site.url + "/a", content=b"geheim")
    assert other_site.connections == 0


async def test_a_redirect_to_an_invalid_address(make_client: Any, site: Site) -> None:
    site.respond("/a", status=302, headers={"Location": "http://[::1"})
    with pytest.raises(Unreachable, match="redirects to an invalid address"):
        await make_client().send("GET", site.url + "/a")


async def test_a_host_that_can_be_no_name_is_refused(make_client: Any) -> None:
    with pytest.raises(ComponentError, match="the URL is not valid"):
        await make_client().send("GET", "http://xn--a/")


async def test_redirects_have_an_end(make_client: Any, site: Site) -> None:
    site.respond("/a", status=302, headers={"Location": "/a"})
    with pytest.raises(Unreachable, match="redirects more than 5 times"):
        await make_client().send("GET", site.url + "/a")
    assert len(site.received) == 6


async def test_a_redirect_without_a_place_is_an_answer(make_client: Any, site: Site) -> None:
    site.respond("/a", "何處", status=302)
    response = await make_client().send("GET", site.url + "/a")
    assert (response.status, response.text, response.ok) == (302, "何處", False)


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a certificate for a name; responses the contexts of a server and of who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / f"{name}.pem"
    pem.write_bytes(
        signed.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=str(pem))


async def test_tls_uses_the_name_though_the_connection_goes_to_the_address(
    make_client: Any, serve: Any, tmp_path: Path
) -> None:
    server, client = certificate(tmp_path, "secure.example")
    names: list[str | None] = []
    server.sni_callback = lambda _socket, name, _context: names.append(name)

    async def resolver(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async with serve(server) as site:
        site.respond("/", "安全")
        outbound = make_client(resolver=resolver, ssl_context=client)
        response = await outbound.send("GET", f"https://secure.example:{site.port}/")
        assert response.text == "安全"
        assert names == ["secure.example"]
        with pytest.raises(Unreachable, match=r"other\.example can't be reached.*certificate"):
            await outbound.send("GET", f"https://other.example:{site.port}/")
        await outbound.aclose()


async def test_a_redirect_from_https_to_http_is_not_followed(
    make_client: Any, serve: Any, site: Site, tmp_path: Path
) -> None:
    server, client = certificate(tmp_path, "secure.example")

    async def resolver(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async with serve(server) as secure:
        secure.respond("/", status=302, headers={"Location": f"{site.url}/"})
        outbound = make_client(resolver=resolver, ssl_context=client)
        with pytest.raises(Unreachable, match="from https to an insecure address"):
            await outbound.send("GET", f"https://secure.example:{secure.port}/")
        await outbound.aclose()
    assert site.connections == 0


async def test_proxies_of_the_environment_are_not_used(
    make_client: Any, site: Site, other_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.respond("/", "直接")
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, other_site.url)
    assert (await make_client().send("GET", site.url + "/")).text == "直接"
    assert other_site.connections == 0


async def test_many_requests_at_once(make_client: Any, site: Site) -> None:
    site.respond("/", "好")
    outbound = make_client()
    replies = await asyncio.gather(*(outbound.send("GET", site.url + "/") for _ in range(50)))
    assert [response.text for response in replies] == ["好"] * 50
