from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import given as with_value
from hypothesis import strategies as st

from arcrun_server.engine import ComponentError, compile_flow, resume_graph, run_graph
from arcrun_server.engine.redaction import REDACTED, Redactor

if TYPE_CHECKING:
    from .conftest import RecordingEngine

PART = "s3cr3t"
SECRET = f'密鑰-{PART}/+ä"x'


class Thief:
    """A component that records what it was given and echoes it in every way."""

    def __init__(self, response: Any = None) -> None:
        self.got: list[Any] = []
        self.response = response

    async def __call__(self, given: dict[str, Any], invocation: Any) -> Any:
        self.got.append(given)
        return given if self.response is None else self.response


def everything(result: Any) -> str:
    """All that a run leaves behind, as text."""
    kept = [result.data, result.trace, result.error, result.failed_input, result.trace_summary()]
    if result.paused:
        kept += [result.paused.continuation, result.paused.task_id]
    return json.dumps(kept, ensure_ascii=False) + repr(result)


@pytest.mark.parametrize("root", ["credential", "secret"])
async def test_a_credential_reaches_the_component_whose_data_names_it(
    engine: RecordingEngine, root: str
) -> None:
    thief = Thief({"ok": True})
    engine.components, engine.secrets = {"thief": thief}, {"tok": SECRET}
    config = {
        "取": {
            "component": "thief",
            "headers": {"授權": "Bearer {{" + root + ".tok}}"},
            "單": "{{ " + root + ".tok }}",
        }
    }
    result = await engine.run(["input >> PIPE >> 取"], config)
    assert result.success
    assert thief.got[0]["headers"] == {"授權": f"Bearer {SECRET}"}
    assert thief.got[0]["單"] == SECRET
    assert PART not in everything(result)
    assert result.trace[1]["input"]["headers"] == {"授權": "Bearer {{" + root + ".tok}}"}
    assert "warnings" not in result.trace[1]


async def test_run_input_that_holds_a_reference_stays_text(engine: RecordingEngine) -> None:
    thief = Thief()
    engine.components, engine.secrets = {"thief": thief}, {"tok": SECRET}
    config = {
        "取": {
            "component": "thief",
            "a": "{{input.x}}",
            "b": "前 {{x}} 後",
            "own": "{{credential.tok}}",
        },
        "後": {"component": "thief", "c": "{{取.a}}"},
    }
    lines = ["input >> PIPE >> 取", "取 >> PIPE >> 後"]
    result = await engine.run(lines, config, {"x": "{{credential.tok}} {{secret.tok}}"})
    assert thief.got[0]["a"] == "{{credential.tok}} {{secret.tok}}"
    assert thief.got[0]["b"] == "前 {{credential.tok}} {{secret.tok}} 後"
    assert thief.got[0]["x"] == "{{credential.tok}} {{secret.tok}}"
    assert thief.got[1]["c"] == "{{credential.tok}} {{secret.tok}}"
    assert PART not in everything(result)


async def test_a_reference_in_run_input_alone_asks_for_no_secret(engine: RecordingEngine) -> None:
    asked: list[str] = []
    thief = Thief()
    engine.components = {"thief": thief}
    environment = engine.environment

    class Watched(type(environment)):  # type: ignore[misc]
        async def secret(self, name: str) -> str | None:
            asked.append(name)
            return SECRET

    graph = engine.compile(
        ["input >> PIPE >> 取"], {"取": {"component": "thief", "a": "{{input.x}}"}}
    )
    result = await run_graph(
        graph, {"x": "{{credential.tok}}"}, Watched(components=engine.components)
    )
    assert result.success
    assert asked == []


async def test_an_echoed_secret_is_redacted_in_data_trace_and_later_nodes(
    engine: RecordingEngine,
) -> None:
    thief = Thief()
    engine.components, engine.secrets = {"thief": thief}, {"tok": SECRET}
    lines = ["input >> PIPE >> 取", "取 >> PIPE >> 後"]
    config = {
        "取": {"component": "thief", "deep": [{"k": "x {{credential.tok}} y"}]},
        "後": {"component": "thief", "看": "{{取.deep.0.k}}"},
    }
    result = await engine.run(lines, config)
    assert thief.got[0]["deep"] == [{"k": f"x {SECRET} y"}]
    assert thief.got[1]["看"] == f"x {REDACTED} y"
    assert PART not in everything(result)


