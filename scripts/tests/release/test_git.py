import os
import subprocess
from pathlib import Path

import pytest

from scripts.release import git
from scripts.release.git import CheckoutUnusable

IDENTITY = ("-c", "user.name=測試", "-c", "user.email=test@example.invalid")


def run(root: Path, *arguments: str, **environment: str) -> str:
    command = ["git", *IDENTITY, *arguments]
    ran = subprocess.run(
        command,
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    return ran.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "some checkout"
    root.mkdir()
    run(root, "init", "--quiet")
    (root / ".gitignore").write_text("*.pyc\n")
    (root / "模組.py").write_text("x = 1\n")
    (root / "link").symlink_to("模組.py")
    run(root, "add", "-A")
    run(root, "commit", "--quiet", "-m", "first", GIT_COMMITTER_DATE="1700000000 +0800")
    return root


def test_a_checkout_that_is_its_commit_is_clean(checkout: Path) -> None:
    git.require_checkout(checkout)
    (checkout / "ignored.pyc").write_text("")
    commit = run(checkout, "rev-parse", "HEAD").strip()
    assert git.git_state(checkout) == {"commit": commit, "dirty": False, "changed": []}


def test_the_time_is_that_of_the_commit_also_if_it_is_signed_and_shown_so(checkout: Path) -> None:
    # The header of a signed commit, whose message names a committer too.
    header = run(checkout, "cat-file", "commit", "HEAD").split("\n\n")[0]
    signed = f"{header}\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n committer of lies 1 +0000\n\n"
    path = checkout.with_name("commit")
    path.write_text(f"{signed}message\n\ncommitter nobody <> 2 +0000\n", "utf-8")
    made = run(checkout, "hash-object", "-t", "commit", "-w", str(path)).strip()
    run(checkout, "reset", "--quiet", "--hard", made)
    run(checkout, "config", "log.showSignature", "true")
    assert git.commit_time(checkout) == "1700000000"
    assert git.committed_at(checkout, made) == 1_700_000_000


def test_nobody_knows_when_a_commit_was_made_that_the_checkout_does_not_have(
    checkout: Path, tmp_path: Path
) -> None:
    for commit in ("0" * 40, run(checkout, "rev-parse", "HEAD:link").strip()):
        assert git.committed_at(checkout, commit) is None
    assert git.committed_at(tmp_path / "nowhere", "0" * 40) is None


@pytest.mark.parametrize(
    ("settings", "variables"),
    [
        ({"status.showUntrackedFiles": "no"}, {}),
        ({"core.excludesFile": "{all}"}, {}),
        ({}, {"GIT_DIR": "/nowhere", "GIT_INDEX_FILE": "/nowhere", "GIT_WORK_TREE": "/"}),
        ({}, {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.bare", "GIT_CONFIG_VALUE_0": "1"}),
    ],
)
def test_no_setting_hides_a_change(
    checkout: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
    variables: dict[str, str],
) -> None:
    every = checkout.with_name("all")
    every.write_text("*\n")
    for name, value in settings.items():
        run(checkout, "config", name, value.format(all=every))
    (checkout / ".git" / "info" / "exclude").write_text("*\n")
    run(checkout, "update-index", "--assume-unchanged", "模組.py")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (checkout / "模組.py").write_text("x = 2\n")
    (checkout / "新.py").write_text("")
    git.require_checkout(checkout)
    state = git.git_state(checkout)
    assert (state["dirty"], state["changed"]) == (True, ["新.py", "模組.py"])


def test_line_ends_modes_links_and_missing_files_are_changes(checkout: Path) -> None:
    def changed() -> list[str]:
        found = git.changed_files(checkout)
        run(checkout, "checkout", "--quiet", "-f", "HEAD")
        return found

    run(checkout, "config", "core.fileMode", "false")
    (checkout / "模組.py").write_bytes(b"x = 1\r\n")
    assert changed() == ["模組.py"]
    (checkout / "模組.py").chmod(0o755)
    assert changed() == ["模組.py"]
    (checkout / "模組.py").chmod(0o644)
    (checkout / "link").unlink()
    (checkout / "link").symlink_to("elsewhere")
    assert changed() == ["link"]
    (checkout / "模組.py").unlink()
    assert changed() == ["模組.py"]
    assert changed() == []


def test_a_file_that_was_only_added_is_not_in_the_commit(checkout: Path) -> None:
    (checkout / "added.py").write_text("")
    run(checkout, "add", "added.py")
    assert git.changed_files(checkout) == ["added.py"]


def test_hashes_of_the_longer_kind_are_compared_too(tmp_path: Path) -> None:
    run(tmp_path, "init", "--quiet", "--object-format=sha256")
    (tmp_path / "a").write_text("x")
    run(tmp_path, "add", "-A")
    run(tmp_path, "commit", "--quiet", "-m", "first")
    assert git.changed_files(tmp_path) == []
    (tmp_path / "a").write_text("y")
    assert git.changed_files(tmp_path) == ["a"]


def test_files_are_those_that_git_tracks_or_would(checkout: Path) -> None:
    (checkout / "sub").mkdir()
    (checkout / "sub" / "未追蹤.txt").write_text("")
    (checkout / "sub" / "b.pyc").write_text("")
    assert git.files(checkout, "sub") == ["sub/未追蹤.txt"]
    assert git.tracked_files(checkout, "sub") == []
    assert git.files(checkout) == [".gitignore", "link", "sub/未追蹤.txt", "模組.py"]


def test_without_git_or_a_checkout_one_sentence_says_so(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked = checkout / "unpacked"  # inside another repository, which is not the one
    unpacked.mkdir()
    with pytest.raises(CheckoutUnusable, match=r"is no git checkout: .* clone the repository$"):
        git.require_checkout(unpacked)
    empty = tmp_path / "empty"
    empty.mkdir()
    run(empty, "init", "--quiet")
    with pytest.raises(CheckoutUnusable, match="has no commit"):
        git.require_checkout(empty)
    (empty / ".git" / "HEAD").write_text("broken")
    with pytest.raises(CheckoutUnusable, match=r"is no git checkout|can't read"):
        git.require_checkout(empty)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CheckoutUnusable, match=r"git was not found: .* install git$"):
        git.require_checkout(checkout)


def test_a_checkout_of_another_user_is_one_sentence_with_the_cure(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    # What git itself reads in its own tests, in place of another owner.
    monkeypatch.setattr(git, "_without_git", dict)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(CheckoutUnusable, match="belongs to another user") as refused:
        git.require_checkout(checkout)
    assert f"git config --global --add safe.directory '{checkout}'" in str(refused.value)
    run(tmp_path, "config", "--global", "--add", "safe.directory", str(checkout))
    git.require_checkout(checkout)
    assert git.changed_files(checkout) == []


def test_tags_are_those_of_ancestors_with_their_commits(checkout: Path) -> None:
    first = run(checkout, "rev-parse", "HEAD").strip()
    run(checkout, "tag", "v1")
    run(checkout, "tag", "--annotate", "標籤", "-m", "annotated")
    run(checkout, "commit", "--quiet", "--allow-empty", "-m", "second")
    run(checkout, "tag", "v2")
    assert git.tags(checkout)["v2"] != first
    run(checkout, "checkout", "--quiet", first)
    assert git.tags(checkout) == {"v1": first, "標籤": first}


def test_a_revision_is_a_commit_or_an_error(checkout: Path) -> None:
    commit = run(checkout, "rev-parse", "HEAD").strip()
    run(checkout, "tag", "--annotate", "v1", "-m", "annotated")
    assert git.commit_of(checkout, "v1") == git.commit_of(checkout, commit[:9]) == commit
    for name in ("v2", "--help", "HEAD:link"):
        with pytest.raises(CheckoutUnusable, match="name a tag, a branch or a hash"):
            git.commit_of(checkout, name)


def test_files_are_written_as_a_commit_holds_them(checkout: Path, tmp_path: Path) -> None:
    (checkout / "sub").mkdir()
    (checkout / "sub" / "二.bin").write_bytes(b"\r\n\0" * 3)
    (checkout / "sub" / "empty").write_text("")
    run(checkout, "add", "-A")
    run(checkout, "-c", "core.autocrlf=false", "commit", "--quiet", "-m", "second")
    (checkout / "模組.py").write_text("x = 2\n")
    (checkout / ".git" / "info" / "attributes").write_text("* export-ignore eol=crlf\n")
    target = tmp_path / "target"
    git.write_files(checkout, "HEAD", ["sub", "模組.py", "absent"], target)
    written = {p.relative_to(target).as_posix(): p.read_bytes() for p in target.rglob("*.*")}
    assert written == {"sub/二.bin": b"\r\n\0" * 3, "模組.py": b"x = 1\n"}
    assert (target / "sub" / "empty").read_bytes() == b""


def test_a_checkout_without_earlier_commits_is_shallow(checkout: Path, tmp_path: Path) -> None:
    run(checkout, "commit", "--quiet", "--allow-empty", "-m", "second")
    assert not git.is_shallow(checkout)
    target = tmp_path / "shallow"
    run(tmp_path, "clone", "--quiet", "--depth", "1", checkout.as_uri(), str(target))
    assert git.is_shallow(target)
