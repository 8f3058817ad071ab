"""Writes `junit.xml` for CI systems: one test case for each scenario and SDK."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

# Characters that XML 1.0 can't represent, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(document: dict[str, Any], path: Path) -> None:
    """Write the report."""
    root = ET.Element("testsuites", name="arcrun-conformance")
    for sdk in document["sdks"]:
        cells = [cell for cell in document["cells"] if cell["sdk"] == sdk["name"]]
        suite = ET.SubElement(
            root,
            "testsuite",
            name=_clean(sdk["name"]),
            tests=str(len(cells)),
            failures=str(sum(cell["outcome"] == "failed" for cell in cells)),
            errors=str(sum(cell["outcome"] in {"error", "unavailable"} for cell in cells)),
            skipped=str(sum(cell["outcome"] == "skipped" for cell in cells)),
            time=str(round(sum(cell["seconds"] for cell in cells), 3)),
            timestamp=_clean(document["started"]),
        )
        for cell in cells:
            _case(suite, cell)
    _cleanup_case(root, document["leftovers"])
    _end_case(root, document)
    tree = ET.ElementTree(root)
    ET.indent(tree)
    tree.write(path, encoding="utf-8", xml_declaration=True)


def _case(suite: ET.Element, cell: dict[str, Any]) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=_clean(cell["sdk"]),
        name=_clean(cell["scenario"]),
        time=str(cell["seconds"]),
    )
    failing = [check for check in cell["checks"] if check["outcome"] == "failed"]
    text = "\n".join(f"{check['id']}: {check['message']}" for check in failing)
    if cell["outcome"] == "skipped":
        ET.SubElement(case, "skipped", message=_clean(cell["reason"]))
    elif cell["outcome"] != "passed":
        kind = "failure" if cell["outcome"] == "failed" else "error"
        names = ", ".join(check["id"] for check in failing)
        # Where nothing was checked, the reason is all that there is to say.
        failure = ET.SubElement(case, kind, message=_clean(names or cell["reason"]))
        failure.text = _clean(text)
    exempt = [c for c in cell["checks"] if c["outcome"] == "exempt"]
    if exempt:
        text = "\n".join(f"exempt: {check['id']}: {check['message']}" for check in exempt)
        ET.SubElement(case, "system-out").text = _clean(text)
    if cell["stderr"]:
        ET.SubElement(case, "system-err").text = _clean(cell["stderr"])


def _cleanup_case(root: ET.Element, leftovers: dict[str, Any]) -> None:
    problems = [*leftovers["problems"], *(f"left behind: {thing}" for thing in leftovers["left"])]
    suite = ET.SubElement(
        root, "testsuite", name="run", tests="1", failures=str(int(bool(problems)))
    )
    case = ET.SubElement(suite, "testcase", classname="run", name="nothing-left-behind")
    if problems:
        failure = ET.SubElement(
            case, "failure", message="credentials or workflows were left at the target"
        )
        failure.text = _clean("\n".join(problems))


def _end_case(root: ET.Element, document: dict[str, Any]) -> None:
    """Add a case that fails if the run was ended before it had shown anything of the rest."""
    ended = document.get("crash") or ("the run was interrupted" if document["interrupted"] else "")
    if ended:
        suite = ET.SubElement(root, "testsuite", name="end", tests="1", failures="1")
        case = ET.SubElement(suite, "testcase", classname="run", name="ran-to-the-end")
        ET.SubElement(case, "failure", message=_clean(ended))


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
