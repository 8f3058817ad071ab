"""What breaks users of a small SDK that is built like the real one."""

from pathlib import Path

import pytest

from scripts.release.compatibility import python
from scripts.release.compatibility.differences import Difference
from scripts.release.compatibility.reading import PartUnreadable

FILES = {
    "__init__.py": """
from typing import TYPE_CHECKING
from ._core.types import ArcrunError, Kind, NotFoundError, Result
if TYPE_CHECKING:
    from ._async.client import AsyncArcrun
    from ._sync.client import Arcrun
__all__ = ["Arcrun", "ArcrunError", "AsyncArcrun", "Kind", "NotFoundError", "Result"]
""",
    "_core/__init__.py": "",
    "_core/types.py": """
from typing import Literal, TypedDict
Kind = Literal["a", "b"]
class ArcrunError(Exception):
    code: str | None
class NotFoundError(ArcrunError):
    pass
class _Result(TypedDict):
    name: str
class Result(_Result, total=False):
    count: int
""",
    **{
        f"_{kind}/{name}.py": text
        for kind in ("sync", "async")
        for name, text in {
            "__init__": "",
            "creds": """
from arcrun._core.types import Kind, Result
class Creds:
    def push(self, name: str, value: str, *, kind: Kind | None = None, timeout: float = 5.0) -> Result: ...
    def list(self) -> list[Result]: ...
    def _hidden(self, a: int) -> None: ...
""",
            "client": f"""
from arcrun._core.resource import resource
from .creds import Creds
class {"Async" if kind == "async" else ""}Arcrun:
    creds: Creds = resource(Creds)
    def __init__(self, key: str, *, base_url: str | None = None) -> None: ...
    def health(self) -> dict[str, str]: ...
""",
        }.items()
    },
}


def write(root: Path) -> Path:
    for name, text in FILES.items():
        path = root / python.SOURCE / "arcrun" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


def found(tmp_path: Path, *changes: tuple[str, str, str]) -> list[Difference]:
    """Return the differences after some texts of some files were replaced."""
    old, new = write(tmp_path / "old"), write(tmp_path / "new")
    for file, before, after in changes:
        path = new / python.SOURCE / "arcrun" / file
        text = path.read_text("utf-8")
        assert before in text
        path.write_text(text.replace(before, after, 1), "utf-8")
    return python.differences(old, new)


def both(file: str, before: str, after: str) -> tuple[tuple[str, str, str], ...]:
    return tuple((f"{folder}/{file}", before, after) for folder in ("_sync", "_async"))


def test_an_sdk_that_is_the_same_has_no_difference(tmp_path: Path) -> None:
    assert found(tmp_path) == []


def test_a_release_without_the_sdk_has_nothing_to_compare(tmp_path: Path) -> None:
    assert python.differences(tmp_path, write(tmp_path / "new")) == []


PUSH = "name: str, value: str, *, kind: Kind | None = None"


@pytest.mark.parametrize(
    ("before", "after", "member", "what"),
    [
        ("value: str, ", "", "value", "was removed"),
        ("kind: Kind | None = None", "kind: Kind | None", "kind", "became required"),
        ("value: str, ", "value: str, extra: int, ", "extra", "was added and is required"),
        ("name: str, value: str", "value: str, name: str", "name", "moved to another position"),
        ("value: str, *,", "*, value: str,", "value", "is given in another way"),
        ("name: str", "name: int", "name", "changed its type"),
        ("kind: Kind | None = None", "kind: None = None", "kind", "narrowed its type"),
        ("-> Result", "-> Result | None", "", "widened its result"),
    ],
)
def test_a_method_that_asks_for_more_or_gives_less_breaks(
    tmp_path: Path, before: str, after: str, member: str, what: str
) -> None:
    differences = found(tmp_path, *both("creds.py", before, after))
    assert Difference("python", "creds.push", member, what, breaking=True) in differences


@pytest.mark.parametrize(
    ("before", "after", "member", "what"),
    [
        (", timeout: float", ", retries: int = 2, timeout: float", "retries", "was added"),
        ("name: str", "name: str | int", "name", "widened its type"),
        ("timeout: float = 5.0", "timeout: float = 6.0", "timeout", "has another default"),
    ],
)
def test_a_method_that_takes_more_breaks_nobody(
    tmp_path: Path, before: str, after: str, member: str, what: str
) -> None:
    differences = found(tmp_path, *both("creds.py", before, after))
    assert differences == [Difference("python", "creds.push", member, what, breaking=False)]


