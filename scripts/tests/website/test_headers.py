"""The file of headers is what Cloudflare Pages takes: https://developers.cloudflare.com/pages/configuration/headers/."""

import re

import pytest

from scripts import ROOT
from scripts.website.policy import policy

TEXT = (ROOT / "packages/website/public/_headers").read_text("utf-8")
RULES = 100
CHARACTERS = 2000


def faults(text: str) -> list[str]:
    """Return what Cloudflare Pages would leave out, or refuse."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    rules = [line for line in lines if not line[0].isspace()]
    found = [f"{len(rules)} rules"] if len(rules) > RULES else []
    for number, line in enumerate(lines):
        if len(line) > CHARACTERS:
            found.append(f"a line of {len(line)} characters")
        if line in rules:
            if not re.fullmatch(r"(https:/)?/[^\s*]*\*?[^\s*]*", line):
                found.append(f"no pattern of a path: {line}")
            if number + 1 == len(lines) or lines[number + 1] in rules:
                found.append(f"a rule without headers: {line}")
        elif not re.fullmatch(r"\s+(! [\w-]+|[\w-]+: \S.*)", line):
            found.append(f"no header: {line}")
    return found


def test_cloudflare_takes_every_rule() -> None:
    assert faults(TEXT) == []


@pytest.mark.parametrize(
    ("planted", "fault"),
    [
        ("/a\n  X-A: b\n" * 101, "101 rules"),
        ("/a\n  X-A: " + "b" * 2000, "a line of 2007 characters"),
        ("/*/a/*\n  X-A: b\n", "no pattern of a path: /*/a/*"),
        ("a\n  X-A: b\n", "no pattern of a path: a"),
        ("/a\n/b\n  X-A: b\n", "a rule without headers: /a"),
        ("/a\n  X-A\n", "no header:   X-A"),
    ],
)
def test_a_fault_is_found(planted: str, fault: str) -> None:
    assert faults(planted) == [fault]


def test_the_headers_say_what_the_policy_in_a_page_cannot() -> None:
    """A browser ignores `frame-ancestors` in a `<meta>`; all else is in that of each page."""
    of_all = TEXT.partition("/*\n")[2].partition("\n/")[0]
    assert "\n  Content-Security-Policy: frame-ancestors 'none'\n" in of_all
    assert "frame-ancestors" not in policy([], "")
