import datetime as dt
from pathlib import Path

import pytest

from scripts import ROOT
from scripts.release import changelog
from scripts.release.changelog import ChangelogInvalid

TEXT = """# Changelog

## [Unreleased]

- later

## [0.2.0] - 2026-11-25

### Changed

- `creds.list` is faster.

```markdown
## [9.9.9] - 2026-11-26

- **Breaking**: `an.example`
```

<!--
## [8.8.8] - 2026-11-26
-->

## [0.1.0] - 2026-11-22 [YANKED]

- 新增 <!-- **Breaking**: `a.comment` -->
"""


def write(root: Path, text: str) -> Path:
    (root / "CHANGELOG.md").write_text(text, "utf-8")
    return root


def test_versions_with_a_date_were_released_and_entries_end_at_the_next(tmp_path: Path) -> None:
    root = write(tmp_path, TEXT)
    assert [(each.name, each.date) for each in changelog.entries(root)] == [
        ("Unreleased", None),
        ("0.2.0", dt.date(2026, 11, 25)),
        ("0.1.0", dt.date(2026, 11, 22)),
    ]
    assert changelog.released(root) == ["0.2.0", "0.1.0"]
    assert changelog.text_of(root, "Unreleased").strip() == "- later"
    assert "creds.list" in changelog.text_of(root, "0.2.0")
    assert "新增" not in changelog.text_of(root, "0.2.0")
    assert changelog.text_of(root, "9.9.9") == ""


def test_code_blocks_and_comments_say_nothing(tmp_path: Path) -> None:
    root = write(tmp_path, TEXT)
    assert "an.example" not in changelog.text_of(root, "0.2.0")
    assert "8.8.8" not in changelog.text_of(root, "0.2.0")
    assert changelog.text_of(root, "0.1.0").strip() == "- 新增"


@pytest.mark.parametrize(
    ("body", "says_something"),
    [
        ("", False),
        ("### Added\n\n### Fixed\n", False),
        ("<!-- 之後再寫 -->\n", False),
        ("- <!-- later -->\n", False),
        ("- \n", False),
        ("- &nbsp;\n- \u200b\n- ![]()\n- …\n", False),
        ("- `creds`\n", True),
        ("```\n- an example\n```\n", False),
        ("- 新增\n", True),
        ("### Added\n\n- a thing\n", True),
        ("It is faster.\n", True),
        ("- It <!-- much --> is faster.\n", True),
    ],
)
def test_an_entry_says_something_by_a_paragraph_or_an_item(
    tmp_path: Path, body: str, says_something: bool
) -> None:
    (entry,) = changelog.entries(write(tmp_path, f"## [1.0.0] - 2026-11-22\n\n{body}"))
    assert entry.says_something is says_something


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("## [1.0.0] - 2026-13-45\n", r"CHANGELOG\.md:1: there is no day 2026-13-45"),
        ("\n## [1.0.0] - 2999-01-01\n", r"CHANGELOG\.md:2: 2999-01-01 is in the future"),
        ("## [1.0.0] 2026-11-22\n", r"CHANGELOG\.md:1: `## \[1\.0\.0\] 2026-11-22` is no heading"),
        (
            "## [0.2.0] - 2026-11-22\n\n- a\n\n## [0.1.0] - 2026-11-23\n\n- b\n",
            r"CHANGELOG\.md:5: 0\.1\.0 is newer than the entry above",
        ),
        ("## \x1b[31m \u202e::error::\n", r"`## \\x1b\[31m \\u202e::error::` is no heading"),
        ("## 1.0.0 - 2026-11-22\n", "is no heading of an entry: write"),
        ("## [1.0.0] - 22 Nov\n", "is no heading of an entry: write"),
        ("## [1.0.0] - ٢٠٢٦-١١-٢٢\n", "is no heading of an entry: write"),
        (
            "## [1.0.0] - 2026-11-22\n\n- a\n\n## [1.0.0] - 2026-11-21\n\n- b\n",
            r"CHANGELOG\.md:5: there are two entries for 1\.0\.0",
        ),
    ],
)
def test_a_heading_that_is_none_of_an_entry_is_named_with_its_line(
    tmp_path: Path, text: str, expected: str
) -> None:
    with pytest.raises(ChangelogInvalid, match=expected):
        changelog.entries(write(tmp_path, text))


def test_a_changelog_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChangelogInvalid, match=r"CHANGELOG\.md can't be read: .*No such file"):
        changelog.entries(tmp_path)
    (tmp_path / "CHANGELOG.md").write_bytes(b"## [1.0.0] - 2026-11-22\n\n- \xff\n")
    with pytest.raises(ChangelogInvalid, match=r"CHANGELOG\.md can't be read: .*can't decode"):
        changelog.entries(tmp_path)


def test_the_day_is_that_of_the_easternmost_time_zone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = dt.datetime(2026, 11, 22, 12, tzinfo=dt.timezone.utc)

    class Clock(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
            return now.astimezone(tz)

    monkeypatch.setattr(dt, "datetime", Clock)
    write(tmp_path, "## [1.0.0] - 2026-11-23\n")
    assert changelog.released(tmp_path) == ["1.0.0"]
    write(tmp_path, "## [1.0.0] - 2026-11-24\n")
    with pytest.raises(ChangelogInvalid, match="in the future"):
        changelog.released(tmp_path)


def test_the_changelog_of_this_checkout_can_be_read() -> None:
    assert changelog.released(ROOT)
