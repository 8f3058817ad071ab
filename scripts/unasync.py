"""Write the synchronous half of the Python SDK from the asynchronous one.

    python -m scripts.unasync            write `_sync`
    python -m scripts.unasync --check    fail if `_sync` is not what would be written

Each rule must be used at least once: a rule without a use is an error.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SOURCE = ROOT / "packages/python-sdk/src/arcrun/_async"
TARGET = SOURCE.with_name("_sync")
NOTICE = "# Generated from _async by scripts/unasync.py: edit there.\n"

# Regular expressions and their replacements.
RULES: Mapping[str, str] = {
    r"await ": "",
    r"\basync (?=def|for|with)": "",
    r"\bAwaitable\[(\w+(?:\[\w+\])?)\]": r"\1",
    r"import Awaitable, ": "import ",
    r"\bAsyncIterator\b": "Iterator",
    r"\bAsyncByteStream\b": "SyncByteStream",
    r"\b__aiter__\b": "__iter__",
    r"\b__aenter__\b": "__enter__",
    r"\b__aexit__\b": "__exit__",
    r"\baclose\b": "close",
    r"\baread\b": "read",
    r"\baiter_raw\b": "iter_raw",
    r"\bhandle_async_request\b": "handle_request",
    r"\basync_(?=sleep\b|in_thread\b|scope\b|addresses\b|interruptible\b)": "",
    r"\bAsync(?=[A-Z])": "",
}


def translate(text: str, used: set[str]) -> str:
    """Return the synchronous form of a module, and add the rules that it used to `used`."""
    for pattern, replacement in RULES.items():
        text, count = re.subn(pattern, replacement, text)
        if count:
            used.add(pattern)
    return NOTICE + text


def translate_folder(source: Path) -> dict[str, str]:
    """Return the synchronous modules of a folder, by file name.

    Raises:
        ValueError: A rule was not used.
    """
    used: set[str] = set()
    modules = {
        path.name: translate(path.read_text(encoding="utf-8"), used)
        for path in sorted(source.glob("*.py"))
    }
    unused = [pattern for pattern in RULES if pattern not in used]
    if unused:
        raise ValueError(f"no module in {source} uses these rules: {', '.join(unused)}")
    return modules


def differences(modules: Mapping[str, str], target: Path) -> list[str]:
    """List how the files in `target` differ from the modules."""
    found = {path.name: path.read_text(encoding="utf-8") for path in target.glob("*.py")}
    return (
        [f"{target / name} is missing" for name in modules if name not in found]
        + [f"{target / name} has no source" for name in found if name not in modules]
        + [
            f"{target / name} is not what its source translates to"
            for name in modules
            if name in found and found[name] != modules[name]
        ]
    )


def write(modules: Mapping[str, str], target: Path) -> None:
    """Make `target` hold exactly the modules."""
    target.mkdir(exist_ok=True)
    for path in target.glob("*.py"):
        if path.name not in modules:
            path.unlink()
    for name, text in modules.items():
        (target / name).write_text(text, encoding="utf-8", newline="\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail on a difference")
    parser.add_argument("--source", type=Path, default=SOURCE, help="the asynchronous modules")
    parser.add_argument("--target", type=Path, default=TARGET, help="the synchronous modules")
    options = parser.parse_args(arguments)
    try:
        modules = translate_folder(options.source)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    if not options.check:
        write(modules, options.target)
        return 0
    found = differences(modules, options.target)
    for line in found:
        print(f"{line}: run python -m scripts.unasync", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