async def test_a_secret_in_a_components_error_is_redacted(engine: RecordingEngine) -> None:
    async def leaky(given: Any, invocation: Any) -> Any:
        raise ComponentError(f"401 for {given['tok']}")

    engine.components, engine.secrets = {"leaky": leaky}, {"tok": SECRET}
    result = await engine.run(
        ["input >> PIPE >> 取"], {"取": {"component": "leaky", "tok": "{{secret.tok}}"}}
    )
    assert result.error == f"Node 取 failed: 401 for {REDACTED}"
    assert PART not in everything(result)


@pytest.mark.parametrize("handled", [False, True])
async def test_what_a_failed_component_records_stands_in_the_trace_without_secrets(
    engine: RecordingEngine, handled: bool
) -> None:
    async def spend(given: dict[str, Any], _invocation: Any) -> Any:
        raise ComponentError("no answer", {"used": {"tokens": 20, "by": given["單"]}})

    engine.components, engine.secrets = {"spend": spend}, {"tok": SECRET}
    config = {
        "問": {"component": "spend", "單": "{{secret.tok}}"},
        "後": {"component": "give", "value": "{{問}}"},
    }
    lines = ["input >> PIPE >> 問", *(["問 >> ON_FAIL >> 後"] if handled else [])]
    result = await engine.run(lines, config if handled else {"問": config["問"]})
    found = result.data if handled else result.trace_summary()[-1]
    assert found["used"] == {"tokens": 20, "by": REDACTED}
    assert found["error"] == "no answer"
    assert PART not in everything(result)


async def test_a_secret_is_in_no_paused_state(engine: RecordingEngine) -> None:
    async def ask(given: Any, invocation: Any) -> Any:
        return {"pending": True, "task_id": "t-1", "echo": given["tok"]}

    engine.components, engine.secrets = {"asks": ask}, {"tok": SECRET}
    graph = engine.compile(
        ["input >> PIPE >> 問", "問 >> PIPE >> 後"],
        {
            "問": {"component": "asks", "tok": "{{secret.tok}}"},
            "後": {"component": "comp_passthrough"},
        },
    )
    paused = await run_graph(graph, {}, engine.environment)
    assert paused.paused is not None
    assert PART not in everything(paused)
    resumed = await resume_graph(paused.paused.continuation, engine.environment, data={"ok": 1})
    assert resumed.data == {"ok": 1}


async def test_a_built_in_with_a_credential_gives_it_redacted(engine: RecordingEngine) -> None:
    engine.secrets = {"tok": SECRET}
    config = {"過": {"component": "comp_passthrough", "tok": "{{credential.tok}}"}}
    result = await engine.run(["input >> PIPE >> 過"], config)
    assert result.data == {"tok": REDACTED}


async def test_a_built_in_that_changes_a_secret_gives_it_redacted(engine: RecordingEngine) -> None:
    engine.secrets = {"tok": SECRET}
    config = {"大": {"component": "comp_uppercase", "text": "Bearer {{credential.tok}}"}}
    result = await engine.run(["input >> PIPE >> 大"], config)
    assert result.data == {"text": f"BEARER {REDACTED}"}


async def test_a_result_nested_too_deeply_to_redact_fails_its_node(engine: RecordingEngine) -> None:
    deep: Any = "字"
    for _ in range(100_000):
        deep = [deep]
    engine.components, engine.secrets = {"thief": Thief(deep)}, {"tok": SECRET}
    config = {"取": {"component": "thief", "tok": "{{credential.tok}}"}}
    result = await engine.run(["input >> PIPE >> 取"], config)
    assert result.error == "Node 取 failed: its result is nested too deeply"
    while isinstance(deep, list):  # taken apart here: to free it in one go is deep as well
        deep = deep.pop()


async def test_a_credential_that_is_not_there_fails_the_node_and_says_so(
    engine: RecordingEngine,
) -> None:
    thief = Thief()
    engine.components = {"thief": thief}
    config = {"取": {"component": "thief", "tok": "{{credential.tok}}"}}
    result = await engine.run(["input >> PIPE >> 取"], config)
    assert (
        result.error
        == "Node 取 failed: there is no credential 'tok'; push it under this name first"
    )
    assert thief.got == []


async def test_only_the_node_that_names_a_credential_gets_it(engine: RecordingEngine) -> None:
    thief = Thief({})
    engine.components, engine.secrets = {"thief": thief}, {"tok": SECRET}
    lines = ["input >> PIPE >> 取", "取 >> PIPE >> 後"]
    config = {
        "取": {"component": "thief", "tok": "{{credential.tok}}"},
        "後": {"component": "thief"},
    }
    await engine.run(lines, config)
    assert PART not in json.dumps(thief.got[1], ensure_ascii=False)


