"""How pages look, so coarse that other fonts don't matter: the mean brightness of each block of a screenshot.

A look has a digit of 36 for each block, and a line for each row of blocks, of the header and of the main part of a page. What is
compared: how much is drawn at all, how high it is, and how bright the blocks are on average. So lines may break elsewhere, but a
part that is missing, or that nobody can read on its ground, is noticed.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from scripts import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from playwright.sync_api import Page

REFERENCES = ROOT / "packages/website/tests/looks"
REPORTS = ROOT / "reports/website-looks"
HEIGHT = 1600
# The width of the screen, with how many blocks a row has.
WIDTHS = {1280: 48, 390: 24}
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
PARTS = ("header", "main")
# Rows of blocks for each of the parts.
Look = dict[str, list[str]]

# The screenshot is read in the browser itself, which can decode it.
_REDUCE = """async ([png, columns, top, bottom]) => {
  const image = await createImageBitmap(await (await fetch("data:image/png;base64," + png)).blob());
  const {width} = image, height = Math.max(0, Math.min(image.height, bottom) - top);
  if (height < width / columns) return [];
  const canvas = new OffscreenCanvas(width, height).getContext("2d");
  canvas.drawImage(image, 0, -top);
  const {data} = canvas.getImageData(0, 0, width, height);
  const size = width / columns, rows = Math.floor(height / size);
  const sums = Array.from({length: rows}, () => new Float64Array(columns)), counts = sums.map((row) => row.slice());
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
    const row = Math.floor(y / size), column = Math.floor(x / size), at = 4 * (y * width + x);
    if (row >= rows) continue;
    sums[row][column] += 0.2126 * data[at] + 0.7152 * data[at + 1] + 0.0722 * data[at + 2];
    counts[row][column]++;
  }
  return sums.map((row, r) => [...row].map((sum, c) => Math.round(sum / counts[r][c] * 35 / 255)));
}"""
_DRAW = """async ([looks, size]) => {
  const columns = Math.max(...looks.map((look) => look[0]?.length ?? 0)), rows = Math.max(...looks.map((look) => look.length));
  const picture = new OffscreenCanvas((columns + 1) * looks.length * size, rows * size);
  const canvas = picture.getContext("2d");
  looks.forEach((look, at) => look.forEach((row, y) => row.forEach((level, x) => {
    canvas.fillStyle = `rgb(${Array(3).fill(Math.round(level * 255 / 35)).join(" ")})`;
    canvas.fillRect((at * (columns + 1) + x) * size, y * size, size, size);
  })));
  const bytes = new Uint8Array(await (await picture.convertToBlob()).arrayBuffer());
  return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ""));
}"""


def look_of(page: Page, paper: Page) -> Look:
    """Return the look of a page as it is now; `paper` is a page on which a screenshot can be read."""
    png = base64.b64encode(page.screenshot()).decode()
    columns = WIDTHS[page.viewport_size["width"] if page.viewport_size else 0]
    look: Look = {}
    for part in PARTS:
        box = page.locator(part).first.bounding_box() or {"y": 0, "height": 0}
        place = [round(box["y"]), round(box["y"] + box["height"])]
        rows: list[list[int]] = paper.evaluate(_REDUCE, [png, columns, *place])
        look[part] = ["".join(DIGITS[level] for level in row) for row in rows]
    return look


def differences(expected: Look, actual: Look) -> list[str]:
    """Return what has changed more than other fonts explain."""
    found = []
    for part in PARTS:
        before, after = expected[part], actual[part]
        if _far(len(after), len(before)) or _far(ink(after), ink(before)):
            found.append(
                f"{part}: {len(after)} rows of blocks for {len(before)}, "
                f"and {ink(after) / (ink(before) + 1):.0%} of what was drawn"
            )
        changed = [
            abs(one - other)
            for row, other_row in zip(before, after, strict=False)
            for one, other in zip(levels(row), levels(other_row), strict=True)
        ]
        if changed and sum(changed) / len(changed) > MOST_CHANGED:
            found.append(f"{part}: blocks differ by {sum(changed) / len(changed):.1f} of 35")
    return found


def _far(after: float, before: float) -> bool:
    return not LEAST_KEPT <= (after + 1) / (before + 1) <= 1 / LEAST_KEPT


LEAST_KEPT = 0.7
# Of 35: lines that break elsewhere change blocks by about 1.
MOST_CHANGED = 2.5


def ink(rows: Sequence[str]) -> float:
    """Return how much is drawn in these rows: how far blocks are from the ground, the brightness that most have."""
    blocks = [level for row in rows for level in levels(row)]
    ground = max(set(blocks), key=blocks.count, default=0)
    return sum(abs(level - ground) for level in blocks)


def levels(row: str) -> list[int]:
    return [DIGITS.index(digit) for digit in row]


def save_pictures(paper: Page, name: str, expected: Look, actual: Look) -> Path:
    """Write a picture that has the expected look on the left and the actual one on the right; return its path."""
    looks = [[levels(row) for part in PARTS for row in look[part]] for look in (expected, actual)]
    REPORTS.mkdir(parents=True, exist_ok=True)
    path = REPORTS / f"{name}.png"
    path.write_bytes(base64.b64decode(paper.evaluate(_DRAW, [looks, 12])))
    return path


def reference_path(page: str) -> Path:
    """Return where the looks of a page are kept."""
    return REFERENCES / f"{page.strip('/').replace('/', '-') or 'home'}.json"


def read_references(page: str) -> dict[str, Look]:
    """Return the expected looks of a page; none if it is new."""
    path = reference_path(page)
    found: dict[str, Look] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return found


def write_references(page: str, looks: dict[str, Look]) -> None:
    """Keep the looks of a page as the expected ones."""
    REFERENCES.mkdir(exist_ok=True)
    text = json.dumps(looks, indent=1)
    reference_path(page).write_text(text + "\n", "utf-8")
