import subprocess
import sys
from pathlib import Path

import pytest

from scripts.mutation.commands import Commands, Stopped, marked
from scripts.mutation.tree import Tree, copied


def repository(folder: Path) -> Path:
    folder.mkdir()
    (folder / ".gitignore").write_text("ignored\n")
    (folder / "a.py").write_text("VALUE = 1\n")
    (folder / "ignored").write_text("")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return folder


def test_a_copy_has_what_git_would_track_and_the_original_stays(tmp_path: Path) -> None:
    source = repository(tmp_path / "source")
    tree = copied(source, tmp_path / "copy")
    assert {path.name for path in tree.root.iterdir()} == {".git", ".gitignore", "a.py"}
    with tree.changed("a.py", "VALUE = 2\n"):
        assert (tree.root / "a.py").read_text() == "VALUE = 2\n"
        assert (source / "a.py").read_text() == "VALUE = 1\n"
    assert (tree.root / "a.py").read_text() == "VALUE = 1\n"


def test_python_never_runs_the_compiled_copy_of_an_earlier_mutant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    tree = Tree(tmp_path)
    (tmp_path / "a.py").write_text("VALUE = 1\n")
    command = [sys.executable, "-c", "import a; print(a.VALUE)"]
    for value in ("2", "3", "4"):
        with tree.changed("a.py", f"VALUE = {value}\n"):
            printed = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        assert printed.stdout.decode().strip() == value
    assert list((tmp_path / "__pycache__").glob("a.*.pyc"))


def run(commands: Commands, tree: Path, code: str, timeout: float = 30) -> int | None:
    command = [sys.executable, "-c", code]
    return commands.run(command, tree=tree, log=tree / "log", timeout=timeout).exit_code


def test_a_program_ends_with_its_exit_code_or_at_the_time_out(tmp_path: Path) -> None:
    commands = Commands()
    assert run(commands, tmp_path, "print('shown'); raise SystemExit(3)") == 3
    assert "shown\n" in (tmp_path / "log").read_text()
    assert run(commands, tmp_path, "import threading; threading.Event().wait()", 0.3) is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_a_program_left_in_a_group_of_its_own_is_ended(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys\n"
        "waiting = [sys.executable, '-c', 'import threading; threading.Event().wait()']\n"
        "subprocess.Popen(waiting, start_new_session=True)"
    )
    assert run(Commands(), tmp_path, code) == 0
    assert marked(tmp_path) == []


def test_nothing_is_started_once_the_session_stops(tmp_path: Path) -> None:
    commands = Commands()
    commands.stop()
    with pytest.raises(Stopped):
        run(commands, tmp_path, "raise SystemExit(0)")