async def test_a_context_key_called_secret_is_never_taken_for_a_credential(
    engine: RecordingEngine,
) -> None:
    thief = Thief({})
    engine.components = {"thief": thief}
    config = {"取": {"component": "thief", "a": "{{secret.deep.x}}", "b": "{{credential}}"}}
    graph = compile_flow(["input >> PIPE >> 取"], config)
    graph["nodes"][1]["data"] = {"b": "{{ctx.secret.tok}}"}
    await run_graph(graph, {"secret": {"tok": "只是資料"}}, engine.environment)
    assert thief.got[0]["b"] == "只是資料"


def test_all_forms_of_a_secret_are_redacted() -> None:
    secret = 'top secret/"ä\n密'
    redactor = Redactor([secret])
    for form in [
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret),
        quote(secret, safe=""),
        quote(quote(secret, safe=""), safe=""),
        secret.encode().hex(),
        secret.encode().hex().upper(),
        base64.b64encode(secret.encode()).decode(),
        base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
        secret.strip(),
    ]:
        assert redactor.text(f"<{form}>").startswith(f"<{REDACTED}")


@pytest.mark.parametrize(
    ("before", "first", "last"),
    # Of 8 bits a byte and 6 a character: behind 2 bytes, the secret's 12 are bits 16 to 112, and characters 3 to 18.
    [("", 0, 16), ("a", 2, 17), ("ab", 3, 18), ("abc", 4, 20), ("user:", 7, 22)],
)
def test_every_character_of_base64_that_is_of_the_secret_alone_is_redacted(
    before: str, first: int, last: int
) -> None:
    encoded = base64.b64encode(f"{before}s3cr3t-value tail".encode()).decode()
    redacted = Redactor(["s3cr3t-value"]).text(encoded)
    assert redacted == f"{encoded[:first]}{REDACTED}{encoded[last:]}"