def test_a_difference_of_one_client_is_found(tmp_path: Path) -> None:
    (difference,) = found(tmp_path, ("_async/creds.py", "value: str, ", ""))
    assert difference.names == ("creds.push", "value")


def test_a_type_is_compared_by_what_its_name_stands_for(tmp_path: Path) -> None:
    differences = found(tmp_path, ("_core/types.py", '["a", "b"]', '["a"]'))
    (difference,) = differences
    assert (difference.names, difference.breaking) == (("creds.push", "kind"), True)


@pytest.mark.parametrize(
    ("file", "before", "after", "names"),
    [
        ("_core/types.py", "name: str", "title: str", ("Result.name",)),
        ("_core/types.py", "count: int", "count: int | None", ("Result", "count")),
        (
            "_core/types.py",
            "Result(TypedDict)",
            "Result(TypedDict, total=False)",
            ("Result", "name"),
        ),
        (
            "_core/types.py",
            "Error(ArcrunError)",
            "Error(Exception)",
            ("NotFoundError", "ArcrunError"),
        ),
        ("_core/types.py", "    code: str | None", "    pass", ("ArcrunError.code",)),
        ("__init__.py", '"Result"]', "]", ("Result",)),
        ("_sync/client.py", "key: str, ", "", ("Arcrun", "key")),
        ("_sync/client.py", "    def health", "    def _health", ("Arcrun.health",)),
        ("_sync/creds.py", "    def list", "    def _list", ("creds.list",)),
        ("_sync/client.py", "    creds: ", "    _creds: ", ("creds",)),
    ],
)
def test_what_users_can_no_longer_reach_or_rely_on_breaks(
    tmp_path: Path, file: str, before: str, after: str, names: tuple[str, ...]
) -> None:
    breaking = [each.names for each in found(tmp_path, (file, before, after)) if each.breaking]
    assert names in breaking


def test_a_private_method_is_nobodys(tmp_path: Path) -> None:
    assert found(tmp_path, ("_sync/creds.py", "_hidden(self, a: int)", "_hidden(self)")) == []


def test_what_was_added_breaks_nobody(tmp_path: Path) -> None:
    differences = found(
        tmp_path,
        ("_core/types.py", "count: int", "count: int\n    size: int"),
        ("_sync/creds.py", "    def list", "    def get(self) -> Result: ...\n    def list"),
    )
    assert [(each.symbol, each.breaking) for each in differences] == [
        ("Result.size", False),
        ("creds.get", False),
    ]


@pytest.mark.parametrize("file", ["__init__.py", "_sync/creds.py"])
@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"x = (\n", "is not valid Python: '\\(' was never closed in line 1"),
        (b"a = 1\0", "is not valid Python: "),
        (b"\xff", "is not UTF-8: see its byte 0"),
    ],
)
def test_a_module_that_is_no_python_is_named_with_the_reason(
    tmp_path: Path, file: str, text: bytes, why: str
) -> None:
    old, new = write(tmp_path / "old"), write(tmp_path / "new")
    (new / python.SOURCE / "arcrun" / file).write_bytes(text)
    with pytest.raises(PartUnreadable, match=f"^packages/python-sdk/src/arcrun/{file} {why}"):
        python.differences(old, new)


@pytest.mark.parametrize(
    ("file", "before", "after", "name"),
    [
        ("__init__.py", '"Result"]', '"Result", "None_"]', "None_"),
        ("_core/types.py", "NotFoundError", "Other", "NotFoundError"),
        ("_sync/client.py", "import Creds", "import Other as Creds", "creds"),
        ("_sync/client.py", "creds: Creds =", "creds =", "creds"),
    ],
)
def test_a_name_behind_which_is_nothing_is_named(
    tmp_path: Path, file: str, before: str, after: str, name: str
) -> None:
    with pytest.raises(PartUnreadable, match=f"^packages/python-sdk/src/arcrun .*`{name}`"):
        found(tmp_path, (file, before, after))


def test_an_sdk_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(PartUnreadable, match=r"^packages/python-sdk/src/arcrun/__init__\.py can't"):
        python.differences(write(tmp_path / "old"), tmp_path)
