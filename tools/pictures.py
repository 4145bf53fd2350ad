"""Draws the pictures of the documentation: the real program in a terminal, with a scripted model, as it looks then.

    .venv/bin/python tools/pictures.py [FOLDER]

Each picture is an SVG of text in `docs/pictures`, so it can be read, searched and compared.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import pyte  # noqa: E402 - the folder above is where the next ones are

from codi.lab.running import running  # noqa: E402
from conftest import Codi, call, says  # noqa: E402
from eye import Terminal  # noqa: E402

_CELL, _LINE, _EDGE, _SIZE = 8.43, 18, 14, 14
_PAPER, _INK = "#15171c", "#d4d7dd"
_NAMED = {
    "default": _INK, "black": "#3b4048", "red": "#e06c75", "green": "#98c379", "brown": "#e5c07b", "blue": "#61afef",
    "magenta": "#c678dd", "cyan": "#56b6c2", "white": "#d4d7dd",
}  # fmt: skip
_ASKED = "› n no"

_BEFORE = '''"""What is in the larder."""


def total(prices):
    """The sum of all prices."""
    result = 0
    for price in prices[1:]:
        result += price
    return result
'''
_ANSWER = """The loop began with the **second** price, so a larder with one jar cost nothing.

- `total` adds all of them now
- nothing else calls it
"""


def _draw(lines: list[list[pyte.screens.Char]], columns: int) -> str:
    """An SVG of rows of cells. Each run of one look is placed by its column, so no font can shift it."""
    wide, high = columns * _CELL + 2 * _EDGE, len(lines) * _LINE + 2 * _EDGE
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high}" width="{wide:.0f}" height="{high}" '
        f'font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,DejaVu Sans Mono,monospace" font-size="{_SIZE}">',
        f'<rect width="100%" height="100%" rx="8" fill="{_PAPER}"/>',
    ]
    for row, cells in enumerate(lines):
        y = _EDGE + row * _LINE
        for at, text, look in _runs(cells):
            ink, paper = _colour(look.fg, _INK), _colour(look.bg, _PAPER)
            if look.reverse:
                ink, paper = paper, ink
            x, span = _EDGE + at * _CELL, len(text) * _CELL
            if paper != _PAPER:
                out.append(f'<rect x="{x:.1f}" y="{y}" width="{span:.1f}" height="{_LINE}" fill="{paper}"/>')
            if text.strip():
                bold = ' font-weight="bold"' if look.bold else ""
                slant = ' font-style="italic"' if look.italics else ""
                out.append(
                    f'<text x="{x:.1f}" y="{y + 13}" fill="{ink}"{bold}{slant} textLength="{span:.1f}" '
                    f'xml:space="preserve">{escape(text)}</text>'
                )
    return "\n".join([*out, "</svg>"]) + "\n"


def _runs(cells: list[pyte.screens.Char]) -> Iterator[tuple[int, str, pyte.screens.Char]]:
    """Neighbours that look the same, with the column at which they begin."""
    begin = 0
    for at in range(1, len(cells) + 1):
        if at == len(cells) or cells[at]._replace(data="") != cells[begin]._replace(data=""):
            text = "".join(cell.data for cell in cells[begin:at])
            kept = text.rstrip() if cells[begin].bg == "default" and not cells[begin].reverse else text
            if kept:
                lead = len(kept) - len(kept.lstrip())
                yield (begin + lead, kept[lead:], cells[begin]) if kept.strip() else (begin, kept, cells[begin])
            begin = at


def _colour(name: str, usual: str) -> str:
    return usual if name == "default" else _NAMED.get(name.removeprefix("bright"), f"#{name}")


def _seen(talk: Terminal, *, all_of_it: bool = False) -> str:
    """What stands on the screen, or all that was printed, without empty rows around it."""
    columns = talk.screen.columns
    rows = [
        *(talk.screen.history.top if all_of_it else ()),
        *(talk.screen.buffer[at] for at in range(talk.screen.lines)),
    ]
    lines = [[row[at] for at in range(columns)] for row in rows]
    while lines and not "".join(cell.data for cell in lines[-1]).strip():
        lines.pop()
    while lines and not "".join(cell.data for cell in lines[0]).strip():
        lines.pop(0)
    return _draw(lines, columns)


class Stage:
    """A person's home with a project in it, and a model that says what is written here."""

    def __init__(self, folder: Path) -> None:
        self.codi = Codi(folder / "home", folder / "person" / "larder")
        self.codi.cwd.mkdir(parents=True)
        (self.codi.cwd / "larder.py").write_text(_BEFORE)
        (self.codi.cwd / "test_larder.py").write_text(
            "from larder import total\n\n\ndef test_total():\n    assert total([2]) == 2\n"
        )
        self._open: list[Terminal] = []

    def talk(self, *words: str, rows: int = 34, columns: int = 96) -> Terminal:
        talk = Terminal(self.codi, *words, rows=rows, columns=columns, COLORTERM="truecolor")
        self._open.append(talk)
        if words[:1] != ("policy",):
            talk.wait_for("codi 0")
        return talk

    def close(self) -> None:
        for each in self._open:
            each.close()


