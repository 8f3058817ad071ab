"""What processes compile is kept for the run where it may not be written beside the sources."""

from __future__ import annotations

from pathlib import Path

from arcrun_conformance.bytecode import keeping_bytecode


def test_an_environment_that_forbids_bytecode_gets_a_folder_of_its_own_for_it() -> None:
    forbidding = {"PATH": "/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    first, second = keeping_bytecode(forbidding), keeping_bytecode(forbidding)
    assert first == second, "all processes of a run share it"
    assert first.keys() == {"PATH", "PYTHONPYCACHEPREFIX"}
    assert Path(first["PYTHONPYCACHEPREFIX"]).is_dir()


def test_other_environments_stay_as_they_are() -> None:
    for environment in (
        {"PATH": "/bin"},
        {"PYTHONDONTWRITEBYTECODE": ""},
        {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": "/bytecode"},
    ):
        assert keeping_bytecode(environment) == environment
