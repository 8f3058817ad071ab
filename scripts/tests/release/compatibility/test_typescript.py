"""What breaks users of a small package, by its API report."""

from pathlib import Path

import pytest

from scripts.release.compatibility import report, typescript
from scripts.release.compatibility.differences import Difference
from scripts.release.compatibility.reading import PartUnreadable

REPORT = """## API Report File for "@arcrun/sdk"

```ts

// @public
export class ArcrunError extends Error {
    stored?: readonly string[];
}

// @public
export class NotFoundError extends ArcrunError {
}

// @public
export interface CallOptions {
    // (undocumented)
    timeout?: number | undefined;
}

// @public
export interface PushOptions extends CallOptions {
    kind?: Kind | undefined;
}

// @public
interface Credential_2 extends Open {
    // (undocumented)
    name: string;
    nested?: {
        a: string;
    };
    total?: number;
}
export { Credential_2 as Credential }

// @public
export class Creds {
    constructor(options?: CallOptions);
    list<T = any>(name?: string): Promise<Credential[]>;
    push(name: string, value: string, options?: PushOptions): Promise<Credential>;
}

// @public
export type Kind = "a" | "b";

// @public
export interface Services {
    github: "github_token";
}

// @public
export const version = "0.1.0";

```
"""


def found(tmp_path: Path, *changes: tuple[str, str]) -> list[Difference]:
    """Return the differences after some texts of the report were replaced."""
    text = REPORT
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    for name, content in (("old", REPORT), ("new", text)):
        path = tmp_path / name / typescript.REPORT
        path.parent.mkdir(parents=True)
        path.write_text(content, "utf-8")
    return typescript.differences(tmp_path / "old", tmp_path / "new")


@pytest.mark.parametrize(
    ("before", "after", "names", "what"),
    [
        ("value: string, ", "", ("Creds.push", "value"), "was removed"),
        ("value: string", "extra: string, value: string", ("Creds.push", "extra"), "was added and"),
        ("name?: string", "name: string", ("Creds.list", "name"), "became required"),
        ("name: string, value: string", "value: string, name: string", ("Creds.push", "name"), "moved"),
        ("value: string,", "value: number,", ("Creds.push", "value"), "changed its type"),
        ("list<T = any>", "list<T>", ("Creds.list",), "has the type parameters"),
        ("Promise<Credential>", "Promise<Credential | null>", ("Creds.push",), "widened its result"),
        ('"a" | "b"', '"a"', ("Kind",), "narrowed its type"),
        ("    total?: number;\n", "", ("Credential.total",), "was removed"),
        ("    name: string;\n", "    name?: string;\n", ("Credential.name",), "may be missing"),
        ("total?: number", "total?: number | string", ("Credential.total",), "widened its type"),
        ("kind?: Kind", "kind: Kind", ("PushOptions.kind",), "became required"),
        ("    kind?: Kind", "    size: number;\n    kind?: Kind", ("PushOptions.size",), "was added and"),
        ("timeout?: number |", "timeout?: string |", ("CallOptions.timeout",), "changed its type"),
        ("NotFoundError extends ArcrunError", "NotFoundError extends Error", ("NotFoundError", "ArcrunError"), "above"),
        ("constructor(options?: CallOptions)", "constructor(key: string)", ("Creds", "key"), "was added and"),
        ("export interface Services", "interface Services", ("Services",), "was removed"),
        ("export class Creds {", "export interface Creds {", ("Creds",), "became the kind"),
        ("a: string;", "a: number;", ("Credential.nested",), "changed its type"),
    ],
)  # fmt: skip
def test_what_asks_for_more_or_gives_less_breaks(
    tmp_path: Path, before: str, after: str, names: tuple[str, ...], what: str
) -> None:
    breaking = [each for each in found(tmp_path, (before, after)) if each.breaking]
    assert any(each.names == names and what in each.what for each in breaking), breaking


@pytest.mark.parametrize(
    ("before", "after", "symbol"),
    [
        ("value: string,", "value: string | URL,", "Creds.push"),
        ("Promise<Credential>", 'Promise<Credential & "x">', None),
        ("name?: string", "name?: string, page?: number", "Creds.list"),
        ("    total?: number;\n", "    total: number;\n", "Credential.total"),
        ("    total?: number;\n", "    total?: number;\n    size: number;\n", "Credential.size"),
        ("    kind?: Kind", "    size?: number;\n    kind?: Kind", "PushOptions.size"),
        ("kind?: Kind |", "kind?: Kind | null |", "PushOptions.kind"),
        ('github: "github_token";', 'github: "github_token";\n    notion: "t";', "Services.notion"),
        ("export type Kind", "export type Level = 1;\n\n// @public\nexport type Kind", "Level"),
        ('version = "0.1.0"', 'version = "0.1.1"', ""),
    ],
)
def test_what_takes_or_gives_more_breaks_nobody(
    tmp_path: Path, before: str, after: str, symbol: str | None
) -> None:
    differences = found(tmp_path, (before, after))
    if symbol is None:  # what it is can't be told, so it counts as a break
        assert [each.breaking for each in differences] == [True]
    else:
        assert [(each.symbol, each.breaking) for each in differences] == (
            [(symbol, False)] if symbol else []
        )


def test_a_member_that_moved_to_the_interface_above_is_still_there(tmp_path: Path) -> None:
    moved = (
        ("    kind?: Kind | undefined;\n", ""),
        ("    timeout?", "    kind?: Kind | undefined;\n    timeout?"),
    )
    differences = found(tmp_path, *moved)
    assert [(each.symbol, each.breaking) for each in differences] == [("CallOptions.kind", False)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing", "has no block of TypeScript"),
        ("```ts\nnamespace A {\n}\n```", "a statement of an unknown form: namespace A"),
        ("```ts\nexport class A {\n    get;\n}\n```", "a member of an unknown form: get"),
        ("```ts\nexport class A {\n    get(a): b;\n}\n```", "a parameter of an unknown form: a"),
    ],
)
def test_a_report_that_is_not_understood_is_an_error(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        report.read(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"nothing", "is not understood: the API report has no block of TypeScript"),
        (b"\xff", "is not UTF-8: see its byte 0"),
        (None, "can't be read: No such file"),
    ],
)
def test_a_report_that_can_not_be_read_is_named_with_the_reason(
    tmp_path: Path, text: bytes | None, why: str
) -> None:
    found(tmp_path)
    path = tmp_path / "new" / typescript.REPORT
    path.unlink()
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(PartUnreadable, match=f"^packages/js-sdk/etc/sdk.api.md {why}"):
        typescript.differences(tmp_path / "old", tmp_path / "new")


def test_a_class_that_is_above_itself_is_compared(tmp_path: Path) -> None:
    circle = ("ArcrunError extends Error", "ArcrunError extends NotFoundError")
    assert ("ArcrunError", "Error") in [each.names for each in found(tmp_path, circle)]