@pytest.mark.parametrize("user", ["", "a", "ab", "abc", "用戶"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_in_base64_behind_a_user_is_redacted(user: str, encode: Any) -> None:
    secret = "s3cr3t?>value"
    encoded = encode(f"{user}:{secret}".encode()).decode()
    redacted = Redactor([secret]).text(f"Basic {encoded}")
    assert REDACTED in redacted
    # What is left holds at most the bits of the secret's first and last characters.
    rest = redacted.removeprefix("Basic ").replace(REDACTED, " ").split()
    assert sum(map(len, rest)) <= len(base64.b64encode(f"{user}:".encode())) + 4


@pytest.mark.parametrize(
    "written",
    [
        r"a\/b<c>&d\"e'f",  # PHP
        r"a/b\u003cc\u003e\u0026d\"e'f",  # Go, Rails
        "a/b&lt;c&gt;&amp;d&#34;e&#39;f",  # Go, in HTML
    ],
)
def test_a_secret_is_found_as_other_languages_escape_it(written: str) -> None:
    assert Redactor(["a/b<c>&d\"e'f"]).text(f"-{written}-") == f"-{REDACTED}-"


@pytest.mark.parametrize(
    "written",
    [
        "a%20b!(c)%26d%2F%3F%C3%A9",  # encodeURIComponent
        "a%20b!(c)&d/?%C3%A9",  # encodeURI
        "a%20b!(c)&d%2F%3F%C3%A9",  # a segment of a path
        "a%20b!(c)&d/%3f%c3%a9",  # a path, in small letters
    ],
)
def test_a_secret_is_found_as_urls_write_it(written: str) -> None:
    assert Redactor(["a b!(c)&d/?é"]).text(f"-{written}-") == f"-{REDACTED}-"


def test_a_secret_in_html_is_redacted() -> None:
    assert Redactor(["a<b>&c'd"]).text("<p>a&lt;b&gt;&amp;c&#x27;d</p>") == f"<p>{REDACTED}</p>"


def test_a_secret_with_a_line_break_at_its_end_is_redacted_without_it_too() -> None:
    assert Redactor(["token-12345\n"]).text("Bearer token-12345") == f"Bearer {REDACTED}"


def test_a_secret_is_redacted_in_other_letter_cases_wherever_it_stands() -> None:
    assert Redactor(["Geheim-ΑΣ"]).text("geheim-αςx GEHEIM-ΑΣ") == f"{REDACTED}x {REDACTED}"
    assert Redactor(["geheim"]).text("İİ GeHeIm İ") == f"İİ {REDACTED} İ"


def test_secrets_that_overlap_are_redacted_together() -> None:
    assert Redactor(["abcdefgh", "fghijklm"]).text("<abcdefghijklm>") == f"<{REDACTED}>"


def test_redacting_takes_no_longer_for_what_resembles_a_long_secret() -> None:
    redactor = Redactor(["a" * 30_000, *(f"{number:040}" for number in range(1, 21))])
    text = ("a" * 29_999 + "b") * 30 + "0" * 100_000
    began = time.process_time()
    assert redactor.text(text) == text
    assert time.process_time() - began < 2.0  # an expression takes a minute


def test_a_short_secret_is_redacted_as_a_word_only() -> None:
    redactor = Redactor(["ab1"])
    assert redactor.text("Bearer ab1, 'ab1' ab12 xab1 密ab1") == (
        f"Bearer {REDACTED}, '{REDACTED}' ab12 xab1 密ab1"
    )
    assert redactor.value({"ab1": ["ab1", 1]}) == {REDACTED: [REDACTED, 1]}


def test_a_secret_that_is_a_number_is_redacted_as_a_number_if_it_is_long_enough() -> None:
    assert Redactor(["4711"]).value([4711, 47, "4711"]) == [REDACTED, 47, REDACTED]
    assert Redactor(["1"]).value([1, "1", True]) == [1, REDACTED, True]


@pytest.mark.parametrize(
    ("secret", "value"),
    [
        ("4711", 4711.0),
        ("004711", 4711),
        ("4711.50", 4711.5),
        ("12345678901234567", 12345678901234568),
    ],
)
def test_a_secret_is_redacted_as_the_number_that_a_service_reads_it_as(
    secret: str, value: float
) -> None:
    assert Redactor([secret]).value([value, 4712]) == [REDACTED, 4712]


def test_small_numbers_are_no_secrets_however_they_are_written() -> None:
    assert Redactor(["0001", "1.00"]).value([1, True, 1.0, "x"]) == [1, True, 1.0, "x"]


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
@pytest.mark.parametrize("user", ["", "a", "ab"])
def test_a_secret_in_base64_of_several_lines_is_redacted(line_break: str, user: str) -> None:
    secret = "s3cr3t-" * 20
    lines = base64.encodebytes(f"{user}:{secret}".encode()).decode().replace("\n", line_break)
    redacted = Redactor([secret]).text(f"Key:{line_break}{lines}end")
    left = redacted.removeprefix(f"Key:{line_break}").removesuffix("end").replace(REDACTED, "")
    assert REDACTED in redacted
    assert len(left.strip()) <= 8  # the user, and bits of the first and last characters


def test_lines_around_a_secret_in_base64_stay() -> None:
    encoded = base64.b64encode(b"s3cr3t-value").decode()
    text = f"one\r\n{encoded[:5]}\r\n{encoded[5:]}\r\ntwo\n"
    assert Redactor(["s3cr3t-value"]).text(text) == f"one\r\n{REDACTED}\r\ntwo\n"


def test_of_two_secrets_the_longer_one_is_found_first() -> None:
    assert Redactor(["token-1234", "token-1234-long"]).text("token-1234-long") == REDACTED


def test_no_secret_and_an_empty_one_redact_nothing() -> None:
    assert Redactor([]).value({"a": ["字"]}) == {"a": ["字"]}
    assert Redactor([""]).text("字") == "字"


def test_what_holds_no_secret_keeps_its_types() -> None:
    value = {"a": [1, 1.5, True, None, "字", {"b": []}], 3: "x"}
    assert Redactor(["secret-secret"]).value(value) == value


@with_value(st.text(min_size=1), st.text(), st.text())
def test_a_secret_of_any_text_never_stands_alone_in_what_is_left(
    secret: str, before: str, after: str
) -> None:
    redacted = Redactor([secret]).value({"t": f"{before} {secret} {after}", secret: [secret]})
    if secret.strip() and secret not in REDACTED:
        assert secret not in redacted
        assert [REDACTED] in redacted.values()


@with_value(st.text(min_size=6), st.text(), st.text())
def test_a_long_secret_is_in_no_text_that_is_left(secret: str, before: str, after: str) -> None:
    redacted = Redactor([secret]).text(before + secret + after)
    assert REDACTED in redacted
    assert secret in REDACTED or redacted.count(secret) <= (before + after).count(
        secret
    ) + redacted.count(REDACTED) * REDACTED.count(secret)
