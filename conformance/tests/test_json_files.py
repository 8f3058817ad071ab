"""JSON files of others: each ends in a value that can be written again, or in a problem with its file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from arcrun_conformance.cli import COULD_NOT_RUN, main
from arcrun_conformance.documents import DocumentError
from arcrun_conformance.json_files import read_json

if TYPE_CHECKING:
    from pathlib import Path

UNREADABLE = {
    b"no json": "can't be read: Expecting value",
    b'["\xff"]': "can't be read: 'utf-8' codec can't decode byte 0xff",
    b"[" * 100_000: "can't be read: nested more than 200 levels deep",
    b"[NaN]": "can't be read: the number NaN is not representable in JSON",
    b"[1e999]": "can't be read: the number 1e999 is not representable in JSON",
    b"[" + b"1" * 5000 + b"]": "can't be read: Exceeds the limit (4300 digits)",
    b"[1" + b"0" * 5000 + b".0]": "can't be read: the number 1000",
}


@pytest.mark.parametrize("content", UNREADABLE, ids=lambda content: content[:8].decode("latin-1"))
def test_a_file_that_is_no_json_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "given.json"
    path.write_bytes(content)
    with pytest.raises(DocumentError) as caught:
        read_json(path, "report", "report")
    (problem,) = str(caught.value).splitlines()
    assert problem.startswith(f"{path}: {UNREADABLE[content]}")
    assert len(problem) < 400 + len(str(path))
    assert "sys." not in problem, "advice for programs"


def test_a_file_that_is_missing_or_of_another_kind_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"given\.json: can't be read: .*No such file"):
        read_json(tmp_path / "given.json", "report", "report")
    path = tmp_path / "other.json"
    path.write_text('[{"file": "a", "sha256": 1}]', "utf-8")
    expected = r"other\.json: is no list of artifacts: 0\.sha256: 1 is not .*\n    Make one\."
    with pytest.raises(DocumentError, match=expected):
        read_json(path, "report", "list of artifacts", "artifacts", "Make one.")


def test_a_file_that_is_no_json_comes_with_the_advice_where_to_get_one(tmp_path: Path) -> None:
    path = tmp_path / "empty.har"
    path.touch()
    with pytest.raises(DocumentError, match=r"empty\.har: can't be read: .*\n    Make one\."):
        read_json(path, "recording", "recording", hint="Make one.")


def test_lone_surrogates_are_replaced_so_that_the_value_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / "given.json"
    artifact = {"file": "a\ud800", "sha256": "0a" * 32}
    path.write_text(json.dumps([artifact]), "utf-8")
    assert read_json(path, "report", "list", "artifacts") == [
        {"file": "a\N{REPLACEMENT CHARACTER}", "sha256": "0a" * 32}
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--report-dir", "reports", "--artifacts"],
        ["merge"],
        ["parity"],
        ["replay"],
        ["export", "--format", "arazzo", "out.yaml", "--openapi"],
    ],
    ids=" ".join,
)
def test_each_command_that_reads_such_a_file_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    path = tmp_path / "given.json"
    path.write_text("[" * 100_000, "utf-8")
    assert main([*arguments, str(path)]) == COULD_NOT_RUN
    printed = capsys.readouterr().err
    assert f"{path}" in printed
    assert "levels deep" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--gate", "--gate-file"],
        ["run", "--adapters"],
        ["list", "--sdks", "--adapters"],
        ["validate", "--adapters"],
    ],
    ids=" ".join,
)
def test_each_command_that_reads_yaml_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    path = tmp_path / "given.yaml"
    path.write_text("[" * 100_000, "utf-8")
    assert main([*arguments, str(path)]) == COULD_NOT_RUN
    assert "given.yaml:1: can't be read: nested more than 100" in capsys.readouterr().err