_EDIT = call("edit", path="larder.py", old_text="for price in prices[1:]:", new_text="for price in prices:")


def _conversation(stage: Stage) -> str:
    talk = stage.talk()
    talk.type("why is a single jar free? mend it\r")
    talk.wait_for("edit wants to:", _ASKED)
    talk.type("y")
    talk.wait_for("nothing else calls it", "3 steps,")
    talk.watch(0.2)
    return _seen(talk, all_of_it=True)


def _approval(stage: Stage) -> str:
    talk = stage.talk(rows=28)
    talk.type("publish it\r")
    talk.wait_for("shell wants to:", _ASKED)
    return _seen(talk)


def _tree(stage: Stage) -> str:
    talk = stage.talk(rows=16)
    talk.type("what is in the larder?\r")
    talk.wait_for("1 step,")
    talk.type("and in the cellar?\r")
    talk.wait_for("1 step,", times=2)
    talk.type("/tree\r")
    talk.wait_for("tree ", "you: what is in")
    return _seen(talk)


def _undo(stage: Stage) -> str:
    talk = stage.talk("-y", rows=22)
    talk.type("mend the sum\r")
    talk.wait_for("3 steps,")
    talk.type("/undo --conversation\r")
    talk.wait_for("Take this back?")
    return _seen(talk)


def _policy(stage: Stage) -> str:
    talk = stage.talk("policy", "explain", "git status && git push --force origin main", rows=20, columns=112)
    talk.end()
    return _seen(talk)


_READ = call("read", path="larder.py")
PICTURES: dict[str, tuple[Callable[[Stage], str], list[dict[str, Any]]]] = {
    "conversation": (_conversation, [says("I look at it first.", _READ), says("", _EDIT), says(_ANSWER)]),
    "approval": (_approval, [says("", call("shell", command="git add -A && git push --force origin main"))]),
    "tree": (_tree, [says("Jars: plum, quince and pear."), says("Wine, and a cat.")]),
    "undo": (
        _undo,
        [
            says("", _READ),
            says("", call("write", path="larder.py", content=_BEFORE.replace("[1:]", ""))),
            says("Done."),
        ],
    ),
    "policy": (_policy, [says("")]),
}
"""By name: how it is made, and what the model says meanwhile."""


def picture(name: str) -> str:
    """One of them as SVG."""
    made, script = PICTURES[name]
    with tempfile.TemporaryDirectory() as folder, running(script) as server:
        stage = Stage(Path(folder))
        stage.codi.use(server)
        stage.codi.env["CODI_MODEL"] = "anthropic/claude-sonnet-4-5"
        try:
            return made(stage)
        finally:
            stage.close()


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures"
    target.mkdir(parents=True, exist_ok=True)
    for name in PICTURES:
        (target / f"{name}.svg").write_text(picture(name), encoding="utf-8")


if __name__ == "__main__":
    main()
