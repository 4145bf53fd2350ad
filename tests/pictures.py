"""What a view looks like, kept beside the tests: its lines, and under each the styles of its stretches.

A line stands behind `|`; under it, behind `:`, stand `COLUMN+CELLS STYLE` of every stretch that has one. The caret is the last line.
With CODI_RENEW=1 in the environment the pictures are drawn anew instead of compared; what has changed then shows in the diff.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from codi.frontends.tui.cells import width
from codi.frontends.tui.lines import Line, line_width
from codi.frontends.tui.view import View

SIZES = ((24, 80), (40, 120), (10, 40))
TINY = ((1, 1), (1, 2), (2, 1), (3, 3), (2, 7), (5, 12), (8, 29), (50, 200))
"""Rows and columns."""

_FOLDER = Path(__file__).parent / "tui" / "pictures"
_RENEWS = os.environ.get("CODI_RENEW") == "1"


def drawn(view: View) -> str:
    """The picture as it is kept."""
    rows = [row for line in view.lines for row in _row(line)]
    return "\n".join([*rows, *([f"caret {view.caret[0]},{view.caret[1]}"] if view.caret else [])]) + "\n"


def compare(name: str, rows: int, columns: int, view: View) -> None:
    """With the picture that is kept; nothing of it is wider or higher than the window."""
    fits(view, columns)
    path = _FOLDER / f"{name}-{columns}x{rows}.txt"
    if _RENEWS:
        path.parent.mkdir(exist_ok=True)
        path.write_text(drawn(view))
    assert path.exists(), f"there is no picture {path.name}; CODI_RENEW=1 draws it"
    assert drawn(view) == path.read_text(), f"{path.name} looks otherwise; CODI_RENEW=1 draws it anew"


def fits(view: View, columns: int) -> None:
    """Every line is at most so wide."""
    wide = [line for line in view.lines if line_width(line) > columns]
    assert not wide, f"wider than {columns}: {wide}"
    assert not any("\n" in text or "\t" in text for line in view.lines for text, _ in line)


def of_lines(lines: Sequence[Line]) -> View:
    return View(lines)


def _row(line: Line) -> list[str]:
    text, at, styles = "", 0, []
    for piece, style in line:
        if style and piece:
            styles.append(f"{at}+{width(piece)} {style}")
        text += piece
        at += width(piece)
    told = [f":{', '.join(styles)}"] if styles else []
    return ["|" + re.sub(r" +$", lambda found: "·" * len(found[0]), text), *told]
