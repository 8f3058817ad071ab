"""The config file, written: settings change where they stand."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml

from arcrun.commands.config_file import changed, write_settings
from arcrun.commands.errors import CommandError

COMMENTED = """\
# of the team
base_url: https://old.example  # staging
profiles:
  # mine
  work:
    api_key: ak_old
    base_url: https://work.example
credential_format: plain
"""


@pytest.mark.parametrize(
    ("keys", "value", "expected"),
    [
        (("base_url",), "https://new.example", COMMENTED.replace("old.", "new.")),
        (("profiles", "work", "api_key"), "ak_new", COMMENTED.replace("ak_old", "ak_new")),
        (("profiles", "work", "api_key"), None, COMMENTED.replace("    api_key: ak_old\n", "")),
        (("api_key",), "ak_1", COMMENTED + "api_key: ak_1\n"),
        (
            ("profiles", "home", "api_key"),
            "ak_1",
            COMMENTED.replace("  # mine\n", "  # mine\n  home:\n    api_key: ak_1\n"),
        ),
        (("api_key",), None, COMMENTED),
    ],
)
def test_comments_and_order_stay(keys: tuple[str, ...], value: str, expected: str) -> None:
    assert changed(COMMENTED, keys, value) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing yet",
        "{base_url: https://a.example}\n",
        "profiles: {work: {api_key: ak_old}}\n",
        "profiles:\n  work: {}\n",
        "profiles:\n",
        "profiles: {}\n",
        "---\nbase_url: x\n...\n",
        'api_key: "ak_\\\n  old"\nbase_url: x\n',
        "api_key:\n  ak_old\nbase_url: x\n",
        "api_key: &k ak_old\nprofiles:\n  work:\n    api_key: *k\n",
    ],
)
@pytest.mark.parametrize("value", ["ak_new", "yes", "a: b # c", "天氣", None])
@pytest.mark.parametrize("keys", [("api_key",), ("profiles", "work", "api_key")])
def test_whatever_its_form_only_that_value_changes(
    text: str, value: str | None, keys: tuple[str, ...]
) -> None:
    before = yaml.safe_load(text) or {}
    after = yaml.safe_load(changed(text, keys, value)) or {}
    place = after
    for key in keys[:-1]:
        place = (place or {}).get(key)
    assert (place or {}).get(keys[-1]) == value
    others = [name for name in before if name not in {"api_key", "profiles"}]
    assert {name: after[name] for name in others} == {name: before[name] for name in others}


def test_it_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / ".arcrun" / "config.yaml"
    write_settings(path, None, {"api_key": "ak_1", "base_url": "https://a.example"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert yaml.safe_load(path.read_text()) == {"api_key": "ak_1", "base_url": "https://a.example"}
    assert [each.name for each in path.parent.iterdir()] == ["config.yaml"]


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("base_url: https://a.example\n")
    path.chmod(0o644)
    write_settings(path, None, {"api_key": "ak_1"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "real.yaml", tmp_path / "config.yaml"
    target.write_text("")
    link.symlink_to(target)
    write_settings(link, None, {"api_key": "ak_1"})
    assert link.is_symlink()
    assert yaml.safe_load(target.read_text()) == {"api_key": "ak_1"}


def test_a_folder_that_cannot_be_written_is_an_error_and_leaves_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(CommandError, match=r"can't be (read|written)"):
        write_settings(tmp_path / "file" / "config.yaml", None, {"api_key": "ak_1"})
