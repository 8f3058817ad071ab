"""The pictures of the README are those that the script makes, and small."""

import re
import struct

from scripts import ROOT
from scripts.website.pictures import IMAGES, LIMIT, SHOWN

README = (ROOT / "README.md").read_text("utf-8")
WIDTH = 1280


def test_the_readme_shows_each_picture_that_is_made_for_it_and_no_other() -> None:
    shown = re.findall(r"!\[[^\]]+\]\((\S+)\)|<img[^>]* src=\"([^\"]+)\"", README)
    folder = IMAGES.relative_to(ROOT).as_posix()
    assert sorted(a or b for a, b in shown) == sorted(f"{folder}/{name}" for name in SHOWN)
    assert len(SHOWN) <= 3


def test_nothing_else_is_kept_beside_them() -> None:
    assert sorted(path.name for path in IMAGES.iterdir()) == sorted(SHOWN)


def test_each_is_a_picture_of_the_width_that_is_promised_and_small() -> None:
    for name in SHOWN:
        content = (IMAGES / name).read_bytes()
        assert len(content) <= LIMIT, name
        assert content.startswith(b"\x89PNG\r\n\x1a\n"), name
        assert struct.unpack(">I", content[16:20]) == (WIDTH,), name
