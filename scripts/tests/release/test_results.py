import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import ROOT
from scripts.release.results import AlreadyRunning, NotWritable, Results, new_run, only_one

PAGE = "reports/index.html"


def written(results: Results) -> None:
    """Write what a rehearsal writes, with its id as the text of each file."""
    for name in ("dist/a.whl", "evidence/release.json", PAGE, "reports/engine-suite/index.html"):
        path = results.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(results.run)


def shown(root: Path) -> dict[str, str]:
    """What the checkout shows: each file, without those of the rehearsals' own folders."""
    files = (path for path in root.rglob("*") if path.is_file() and ".arcrun" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_text() for path in files}


def go(root: Path) -> Results:
    results = Results(root, new_run())
    results.begin(whole=True)
    written(results)
    results.publish(go=True)
    return results


def test_the_id_of_a_run_is_its_own() -> None:
    assert new_run() != new_run()


def test_nothing_is_shown_before_the_end_and_then_everything_of_one_run(tmp_path: Path) -> None:
    results = Results(tmp_path, "run")
    results.begin(whole=True)
    written(results)
    assert shown(tmp_path) == {}
    results.publish(go=True)
    assert shown(tmp_path) == {
        "dist/a.whl": "run",
        "evidence/release.json": "run",
        PAGE: "run",
        "reports/engine-suite/index.html": "run",
    }


def test_results_end_when_the_next_whole_rehearsal_begins_and_others_stay(tmp_path: Path) -> None:
    go(tmp_path)
    (tmp_path / "reports" / "fuzz").mkdir()
    (tmp_path / "reports" / "fuzz" / "fuzz.log").write_text("of another session")
    Results(tmp_path, "next").begin(whole=True)
    assert shown(tmp_path) == {"reports/fuzz/fuzz.log": "of another session"}


def test_after_no_go_there_are_no_pages_of_the_last_go_and_nothing_to_publish(
    tmp_path: Path,
) -> None:
    go(tmp_path)
    failed = Results(tmp_path, "failed")
    failed.begin(whole=True)
    written(failed)
    (failed.folder / PAGE).unlink()
    failed.publish(go=False)
    assert shown(tmp_path) == {
        "evidence/release.json": "failed",
        "reports/engine-suite/index.html": "failed",
    }
    assert (failed.folder / "dist" / "a.whl").is_file(), "messages name files there"


def test_a_single_step_leaves_the_results_of_the_last_rehearsal_alone(tmp_path: Path) -> None:
    last = go(tmp_path)
    before = shown(tmp_path)
    single = Results(tmp_path, "single")
    single.begin(whole=False)
    assert shown(tmp_path) == before
    assert single.folder.is_dir()
    assert not last.folder.exists()


def test_the_hashes_of_the_pages_are_listed_by_their_names(tmp_path: Path) -> None:
    results = Results(tmp_path, "run")
    results.begin(whole=True)
    (results.folder / "reports" / "engine-suite").mkdir(parents=True)
    (results.folder / "reports" / "engine-suite" / "index.html").write_bytes(b"")
    # The SHA-256 of nothing.
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert results.hashes() == [{"file": "engine-suite/index.html", "sha256": empty}]


HOLD = """
import sys
from pathlib import Path
from scripts.release.results import only_one
with only_one(Path(sys.argv[1]), "the-first"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_rehearsal_is_refused_until_the_first_has_ended_however_it_ends(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        assert first.stdout
        assert first.stdout.readline().strip() == b"held"
        since = json.loads((tmp_path / ".arcrun/release/lock").read_text())["since"]
        with pytest.raises(AlreadyRunning) as refused, only_one(tmp_path, "second"):
            pass
        assert f"process {first.pid}, since {since}, run the-first" in str(refused.value)
        first.kill()
    # What it wrote into the lock is still there, and no obstacle.
    assert "the-first" in (tmp_path / ".arcrun/release/lock").read_text()
    with only_one(tmp_path, "third"):
        assert "third" in (tmp_path / ".arcrun/release/lock").read_text()


def in_the_way(root: Path, name: str, *, as_folder: bool) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if as_folder:
        path.mkdir()
    else:
        path.write_text("")
    return path


@pytest.mark.parametrize(
    ("name", "as_folder"),
    [(".arcrun", False), (".arcrun/release", False), (".arcrun/release/lock", True)],
)
def test_what_is_in_the_way_of_the_lock_is_named(
    tmp_path: Path, name: str, as_folder: bool
) -> None:
    path = in_the_way(tmp_path, name, as_folder=as_folder)
    with pytest.raises(NotWritable, match=f"{path}.* can't be written: "), only_one(tmp_path, "x"):
        raise AssertionError("it has the lock")


def test_a_link_to_nowhere_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / ".arcrun").symlink_to(tmp_path / "nowhere")
    with pytest.raises(NotWritable, match="can't be written: "), only_one(tmp_path, "x"):
        raise AssertionError("it has the lock")


def test_what_is_in_the_way_of_the_results_is_named(tmp_path: Path) -> None:
    path = in_the_way(tmp_path, ".arcrun/release/runs", as_folder=False)
    with pytest.raises(NotWritable, match=f"{path}.* can't be written: "):
        Results(tmp_path, "run").begin(whole=True)
    path.unlink()
    results = Results(tmp_path, "run")
    results.begin(whole=True)
    written(results)
    reports = in_the_way(tmp_path, "reports", as_folder=False)
    with pytest.raises(NotWritable, match=f"{reports}.* can't be written: "):
        results.publish(go=True)


def test_a_folder_of_runs_that_is_a_link_is_refused_and_what_it_leads_to_stays(
    tmp_path: Path,
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "notes.md").write_text("筆記")
    runs = tmp_path / ".arcrun" / "release" / "runs"
    runs.parent.mkdir(parents=True)
    runs.symlink_to(elsewhere)
    with pytest.raises(NotWritable, match=f"{runs} is a link, .*: remove it"):
        Results(tmp_path, "run").begin(whole=False)
    assert [path.name for path in elsewhere.iterdir()] == ["notes.md"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_lock_that_is_no_file_is_named(tmp_path: Path) -> None:
    lock = tmp_path / ".arcrun" / "release" / "lock"
    lock.parent.mkdir(parents=True)
    os.mkfifo(lock)
    with pytest.raises(NotWritable, match=f"{lock} can't be written: "), only_one(tmp_path, "x"):
        raise AssertionError("it has the lock")


def test_what_the_lock_says_of_its_holder_steers_no_terminal(tmp_path: Path) -> None:
    with only_one(tmp_path, "first"):
        held = {"pid": "\x1b[31m\n::error::x", "since": "now", "run": "first"}
        (tmp_path / ".arcrun" / "release" / "lock").write_text(json.dumps(held))
        with pytest.raises(AlreadyRunning) as caught, only_one(tmp_path, "second"):
            raise AssertionError("it has the lock")
    assert "process \\x1b[31m\\n\\::error::x, since now" in str(caught.value)
