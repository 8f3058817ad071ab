"""The bodies of http_request, as a receiver reads them."""

from __future__ import annotations

import base64
import email.parser
import email.policy
from typing import TYPE_CHECKING, Any

import pytest
from component_use import invocation
from hypothesis import given
from hypothesis import strategies as st

from arcrun_server.components.registry import Registry
from arcrun_server.components.request_body import request_body
from arcrun_server.engine import ComponentError, MemoryEnvironment, compile_flow, run_graph

if TYPE_CHECKING:
    from email.message import EmailMessage

    from loopback_site import Site

PNG = b"\x89PNG\r\n\x1a\n\x00--arcrun-\r\n"


@pytest.fixture
def post(make_client: Any, site: Site) -> Any:
    """Send a request with POST, and return the parts that the receiver finds in it."""
    component: Any = Registry(make_client()).get("http_request")
    site.respond("/x", "")

    async def send(**given: Any) -> list[EmailMessage]:
        own = {"url": f"{site.url}/x", "method": "POST", **given}
        await component({}, invocation(own=own, written=own))
        [request] = site.received
        return parsed(request.headers["content-type"], request.body)

    return send


def parsed(kind: str, body: bytes) -> list[EmailMessage]:
    message: Any = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
        f"Content-Type: {kind}\r\n\r\n".encode() + body
    )
    assert message.get_content_type() == "multipart/form-data"
    assert message.defects == []
    return list(message.iter_parts())


def parameter(part: EmailMessage, name: str) -> Any:
    return part.get_param(name, header="content-disposition")


async def test_fields_and_files_arrive_as_they_were_given(post: Any) -> None:
    note, file, table = await post(
        multipart=[
            {"name": "note", "value": "早\r\n晚"},
            {
                "name": "file",
                "base64": base64.b64encode(PNG).decode(),
                "filename": "a.png",
                "content_type": "image/png",
            },
            {"name": "rows", "value": {"名": [1, None]}, "filename": "rows.json"},
        ]
    )
    assert parameter(note, "name") == "note"
    assert note.get_filename() is None
    assert note.get_payload(decode=True) == "早\r\n晚".encode()
    assert "content-type" not in note
    assert (parameter(file, "name"), file.get_filename()) == ("file", "a.png")
    assert file.get_content_type() == "image/png"
    assert file.get_payload(decode=True) == PNG
    assert table.get_filename() == "rows.json"
    assert table.get_content_type() == "application/json"
    assert table.get_payload(decode=True).decode() == '{"名": [1, null]}'


@pytest.mark.parametrize(
    ("fields", "kind", "content"),
    [
        ({"base64": ""}, "application/octet-stream", b""),
        ({"value": "文", "filename": "a.txt"}, "text/plain", "文".encode()),
        ({"value": [1]}, "application/json", b"[1]"),
        ({"value": "a,b", "content_type": 'text/csv; charset="utf-8"'}, "text/csv", b"a,b"),
    ],
)
async def test_a_part_has_the_type_of_its_content(
    post: Any, fields: dict[str, Any], kind: str, content: bytes
) -> None:
    [part] = await post(multipart=[{"name": "f", **fields}])
    assert (part.get_content_type(), part.get_payload(decode=True)) == (kind, content)


EVIL = '"; filename="x"\r\nX-Evil: 1\r\n\r\n\x00\x7f文'


async def test_names_can_not_leave_their_quotes(post: Any, site: Site) -> None:
    [part] = await post(multipart=[{"name": EVIL, "filename": EVIL, "value": "v"}])
    assert [name.lower() for name in part] == ["content-disposition", "content-type"]
    assert part.get_payload(decode=True) == b"v"
    encoded = "%22; filename=%22x%22%0D%0AX-Evil: 1%0D%0A%0D%0A%00%7F文"
    line = f'Content-Disposition: form-data; name="{encoded}"; filename="{encoded}"\r\n'
    assert line.encode() in site.received[0].body


