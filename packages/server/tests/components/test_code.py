"""The component `code`: what JavaScript may do in its sandbox, and how it is stopped."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from component_use import using_components

from arcrun_server.engine import ComponentError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# One sandbox for all tests, as on a server.
pytestmark = pytest.mark.asyncio(loop_scope="module")

# Long enough to start on a busy machine, short enough for code that never ends.
QUICK = {"timeout_ms": 200}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def use() -> AsyncIterator[Any]:
    async with using_components() as run:
        yield run


async def outcome(use: Any, code: Any, value: Any = None, **more: Any) -> Any:
    return await use("code", {"code": code, "input": value, **more})


@pytest.mark.parametrize(
    ("code", "value", "data"),
    [
        ("return input", {"題": ["晨報", 1.5, None, True]}, {"題": ["晨報", 1.5, None, True]}),
        ("return input.a + 1", {"a": 2}, 3),
        ("", {}, None),
        ("return undefined", {}, None),
        (
            "return { kept: null, left: undefined, list: [undefined] }",
            {},
            {"kept": None, "list": [None]},
        ),
        ("return await Promise.resolve(input)", 5, 5),
        ("return Promise.all([1, Promise.resolve(2)])", {}, [1, 2]),
        ("for await (const one of [Promise.resolve(7)]) return one", {}, 7),
        ("return new Date(0)", {}, "1970-01-01T00:00:00.000Z"),
        ("'use strict'; return this === undefined || this === globalThis", {}, True),
        ("return 1 // 註解", {}, 1),
        ("return '😀'.length", {}, 2),
        ("return '{{input.a}}'", {"a": 1}, "{{input.a}}"),
        ("return /(?<年>\\d{4})/.exec(input).groups.年", "在2026年", "2026"),
    ],
)
async def test_code_is_the_body_of_a_function_and_its_value_is_data(
    use: Any, code: str, value: Any, data: Any
) -> None:
    assert await outcome(use, code, value) == {"success": True, "data": data}


@pytest.mark.parametrize(
    "text", ["", "你好", "é" * 40, "😀" * 20, "a" * 55, "a" * 56, "a" * 64, "a" * 5000]
)
async def test_sha256_is_the_hexadecimal_digest_of_the_utf_8(use: Any, text: str) -> None:
    result = await outcome(use, "return sha256(input)", text)
    assert result == {"success": True, "data": hashlib.sha256(text.encode()).hexdigest()}


async def test_sha256_replaces_half_of_a_surrogate_pair_as_utf_8_does(use: Any) -> None:
    code = "return sha256('\\ud800') === sha256('\\ufffd')"
    assert await outcome(use, code) == {"success": True, "data": True}


@pytest.mark.parametrize(
    "name",
    [
        *(
            "console",
            "fetch",
            "setTimeout",
            "queueMicrotask",
            "require",
            "process",
            "module",
            "std",
            "os",
        ),
        *(
            "performance",
            "navigator",
            "XMLHttpRequest",
            "WebAssembly",
            "Worker",
            "print",
            "gc",
            "atob",
        ),
        *("start", "poll", "TextEncoder", "crypto"),
    ],
)
async def test_nothing_beyond_the_language_is_there(use: Any, name: str) -> None:
    code = (
        "return [typeof globalThis[input], typeof constructor.constructor('return this')()[input]]"
    )
    assert await outcome(use, code, name) == {"success": True, "data": ["undefined", "undefined"]}


async def test_sha256_is_the_only_name_that_is_added(use: Any) -> None:
    code = (
        "const { configurable, writable } = Object.getOwnPropertyDescriptor(globalThis, 'sha256');"
        "return [configurable, writable, sha256.constructor === Function, Object.keys(globalThis)]"
    )
    assert await outcome(use, code) == {"success": True, "data": [True, True, True, []]}


@pytest.mark.parametrize(
    ("code", "error_type", "error"),
    [
        ("for (;;);", "TimeoutError", "the code took longer than 200 ms"),
        ("await 1; for (;;);", "TimeoutError", "the code took longer than 200 ms"),
        ("for (;;) await 1", "TimeoutError", "the code took longer than 200 ms"),
        ("try { for (;;); } finally { return 1 }", "TimeoutError", "the code took longer than 200 ms"),
        ("return /(a+)+b/.test('a'.repeat(50))", "TimeoutError", "the code took longer than 200 ms"),
        ("return { get a() { for (;;); } }", "TimeoutError", "the code took longer than 200 ms"),
        ("return new Proxy({}, { ownKeys() { for (;;); } })", "TimeoutError", "the code took longer than 200 ms"),
        ("Error.prepareStackTrace = () => { for (;;); }; null.a", "TimeoutError", "the code took longer than 200 ms"),
        ("function f() { return f() + 1 } f()", "ResourceError", "the code calls functions, or nests values, too deeply"),
        (
            "let d = []; for (let i = 0; i < 100000; i++) d = [d]; return d",
            "ResourceError",
            "the code calls functions, or nests values, too deeply",
        ),
        ("const a = []; a[0] = 'x'.repeat(1e9)", "ResourceError", "the code needs more than 16 MiB of memory"),
        ("return new ArrayBuffer(1e9)", "ResourceError", "the code needs more than 16 MiB of memory"),
        ("let a = []; for (;;) a.push(new Array(1000).fill(1))", "ResourceError", "the code needs more than 16 MiB of memory"),
        ("function f() { let a = []; for (;;) a.push({}) } return f()", "ResourceError", "the code needs more than 16 MiB of memory"),
        ("try { let a = []; for (;;) a.push({}) } catch (e) { throw e }", "ResourceError", "the code needs more than 16 MiB of memory"),
        ("if (input) throw new Error(1); let a = []; for (;;) a.push({})", "ResourceError", "the code needs more than 16 MiB of memory"),
        ("let s = 'a'; for (;;) s += s", "ResourceError", "the code needs more than 16 MiB of memory"),
        ("return 'x'.repeat(1048575)", "ResourceError", "the returned value is larger than 1,048,576 bytes"),
        ("return '字'.repeat(350000)", "ResourceError", "the returned value is larger than 1,048,576 bytes"),
        ("return 1n", "ContractError", "the returned value is a BigInt, which JSON has no form for"),
        ("return NaN", "ContractError", "the returned value is NaN, which JSON has no form for"),
        ("return { 價: 1 / 0 }", "ContractError", "`價` of the returned value is Infinity, which JSON has no form for"),
        ("return [() => 1]", "ContractError", "`0` of the returned value is a function, which JSON has no form for"),
        ("return { s: Symbol() }", "ContractError", "`s` of the returned value is a symbol, which JSON has no form for"),
        ("return { m: new Map() }", "ContractError", "`m` of the returned value is a Map, which JSON has no form for"),
        ("return new Set([1])", "ContractError", "the returned value is a Set, which JSON has no form for"),
        ("const a = {}; a.a = a; return a", "ContractError", "the returned value is a cycle, which JSON has no form for"),
        (
            "return '\\ud800'",
            "ContractError",
            "the returned value has a text with half of a surrogate pair or NUL",
        ),
        ("return { '\\0': 1 }", "ContractError", "the returned value has a text with half of a surrogate pair or NUL"),
        ("throw null", "UserCodeError", "the code threw null, as it also does when no memory is left for an error"),
        ("let n = null; throw n", "UserCodeError", "the code threw null, as it also does when no memory is left for an error"),
        ("return Promise.reject(null)", "UserCodeError", "the code threw null, as it also does when no memory is left for an error"),
        ("throw { get message() { throw 1 } }", "UserCodeError", "the code threw a value that can't be read"),
        ("throw 'a\\u001b[2Jb\\n'", "UserCodeError", "the code threw a [2Jb "),
        ("\n\n  null.a", "UserCodeError", "line 3, column 3: TypeError: cannot read property 'a' of null"),
        ("let a = ;", "UserCodeError", "line 1, column 9: SyntaxError: unexpected token in expression: ';'"),
        ("await 1\nthrow new RangeError('太大')", "UserCodeError", "line 2, column 11: RangeError: 太大"),
        ("return { get a() { throw new Error('讀') } }", "UserCodeError", "line 1, column 30: Error: 讀"),
        ("return sha256(1)", "UserCodeError", "line 1, column 8: TypeError: sha256 takes a text, and not number"),
        (
            "return new Promise(() => {})",
            "UserCodeError",
            "the code waits for a promise that nothing settles; there are no timers and no requests",
        ),
        ("return import('fs')", "UserCodeError", "ReferenceError: could not load module 'fs'"),
    ],
)  # fmt: skip
async def test_code_that_fails_says_why(use: Any, code: str, error_type: str, error: str) -> None:
    assert await outcome(use, code, limits=QUICK) == {
        "success": False,
        "error": error,
        "error_type": error_type,
    }


@pytest.mark.parametrize(
    "code",
    [
        "return new Array(3e8).indexOf(1)",
        "return 'a'.repeat(1 << 20).split('')",
        "return Array.from({ length: 1e7 }).sort()",
        "return '字'.repeat(4e6).replace(/字/g, '$&$&$&$&')",
        "let b = 2n; for (;;) b = b * b",
        "return [].concat.apply([], new Array(200000))",
        "Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0, 60000)",
    ],
)
async def test_work_of_the_engine_itself_is_stopped_too(use: Any, code: str) -> None:
    result = await outcome(use, code, limits=QUICK)
    assert result["success"] is False
    assert result["error_type"] in {"TimeoutError", "ResourceError", "UserCodeError"}
    assert (await outcome(use, "return 1"))["data"] == 1


async def test_a_long_message_is_cut(use: Any) -> None:
    result = await outcome(use, "throw new Error('長'.repeat(100000))")
    assert result["error_type"] == "UserCodeError"
    assert len(result["error"]) == 500


async def test_no_call_sees_what_another_left(use: Any) -> None:
    left = (
        "globalThis.secret = 1; Object.prototype.polluted = 2; Array.prototype.map = null; JSON.stringify = () => '3';"
        "Promise.prototype.then = null; String.prototype.slice = null; sha256 = () => 4; Reflect.apply = null; return 5"
    )
    seen = (
        "return [globalThis.secret, {}.polluted, typeof [].map, typeof ''.slice, sha256('').slice(0, 6), "
        "JSON.stringify([6])]"
    )
    for _ in range(3):
        assert await outcome(use, left) == {"success": True, "data": 5}
        result = await outcome(use, seen)
        assert result["data"] == [None, None, "function", "function", "e3b0c4", "[6]"]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({}, "`code` is missing; give it in the node's config"),
        ({"code": 1}, "`code` must be text, but it is the number 1"),
        ({"code": "/" * (256 * 1024 + 1)}, "`code` is larger than 262,144 bytes"),
        ({"code": "字" * 100_000}, "`code` is larger than 262,144 bytes"),
        ({"code": "1", "limits": 3}, "`limits` must be an object, but it is the number 3"),
        ({"code": "1", "limits": {"timeout": 3}}, "`limits` has no 'timeout'; did you mean 'timeout_ms'?"),
        ({"code": "1", "limits": {"timeout_ms": 0}}, "`limits.timeout_ms` must be a whole number from 1 to 10,000"),
        ({"code": "1", "limits": {"timeout_ms": True}}, "`limits.timeout_ms` must be a whole number from 1 to 10,000"),
        (
            {"code": "1", "limits": {"max_output_bytes": 2**21}},
            "`limits.max_output_bytes` must be a whole number from 1 to 1,048,576",
        ),
    ],
)  # fmt: skip
async def test_wrong_parameters_are_contract_errors(
    use: Any, given: dict[str, Any], error: str
) -> None:
    result = await use("code", given)
    assert result == {"success": False, "error": error, "error_type": "ContractError"}


@pytest.mark.parametrize(("most", "fits"), [(5, True), (4, False)])
async def test_the_output_may_be_as_large_as_its_limit(use: Any, most: int, fits: bool) -> None:
    result = await outcome(use, "return '字'", limits={"max_output_bytes": most})
    assert result["success"] is fits


async def test_the_largest_output_and_a_large_input_go_through(use: Any) -> None:
    text = "x" * (1024 * 1024 - 2)
    assert await outcome(use, "return input", text) == {"success": True, "data": text}


async def test_the_code_is_the_nodes_own(use: Any) -> None:
    result = await use("code", {"code": "return 'stranger'"}, own={}, written={})
    assert result["error"] == "`code` is missing; give it in the node's config"


async def test_the_input_may_be_that_of_the_context(use: Any) -> None:
    given = {"code": "return input", "input": {"來自": "前面"}}
    own = {"code": "return input"}
    assert (await use("code", given, own=own, written=own))["data"] == {"來自": "前面"}
    assert (await use("code", own))["data"] == {}


async def test_no_secret_enters_the_sandbox(use: Any) -> None:
    with pytest.raises(ComponentError, match="code can't be handed the credential tok:"):
        await use("code", {"code": "return 1"}, credentials=frozenset({"tok"}))


async def test_an_input_of_too_many_values_needs_too_much_memory(use: Any) -> None:
    result = await outcome(use, "return 1", [{"a": number} for number in range(200_000)])
    assert result["error_type"] == "ResourceError"
    assert result["error"] == "the code needs more than 16 MiB of memory"
