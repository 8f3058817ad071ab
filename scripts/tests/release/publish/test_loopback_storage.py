import json
from pathlib import Path

from scripts.release.publish.loopback_storage import Shelf


def test_who_reads_documents_while_others_are_kept_has_the_old_ones_whole(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "pypi")
    shelf.keep("uploads", {"first": 1})
    with (tmp_path / "pypi" / "uploads.json").open(encoding="utf-8") as reading:
        shelf.keep("uploads", {"first": 1, "second": 2})
        assert json.load(reading) == {"first": 1}
    assert shelf.documents("uploads") == {"first": 1, "second": 2}


def test_who_reads_a_file_while_it_is_sent_again_has_the_old_one_whole(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "pypi")
    shelf.keep_file("a.whl", b"of the first attempt")
    with shelf.file("a.whl").open("rb") as reading:
        shelf.keep_file("a.whl", b"of the second")
        assert reading.read() == b"of the first attempt"
    assert shelf.file("a.whl").read_bytes() == b"of the second"