@given(
    st.lists(
        st.fixed_dictionaries(
            {"name": st.text(min_size=1), "value": st.text()}, optional={"filename": st.text()}
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_names_and_values_stay_in_their_parts(parts: list[dict[str, Any]]) -> None:
    headers: dict[str, str] = {}
    body = request_body({"multipart": parts}, "POST", headers)
    assert body is not None
    boundary = headers["Content-Type"].partition("boundary=")[2].encode()
    first, *found, last = body.split(b"--" + boundary)
    assert (first, last) == (b"", b"--\r\n")
    assert len(found) == len(parts)
    for piece, part in zip(found, parts, strict=True):
        head, _, content = piece.partition(b"\r\n\r\n")
        assert len(head.splitlines()) >= 2
        assert head.count(b"\r\n") == (2 if "filename" in part else 1)
        assert head.count(b'"') == (4 if "filename" in part else 2)
        assert content == part["value"].encode("utf-8", "replace") + b"\r\n"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"multipart": {}}, "`multipart` must be a list"),
        ({"multipart": []}, "1 to 1,000 parts, but it has 0"),
        ({"multipart": [{"name": "a", "value": ""}] * 1001}, "but it has 1,001"),
        ({"multipart": ["a"]}, r"`multipart\.0` must be an object"),
        ({"multipart": [{"value": "a"}]}, r"`multipart\.0\.name` must be text, but it is null"),
        ({"multipart": [{"name": "", "value": "a"}]}, r"`multipart\.0\.name` is empty"),
        ({"multipart": [{"name": "a"}]}, "`multipart.0` needs either `value`"),
        ({"multipart": [{"name": "a", "value": 1, "base64": ""}]}, "needs either `value`"),
        ({"multipart": [{"name": "a", "base64": "?"}]}, r"`multipart\.0\.base64` is not Base64"),
        (
            {"multipart": [{"name": "a", "value": 1, "file_name": "x"}]},
            "unknown field 'file_name'; did you mean 'filename'?",
        ),
        ({"multipart": [{"name": "a", "value": 1, "filename": 3}]}, r"0\.filename` must be text"),
        (
            {"multipart": [{"name": "a", "value": 1, "content_type": "a/b\r\nX-Evil: 1"}]},
            r"`multipart\.0\.content_type` must be a media type such as image/png",
        ),
        ({"multipart": [{"name": "a", "value": 1}], "body": "x"}, "a request has one body"),
        (
            {"multipart": [{"name": "a", "value": 1}], "headers": {"content-TYPE": "x/y"}},
            "`multipart` sets the Content-Type",
        ),
        ({"multipart": [{"name": "a", "value": 1}], "method": "GET"}, "set `method` to POST"),
        ({"form": {"a": 1}, "method": "GET"}, "`form` is not sent with GET; set `method` to POST"),
    ],
)
async def test_http_request_says_what_is_wrong_with_a_form(
    post: Any, site: Site, more: dict[str, Any], message: str
) -> None:
    with pytest.raises(ComponentError, match=message):
        await post(**more)
    assert site.connections == 0


class Text(str):
    """A text that can be measured, but not encoded."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        raise AssertionError("it was encoded")


@pytest.mark.parametrize(
    "given",
    [
        {"multipart": [{"name": "a", "value": Text("x" * 5_000_000)}] * 2},
        {"form": {"a": [Text("x" * 5_000_000)] * 2}},
        {"body_json": [Text("x" * 5_000_000)] * 2},
    ],
)
def test_a_body_that_would_be_too_large_is_never_built(given: dict[str, Any]) -> None:
    with pytest.raises(ComponentError, match="larger than 8,388,608 bytes"):
        request_body(given, "POST", {})


def test_the_size_of_a_body_is_that_of_its_bytes() -> None:
    for body in [
        {"multipart": [{"name": "a", "value": "文" * 3_000_000}]},
        {"form": {"a": "文" * 1_000_000}},
    ]:
        with pytest.raises(ComponentError, match="larger than 8,388,608 bytes"):
            request_body(body, "POST", {})


async def test_what_one_request_got_another_one_uploads(make_client: Any, site: Site) -> None:
    site.respond("/picture", PNG, headers={"Content-Type": "image/png"})
    site.respond("/upload", "")
    component: Any = Registry(make_client()).get("http_request")
    environment = MemoryEnvironment(components={"http_request": component})
    config = {
        "取": {"component": "http_request", "url": f"{site.url}/picture"},
        "傳": {
            "component": "http_request",
            "method": "POST",
            "url": f"{site.url}/upload",
            "multipart": [
                {
                    "name": "file",
                    "filename": "{{input.名}}",
                    "base64": "{{取.data.body}}",
                    "content_type": "{{取.data.content_type}}",
                }
            ],
        },
    }
    lines = ["input >> 完成後 >> 取", "取 >> 完成後 >> 傳"]
    # The input sets no parts, even where the node leaves a field out.
    result = await run_graph(
        compile_flow(lines, config), {"名": 'a".png', "value": "x", "form": {"a": 1}}, environment
    )
    assert result.success, result.error
    request = site.received[1]
    [part] = parsed(request.headers["content-type"], request.body)
    assert part.get_filename() == "a%22.png"
    assert part.get_content_type() == "image/png"
    assert part.get_payload(decode=True) == PNG
