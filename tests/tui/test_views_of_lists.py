"""Lists, the editor, the line at the bottom, the pager and a long answer, as they look in windows of several sizes."""

from collections.abc import Callable

import pytest

from codi.frontends.tui.composer import Composer
from codi.frontends.tui.keymap import Keymap
from codi.frontends.tui.lines import line
from codi.frontends.tui.markdown import Markdown
from codi.frontends.tui.pager import Pager
from codi.frontends.tui.panes import Pane
from codi.frontends.tui.picker import Choice, Picker
from codi.frontends.tui.popup import Completion, Popup
from codi.frontends.tui.status import Status
from codi.frontends.tui.view import View
from codi.protocol.events import (
    Entry,
    Fact,
    MessageAdded,
    ModelChosen,
    ModelDescribed,
    ReplyFacts,
    SessionOpened,
    ThinkingChosen,
    TitleGiven,
    TodoItem,
    TodoWritten,
)
from codi.protocol.messages import Cost, Message, Text, Usage
from golden import GOLDEN
from pictures import SIZES, TINY, compare, fits, of_lines

CHOICES = [
    Choice("claude-one", 1, "200k, $3 in, $15 out"),
    Choice("another model with a long name", 2, "128k"),
    Choice("no key", 3, unavailable="no key: codi auth login"),
    *(Choice(f"model-{number}", number) for number in range(40)),
]


def picker(*keys: tuple[str, str]) -> Pane:
    pane = Picker("model", CHOICES, lambda choice: None, keys={"ctrl+s": ("star", lambda choice: None)})
    for key in keys:
        pane.take(key)
    return pane


def composer(text: str, *, mode: str = "", popup: bool = False, paste: str = "") -> Pane:
    pane = Composer(Keymap(), lambda typed: None, lambda action: False)
    pane.take(("text", text))
    if paste:
        pane.take(("paste", paste))
    pane.mode = mode
    if popup:
        pane.popup = Popup(0, len(text), [Completion(f"/model{number}", "choose a model") for number in range(9)])
    return pane


class StatusPane:
    def __init__(self, used: int = 1000, cost: float | None = 0.5, *, full: bool = False) -> None:
        self.status = Status("/home/me/home/project", "/home/me")
        usage = Usage(
            input=used,
            output=345,
            cache_read=900 if full else 0,
            cost=None if cost is None else Cost(input=cost),
        )
        message = MessageAdded(Message("assistant", (Text("x"),)), ReplyFacts(stop="stop", usage=usage))
        described = ModelDescribed(
            provider="p", model_id="fast-model", api="a", thinking="high", window=200_000, max_output=1
        )
        facts: list[Fact] = [ModelChosen("p", "fast-model"), described, message]
        if full:
            todo = TodoWritten((TodoItem("a", "completed"), TodoItem("b", "pending")))
            git = SessionOpened("1", git={"branch": "main", "dirty": True})
            facts += [ThinkingChosen("high"), TitleGiven("Faster 漢字"), todo, git]
        for fact in facts:
            self.status.hear(Entry("1", None, 0.0, fact))

    def take(self, what: tuple[str, str]) -> bool:
        return False

    def view(self, rows: int, columns: int) -> View:
        return of_lines([self.status.line(columns)])


def pager(*keys: tuple[str, str], **more: bool) -> Pane:
    lines = [line(f"line {number} of it", "text") for number in range(1, 101)]
    pane = Pager(
        "transcript", lambda columns: [line(row[0][0][:columns], "text") for row in lines], lambda: None, **more
    )
    pane.view(10, 40)
    for key in keys:
        pane.take(key)
    return pane


PANES: dict[str, Callable[[], Pane]] = {
    "picker": picker,
    "picker-down": lambda: picker(("key", "down"), ("key", "down")),
    "picker-found": lambda: picker(("text", "long")),
    "picker-nothing": lambda: picker(("text", "zzz")),
    "composer": lambda: composer("What is this, and what is it for? " * 4),
    "composer-plan": lambda: composer("漢字 🙂", mode="plan"),
    "composer-popup": lambda: composer("/mod", popup=True),
    "composer-paste": lambda: composer("see ", paste="line\n" * 30),
    "status": StatusPane,
    "status-full": lambda: StatusPane(full=True),
    "status-warning": lambda: StatusPane(150_000),
    "status-error": lambda: StatusPane(190_000),
    "status-unknown-cost": lambda: StatusPane(cost=None),
    "pager": pager,
    "pager-end": lambda: pager(at_end=True),
    "pager-search": lambda: pager(("text", "/"), ("text", "line 5")),
    "pager-found": lambda: pager(("text", "/"), ("text", "line 50"), ("key", "enter")),
}  # fmt: skip


@pytest.mark.parametrize("rows, columns", SIZES)
@pytest.mark.parametrize("name", PANES)
def test_a_pane_looks_as_it_did(name, rows, columns):
    compare(name, rows, columns, PANES[name]().view(rows, columns))


@pytest.mark.parametrize("name", PANES)
def test_a_pane_fits_into_any_window(name):
    for rows, columns in TINY:
        view = PANES[name]().view(rows, columns)
        fits(view, columns)
        assert len(view.lines) <= rows
        assert view.caret is None or (0 <= view.caret[0] < len(view.lines) and 0 <= view.caret[1] < columns)


@pytest.mark.parametrize("rows, columns", SIZES)
def test_a_long_answer_looks_as_it_did(rows, columns):
    compare("markdown", rows, columns, of_lines(Markdown(GOLDEN).lines(columns)))


def test_a_long_answer_fits_into_any_window():
    for _, columns in TINY:
        fits(of_lines(Markdown(GOLDEN).lines(columns)), columns)
