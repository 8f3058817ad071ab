"""Check a downloaded artifact against the evidence of its release.

python -m scripts.release.verify arcrun-0.1.0-py3-none-any.whl --evidence release.json
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import jsonschema

from scripts.release.artifacts import sha256

SCHEMA = Path(__file__).with_name("evidence.schema.json")


class NotProven(Exception):
    """The evidence does not speak for this file; the message says why."""


def read_evidence(path: Path) -> dict[str, Any]:
    """Read evidence that has the right form.

    Raises:
        NotProven: It is no JSON, or not of the form that the schema states.
    """
    try:
        document: dict[str, Any] = json.loads(path.read_text("utf-8"))
        jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(document)
    except ValueError as error:
        raise NotProven(f"{path} is no JSON: {error}") from None
    except jsonschema.ValidationError as error:
        raise NotProven(f"{path} is no evidence: {error.json_path}: {error.message}") from None
    return document


def verify(artifact: Path, evidence: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of the evidence that speaks for a file.

    Raises:
        NotProven: The release was no GO, or the file's name or bytes are not in the evidence.
    """
    if evidence["decision"] != "GO":
        raise NotProven(f"the rehearsal of {evidence['version']} ended with {evidence['decision']}")
    entries: dict[str, dict[str, Any]] = {each["file"]: each for each in evidence["artifacts"]}
    entry = entries.get(artifact.name)
    if entry is None:
        raise NotProven(f"{artifact.name} is not in the evidence; it has {', '.join(entries)}")
    found = sha256(artifact)
    if found != entry["sha256"]:
        raise NotProven(
            f"{artifact.name} has other bytes than were released:\n"
            f"  sha256 {found}\n  but was {entry['sha256']}"
        )
    return entry


def main(arguments: list[str] | None = None) -> int:
    """Check the files that are named; return 0 if the evidence speaks for each of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("artifact", type=Path, nargs="+")
    parser.add_argument("--evidence", type=Path, default=Path("evidence/release.json"))
    options = parser.parse_args(arguments)
    try:
        evidence = read_evidence(options.evidence)
        for artifact in options.artifact:
            entry = verify(artifact, evidence)
            print(f"✓ {artifact.name}: {entry['package']} {evidence['version']}, as released")
    except (NotProven, OSError) as problem:
        print(f"✗ {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
