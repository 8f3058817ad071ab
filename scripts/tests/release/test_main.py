import errno
import io
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from scripts import processes
from scripts.console import make_console
from scripts.rehearsal import Figures, Rehearsal
from scripts.release import __main__ as program
from scripts.release.clones import REHEARSAL, clone, leave_old_results, wrong_results
from scripts.release.context import ReleaseContext
from scripts.release.git import GitState
from scripts.release.results import Results, only_one
from scripts.release.steps import ReleaseStep

CLEAN: GitState = {"commit": "0123456789abcdef" + "0" * 24, "dirty": False, "changed": []}
DIRTY: GitState = {**CLEAN, "dirty": True, "changed": [f"{number}.py" for number in range(7)]}


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def context(tmp_path: Path, log: io.StringIO) -> ReleaseContext:
    results = Results(tmp_path, "the-run")
    return ReleaseContext(results, tmp_path / "work", 1, Rehearsal(make_console(log)), {})


def test_where_no_rehearsal_can_begin_one_sentence_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(processes, "interrupt_on_signals", lambda: None)
    monkeypatch.setattr(program, "ROOT", tmp_path)
    assert program.main(["--only", "versions"]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"NO-GO: {tmp_path} is no git checkout")
    assert printed.count("\n") == 1
    monkeypatch.setattr(program.git, "require_checkout", lambda root: None)
    with only_one(tmp_path, "the-first"):
        assert program.main(["--only", "versions"]) == 2
    assert "another rehearsal runs in this checkout" in capsys.readouterr().err


def test_a_failed_suite_names_its_page_where_it_will_be(
    context: ReleaseContext, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: ReleaseContext, figures: Figures) -> None:
        (context.reports / "sub").mkdir(parents=True)
        (context.reports / "sub" / "index.html").write_text("")
        raise ValueError(f"壞了 {figures}")

    step = ReleaseStep("suite", "…", fail, page="sub/index.html")
    monkeypatch.setattr(program, "chosen", lambda only, **_: [step])
    assert program._run_steps(context, None) == 1
    assert f"what failed: {Path('reports/sub/index.html')}\n" in log.getvalue()
    assert "run this step alone: nox -s release -- --only suite\n" in log.getvalue()
    (context.reports / "sub" / "index.html").unlink()
    (context.reports / "sub").rmdir()
    assert program._run_steps(context, "suite") == 1
    assert f"what failed: {context.reports / 'sub' / 'index.html'}" in log.getvalue()


def shown(state: GitState) -> str:
    output = io.StringIO()
    program._show_state(Console(file=output, width=500), state)
    return output.getvalue()


def test_a_tree_that_is_not_its_commit_is_said_with_the_first_files() -> None:
    assert shown(CLEAN) == ""
    assert shown(DIRTY) == (
        "not to be published: the working tree is not the commit 0123456789ab: "
        "0.py, 1.py, 2.py, 3.py, 4.py and 2 more\n"
    )


def test_a_tree_that_changed_during_the_rehearsal_is_dirty() -> None:
    other: GitState = {**CLEAN, "commit": "f" * 40}
    assert program._state_of_both(CLEAN, CLEAN) == CLEAN
    assert program._state_of_both(CLEAN, DIRTY) == DIRTY
    assert program._state_of_both(DIRTY, CLEAN) == DIRTY
    assert program._state_of_both(CLEAN, other) == {**CLEAN, "dirty": True}
    assert "another commit was checked out" in shown(program._state_of_both(CLEAN, other))


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_interrupts_as_ctrl_c_does(name: str) -> None:
    number = getattr(signal, name, None)
    if number is None:
        pytest.skip(f"this system has no {name}")
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, number)}
    signal.signal(number, signal.SIG_DFL)  # the tests may themselves be run by nohup
    try:
        processes.interrupt_on_signals()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
def test_a_hang_up_that_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN), signal.getsignal(signal.SIGTERM)
    try:
        processes.interrupt_on_signals()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before[0])
        signal.signal(signal.SIGTERM, before[1])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--registry", "local"], "--registry has no effect on a rehearsal: add --publish"),
        (["--live-report", "a.json"], "--live-report has no effect on a rehearsal"),
        (["--npm-url", "http://127.0.0.1:1"], "--npm-url has no effect on a rehearsal"),
        (["--publish", "--only", "build"], "--only has no effect on a publication: leave it out"),
        (["--abort", "--python-only"], "--python-only has no effect on a publication"),
    ],
)
def test_an_option_without_effect_is_refused(
    given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        program.main(given)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_rehearsal_whose_output_cannot_be_written_leaves_evidence_that_says_so(
    tmp_path: Path,
) -> None:
    """As in `nox -s release | head -1`."""
    root = clone(tmp_path / "checkout")
    leave_old_results(root)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        ran = subprocess.run(
            REHEARSAL, cwd=root, stdout=closed, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ran.returncode == 1
    assert ran.stderr == f"NO-GO: the output can't be written: {os.strerror(errno.EPIPE)}\n"
    document = json.loads((root / "evidence" / "release.json").read_text("utf-8"))
    assert document["decision"] == "NO-GO"
    assert wrong_results(root, whole=True) == []
