"""Which version a checkout may be released as, in clones of this one that have had a release."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.release import changelog
from scripts.release.clones import clone
from scripts.release.compatibility import __main__ as command
from scripts.release.compatibility.baseline import (
    FIRST,
    UnknownBaseline,
    last_release,
    release_numbers,
)
from scripts.release.compatibility.differences import Difference
from scripts.release.compatibility.gate import (
    Incompatible,
    compare,
    lines,
    next_version,
    problem_of,
    require_compatible,
)
from scripts.release.compatibility.reading import PartUnreadable
from scripts.release.next_release import begin_next_release
from scripts.release.versions import agreed_version

CREDS = "packages/python-sdk/src/arcrun/_sync/creds.py"
REPORT = "packages/js-sdk/etc/sdk.api.md"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clone(tmp_path_factory.mktemp("compatibility") / "checkout")


@pytest.fixture
def checkout(shared: Path) -> Iterator[Path]:
    head = git(shared, "rev-parse", "HEAD")
    yield shared
    git(shared, "reset", "--quiet", "--hard", head)
    for tag in git(shared, "tag").split():
        git(shared, "tag", "--delete", tag)


def git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=測試", "-c", "user.email=test@example.invalid")
    ran = subprocess.run(
        ["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True
    )
    return ran.stdout.strip()


def replace(root: Path, file: str, before: str, after: str) -> None:
    text = (root / file).read_text("utf-8")
    assert before in text
    (root / file).write_text(text.replace(before, after, 1), "utf-8")


def remove_a_parameter(root: Path) -> None:
    replace(root, CREDS, "        sensitivity: Sensitivity | None = None,\n", "")


def narrow_a_type(root: Path) -> None:
    replace(root, REPORT, 'type Sensitivity = "standard" | "high"', 'type Sensitivity = "high"')


def require_a_field(root: Path) -> None:
    required = "required: [name, value"
    replace(root, "openapi/arcrun.yaml", f"{required}]", f"{required}, service]")


def remove_a_scenario(root: Path) -> None:
    replace(root, "conformance/gate.yaml", "      - account-names\n", "")


BREAKS = [
    (remove_a_parameter, "`creds.push` has no `sensitivity` any more."),
    (narrow_a_type, "`Sensitivity` is always high."),
    (require_a_field, "`CredentialPush` needs `service`."),
    (remove_a_scenario, "`account-names` is gone."),
]


@pytest.mark.parametrize(("add", "said"), BREAKS)
def test_a_break_needs_a_minor_version_and_a_line_in_the_changelog(
    checkout: Path, add: Callable[[Path], None], said: str
) -> None:
    add(checkout)
    minor = begin_next_release(checkout, minor=True, breaking=[said])
    against = last_release(checkout, minor)
    assert against is not None
    compared = compare(checkout, against)
    assert [each.breaking for each in compared.differences] == [True]

    named = changelog.text_of(checkout, minor)
    major, number, patch = release_numbers(against.version)
    too_low = problem_of(f"{major}.{number}.{patch + 1}", named, compared)
    assert f"is too low after {against.version}" in too_low
    assert "CHANGELOG.md" not in too_low
    unnamed = problem_of(minor, "- It is faster.", compared)
    assert "names these in no item" in unnamed
    assert "too low" not in unnamed
    assert problem_of(minor, named, compared) == ""


def test_a_release_that_says_what_broke_is_compatible(checkout: Path) -> None:
    remove_a_parameter(checkout)
    minor = begin_next_release(
        checkout, minor=True, breaking=["`creds.push` without `sensitivity`"]
    )
    figures = require_compatible(checkout, minor)
    last = git(checkout, "tag")
    assert figures == {"against": last, "breaking": 1, "additions": 0, "at_least": minor}


def test_a_patch_is_enough_where_nothing_broke(checkout: Path) -> None:
    replace(
        checkout,
        "conformance/gate.yaml",
        "      - account-names\n",
        "      - account-names\n      - new\n",
    )
    patch = begin_next_release(checkout)
    figures = require_compatible(checkout, patch)
    assert figures["breaking"] == 0
    assert figures["additions"] == 1
    assert figures["at_least"] == patch


def test_a_version_that_was_released_is_not_released_again(checkout: Path) -> None:
    version = agreed_version(checkout)
    git(checkout, "tag", f"v{version}")
    git(checkout, "commit", "--quiet", "--allow-empty", "-m", "later")
    with pytest.raises(Incompatible, match=rf"{version} is released already .* is \d"):
        require_compatible(checkout, version)


def test_without_a_tag_it_is_the_first_release_and_says_so(checkout: Path) -> None:
    assert require_compatible(checkout, agreed_version(checkout)) == {"against": FIRST}
    next_one = begin_next_release(checkout)
    last = git(checkout, "tag")
    git(checkout, "tag", "--delete", last)
    figures = require_compatible(checkout, next_one)
    assert figures == {"against": FIRST, "without_a_tag": last.removeprefix("v")}


def test_the_tag_of_this_release_is_not_the_last_one(checkout: Path) -> None:
    git(checkout, "tag", "--annotate", "v0.5.0", "-m", "released")
    assert last_release(checkout, "0.5.0") is None
    found = last_release(checkout, "0.5.1")
    assert found is not None
    assert (found.name, found.commit) == ("v0.5.0", git(checkout, "rev-parse", "HEAD"))


def test_the_highest_release_before_it_counts(checkout: Path) -> None:
    side = git(checkout, "commit-tree", "HEAD^{tree}", "-m", "of another branch")
    git(checkout, "tag", "v9.0.0", side)
    for name in ("v0.9.0", "v0.10.0", "v0.11.0rc1", "v0.11", "preview-v7.0.0", "v0.0.٣", "v٩.0.0"):
        git(checkout, "tag", name)
    found = last_release(checkout, "0.11.0")
    assert found is not None
    assert found.version == "0.10.0"


def test_a_shallow_checkout_without_the_tags_of_earlier_releases_is_refused(
    checkout: Path, tmp_path: Path
) -> None:
    version = begin_next_release(checkout)
    git(checkout, "commit", "--quiet", "-a", "-m", "next")
    shallow = tmp_path / "shallow"
    source = checkout.as_uri()
    git(tmp_path, "clone", "--quiet", "--depth", "1", "--no-tags", source, str(shallow))
    with pytest.raises(UnknownBaseline, match="run git fetch --unshallow --tags"):
        require_compatible(shallow, version)


@pytest.mark.parametrize(
    ("last", "kinds", "expected"),
    [
        ("0.1.2", [], "0.1.3"),
        ("0.1.2", [False], "0.1.3"),
        ("0.1.2", [False, True], "0.2.0"),
        ("1.4.2", [], "1.4.3"),
        ("1.4.2", [False], "1.5.0"),
        ("1.4.2", [True], "2.0.0"),
    ],
)
def test_the_next_version_is_that_of_semantic_versioning(
    last: str, kinds: list[bool], expected: str
) -> None:
    differences = [Difference("python", "a", "", "", breaking=each) for each in kinds]
    assert next_version(last, differences) == expected


def test_numbers_are_compared_and_what_marks_a_pre_release_is_not() -> None:
    assert release_numbers("0.10.0rc1") > release_numbers("0.9.9")


def test_the_next_version_is_printed_with_a_line_for_each_reason(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([], checkout) == 0
    assert FIRST in capsys.readouterr().out
    remove_a_parameter(checkout)
    assert command.main(["--against", "HEAD"], checkout) == 0
    last = agreed_version(checkout)
    minor = next_version(last, [Difference("python", "a", "", "", breaking=True)])
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"the next version must be at least {minor}: 1 breaking differences and 0 additions since {last} (HEAD)",
        "  breaking  python      creds.push `sensitivity` was removed",
        "CHANGELOG.md names these in no item `- **Breaking**: …`:",
        "  `creds.push` and `sensitivity`",
    ]


@pytest.mark.parametrize("revision", ["no-such-tag", "--all", ""])
def test_a_revision_that_is_none_is_a_sentence(
    checkout: Path, capsys: pytest.CaptureFixture[str], revision: str
) -> None:
    if not revision:  # an empty one is none at all
        assert command.main([f"--against={revision}"], checkout) == 0
        return
    assert command.main([f"--against={revision}"], checkout) == 2
    assert f"has no commit '{revision}'" in capsys.readouterr().err


def test_a_file_that_can_not_be_compared_is_a_sentence(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(checkout, "tag", "v0.0.1")
    replace(checkout, CREDS, "class Creds", "klass Creds")
    version = agreed_version(checkout)
    with pytest.raises(PartUnreadable, match=f"^{CREDS} is not valid Python") as caught:
        require_compatible(checkout, version)
    assert command.main(["--against", "HEAD"], checkout) == 2
    assert capsys.readouterr().err == f"{caught.value}\n"


def test_an_earlier_commit_that_can_not_be_compared_is_named(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replace(checkout, CREDS, "class Creds", "klass Creds")
    git(checkout, "commit", "--quiet", "-a", "-m", "damaged")
    commit = git(checkout, "rev-parse", "HEAD")
    replace(checkout, CREDS, "klass Creds", "class Creds")
    assert command.main(["--against", "HEAD"], checkout) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"{CREDS} of HEAD ({commit[:12]}) is not valid Python")
    assert "compare with another commit: nox -s next_version -- --against REV" in error


@pytest.mark.parametrize("content", ["version = 1\n", "\udcff"])
def test_an_earlier_commit_without_a_version_is_named(
    checkout: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    file = "packages/python-sdk/src/arcrun/_version.py"
    (checkout / file).write_text(content, "utf-8", "surrogateescape")
    git(checkout, "commit", "--quiet", "-a", "-m", "damaged")
    assert command.main(["--against", "HEAD"], checkout) == 2
    assert capsys.readouterr().err.startswith(f"HEAD states no version: {file} ")


STEERING = "/health\x1b[31m\n::error::x"
SHOWN = r"/health\x1b[31m\n\::error::x"


def test_no_text_of_a_difference_steers_a_terminal_or_a_ci_system() -> None:
    breaking = [Difference("contract", STEERING, STEERING, "was removed", breaking=True)]
    assert lines(breaking) == [f"  breaking  contract    {SHOWN} `{SHOWN}` was removed"]


def test_no_text_that_is_printed_steers_a_terminal_or_a_ci_system(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replace(checkout, "openapi/arcrun.yaml", "\n  /health:", '\n  "/health\\e[31m\\n::error::x":')
    assert command.main(["--against", "HEAD"], checkout) == 0
    printed = capsys.readouterr().out
    assert f"GET {SHOWN} was added" in printed
    assert "\x1b" not in printed
    assert "\n::error" not in printed


def test_a_version_that_steers_a_terminal_is_printed_with_its_characters_seen(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    version = agreed_version(checkout)
    replace(checkout, "packages/js-sdk/package.json", f'"{version}"', r'"\u001b[31m1\n::error::x"')
    assert command.main([], checkout) == 2
    printed = capsys.readouterr().err
    assert r"\x1b[31m1\n\::error::x" in printed
    assert "\x1b" not in printed
    assert "\n::error" not in printed
