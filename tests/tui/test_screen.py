"""The screen after any updates is the screen of a full redraw, and the scrollback holds what was committed."""

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st

from codi.frontends.tui.cells import width
from codi.frontends.tui.screen import Row, Screen

ROWS, COLUMNS = 8, 20

_TEXT = st.text(alphabet="ab cé漢🙂", max_size=12).filter(lambda text: width(text) <= COLUMNS)
_RUN = st.tuples(st.sampled_from(["", "\x1b[31m"]), _TEXT)
_ROW = st.lists(_RUN, max_size=2).map(tuple).filter(lambda row: sum(width(text) for _, text in row) <= COLUMNS)
_FRAME = st.tuples(st.lists(_ROW, max_size=4), st.lists(_ROW, min_size=1, max_size=ROWS))


class Eye:
    """A terminal that can be looked at."""

    def __init__(self, rows: int = ROWS, columns: int = COLUMNS) -> None:
        self.screen = pyte.HistoryScreen(columns, rows, history=10_000, ratio=1)
        self._stream = pyte.Stream(self.screen)
        self.written: list[str] = []

    def write(self, text: str) -> None:
        self.written.append(text)
        self._stream.feed(text)

    @property
    def lines(self) -> list[str]:
        """All that was printed, scrollback first, without empty rows at the end."""
        above = [_text(row, self.screen.columns) for row in self.screen.history.top]
        rows = [*above, *(_text(self.screen.buffer[at], self.screen.columns) for at in range(self.screen.lines))]
        while rows and not rows[-1]:
            rows.pop()
        return rows


def _text(row: dict[int, pyte.screens.Char], columns: int) -> str:
    return "".join(row[at].data for at in range(columns)).rstrip()


def _shown(rows: list[Row]) -> list[str]:
    texts = ["".join(text for _, text in row).rstrip() for row in rows]
    while texts and not texts[-1]:
        texts.pop()
    return texts


@settings(max_examples=300, deadline=None)
@given(st.lists(_FRAME, min_size=1, max_size=8), st.integers(0, 5))
def test_after_any_updates_the_screen_is_that_of_a_full_redraw(
    frames: list[tuple[list[Row], list[Row]]], before: int
) -> None:
    eye = Eye()
    eye.write("x\r\n" * before)
    screen = Screen(eye.write, ROWS, COLUMNS)
    printed: list[Row] = []
    for committed, live in frames:
        screen.draw(committed, live, (len(live) - 1, 0))
        printed += committed
        assert eye.lines == ["x"] * before + _shown([*printed, *live])
        assert eye.screen.cursor.x == 0


def test_a_row_that_grew_costs_what_was_added() -> None:
    eye = Eye(24, 80)
    screen = Screen(eye.write, 24, 80)
    live: list[Row] = [(("", "some words of an answer"),), (), (("\x1b[2m", "─" * 80),), (("", "> "),)]
    screen.draw((), live, (3, 2))
    eye.written.clear()
    screen.draw((), [(("", "some words of an answer, and more"),), *live[1:]], (3, 2))
    assert "and more" in eye.written[0] and "words" not in eye.written[0]
    assert len(eye.written[0]) < 50


def test_a_row_between_others_moves_them_without_sending_them() -> None:
    eye = Eye(24, 80)
    screen = Screen(eye.write, 24, 80)
    live: list[Row] = [(("", "one"),), (("", "editor"),), (("", "status"),)]
    screen.draw((), live, (1, 0))
    eye.written.clear()
    screen.draw((live[0],), [(("", "two"),), *live[1:]], (1, 0))
    assert "editor" not in eye.written[0] and "one" not in eye.written[0]
    assert eye.lines == ["one", "two", "editor", "status"]
    assert (eye.screen.cursor.y, eye.screen.cursor.x) == (2, 0)
