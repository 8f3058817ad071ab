from pathlib import Path

from scripts.contract_copies import COPIES, SOURCE, main, stale_copies


def test_the_committed_copies_equal_the_contract() -> None:
    assert stale_copies(SOURCE, COPIES) == []
    assert main(["--check"]) == 0


def test_a_copy_that_differs_or_is_missing_is_stale(tmp_path: Path) -> None:
    source, same, other = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    source.write_text("契約")
    same.write_text("契約")
    other.write_text("契约")
    assert stale_copies(source, (same, other, tmp_path / "missing")) == [
        other,
        tmp_path / "missing",
    ]
