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
    """The evidence does not prove that this file was released; the message says why."""


def read_evidence(path: Path) -> dict[str, Any]:
    """Read evidence and validate it.

    Raises:
        NotProven: It is not valid JSON, or does not match the schema.
    """
    try:
        document: dict[str, Any] = json.loads(path.read_text("utf-8"))
        jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(document)
    except ValueError as error:
        raise NotProven(f"{path} is not valid JSON: {error}") from None
    except jsonschema.ValidationError as error:
        raise NotProven(
            f"{path} is not evidence of a release: {error.json_path}: {error.message}"
        ) from None
    return document


def verify(artifact: Path, evidence: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of the evidence for a file.

    Raises:
        NotProven: The decision was not GO, the working tree was not the commit that the evidence
            names, or the evidence has no file of this name with these bytes.
    """
    if evidence["decision"] != "GO":
        raise NotProven(f"the rehearsal of {evidence['version']} ended with {evidence['decision']}")
    failed = [step["name"] for step in evidence["steps"] if step["status"] != "passed"]
    if failed:
        raise NotProven(f"the evidence says GO, but {', '.join(failed)} did not pass")
    state = evidence["git"]
    if state["dirty"] or state["changed"]:
        raise NotProven(
            f"the working tree was not the commit {state['commit']}: "
            f"{', '.join(state['changed']) or 'it changed during the rehearsal'}"
        )
    entries: dict[str, dict[str, Any]] = {each["file"]: each for each in evidence["artifacts"]}
    entry = entries.get(artifact.name)
    if entry is None:
        raise NotProven(f"{artifact.name} is not in the evidence, which lists {', '.join(entries)}")
    found = sha256(artifact)
    if found != entry["sha256"]:
        raise NotProven(
            f"{artifact.name} is not the file that was released:\n"
            f"  its SHA-256 is    {found}\n  the evidence says {entry['sha256']}"
        )
    return entry


def main(arguments: list[str] | None = None) -> int:
    """Check files; return 0 if the evidence proves that all of them were released."""
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
