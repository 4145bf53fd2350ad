"""Changed files, previews, parts of the transcript, pictures and lists with what they are about, in windows of several sizes."""

import base64
from collections.abc import Callable

import pytest

from codi.frontends.tui.blocks.look import Look
from codi.frontends.tui.blocks.notice import NoticeBlock
from codi.frontends.tui.blocks.speech import UserBlock
from codi.frontends.tui.blocks.tools import ToolBlock
from codi.frontends.tui.changes_view import ChangesView
from codi.frontends.tui.composer import Composer
from codi.frontends.tui.images.gallery import Gallery
from codi.frontends.tui.keymap import Keymap
from codi.frontends.tui.lines import line, wrapped
from codi.frontends.tui.pager import Pager
from codi.frontends.tui.panes import Pane
from codi.frontends.tui.picker import Choice, Picker
from codi.frontends.tui.transcript import Pages
from codi.frontends.tui.vim import Vim
from codi.protocol.events import ChangedFileRow
from codi.protocol.messages import Image, Text, ToolResult
from pictures import SIZES, TINY, compare, fits, of_lines

WIDE = (40, 160)
OLD, NEW = "1" * 40, "2" * 40
EDIT = (
    "diff --git a/src/area.py b/src/area.py", f"index {OLD}..{NEW}", "--- a/src/area.py", "+++ b/src/area.py",
    "@@ -8,3 +8,3 @@ def area(width, height):", "     # 漢字", "-    return width + height", "+    return width * height", " ",
)  # fmt: skip
FILES = (
    ChangedFileRow(path="src/area.py", kind="modified", before=OLD, after=NEW, added=1, removed=1, owner="agent", steps=(1,),
                   by="agent turn 1", patch=EDIT),
    ChangedFileRow(path="logo.png", kind="created", before=None, after=NEW, added=None, removed=None, owner="agent", steps=(2,),
                   by="shell in turn 2", patch=("diff --git a/logo.png b/logo.png", "new file mode 100644",
                                                "Binary files /dev/null and b/logo.png differ (5B)")),
    ChangedFileRow(path="run.sh", kind="mode", before=OLD, after=OLD, added=0, removed=0, owner="person", steps=(3,), by="outside",
                   patch=("diff --git a/run.sh b/run.sh", "old mode 100644", "new mode 100755")),
    ChangedFileRow(path="b.txt", kind="moved", before=None, after=OLD, added=0, removed=0, owner="agent", steps=(4,), by="agent",
                   patch=("diff --git a/a.txt b/b.txt", "rename from a.txt", "rename to b.txt")),
)  # fmt: skip


def changes(*keys: tuple[str, str]) -> Pane:
    view = ChangesView(FILES)
    return pressed(Pager("changes", view.lines, lambda: None, toggle=view.toggle, blocks=view.blocks), *keys)


def transcript(*keys: tuple[str, str]) -> Pane:
    tool = ToolBlock(Look(), "1", "read", {"path": "a.py"})
    tool.start("read", {"path": "a.py"})
    tool.end(ToolResult("1", (Text("\n".join(f"line {number}" for number in range(1, 15))),)))
    pages = Pages([UserBlock("Look at it."), tool, NoticeBlock("info", "1 step")], whole=False)
    pane = Pager("transcript", pages.lines, lambda: None, blocks=pages.starts, expand=pages.expand)
    return pressed(pane, *keys)


def preview() -> Pane:
    lines = [line("would be taken back:", "text"), line("  modified  a.py", "text")]
    return Pager("undo, a preview", lambda columns: lines if columns > 20 else [], lambda: None, go_on=lambda: None)


def list_with_preview() -> Pane:
    def told(choice: Choice, columns: int) -> list[tuple[tuple[str, str], ...]]:
        return wrapped(((f"All that is known of {choice.text}, 漢字 and all. " * 3, "dim"),), columns)

    rows = [Choice(f"session {number}", number, f"{number}h") for number in range(1, 9)]
    return pressed(Picker("session", rows, lambda choice: None, preview=told), ("key", "down"))


def vim(*keys: tuple[str, str]) -> Pane:
    pane = Composer(Keymap(), lambda typed: None, lambda action: False)
    pane.modal = Vim(lambda: pane.editor, lambda step: None)
    pane.mode = "plan"
    return pressed(pane, ("text", "one two three"), *keys)


def pressed(pane: Pane, *keys: tuple[str, str]) -> Pane:
    pane.view(24, 80)
    for key in keys:
        pane.take(key)
    return pane


PANES: dict[str, Callable[[], Pane]] = {
    "changes": changes,
    "changes-walked": lambda: changes(("key", "tab"), ("key", "tab")),
    "changes-turned": lambda: changes(("text", "s")),
    "transcript-part": lambda: transcript(("key", "tab"), ("key", "tab")),
    "transcript-expanded": lambda: transcript(("key", "tab"), ("key", "tab"), ("key", "enter")),
    "transcript-copied": lambda: transcript(("key", "tab"), ("text", "c")),
    "preview": preview,
    "list-beside": list_with_preview,
    "vim-insert": vim,
    "vim-visual": lambda: vim(("key", "esc"), ("text", "vb")),
    "vim-search": lambda: vim(("key", "esc"), ("text", "/tw")),
}


@pytest.mark.parametrize("rows, columns", (*SIZES, WIDE))
@pytest.mark.parametrize("name", PANES)
def test_a_view_looks_as_it_did(name, rows, columns):
    compare(f"work-{name}", rows, columns, PANES[name]().view(rows, columns))


@pytest.mark.parametrize("name", PANES)
def test_a_view_fits_into_any_window(name):
    for rows, columns in (*TINY, (24, 120), (6, 121)):
        view = PANES[name]().view(rows, columns)
        fits(view, columns)
        assert len(view.lines) <= rows


def test_a_picture_keeps_its_place_among_the_lines():
    data = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (800).to_bytes(4, "big") + (600).to_bytes(4, "big")
    gallery = Gallery({"TERM": "xterm-kitty"}, lambda text: None, lambda: (24, 80))
    gallery.hear("[6;20;10t")
    look = Look()
    look.picture = gallery.lines
    lines = UserBlock("See.", [Image(base64.b64encode(data).decode(), "image/png")], look).lines(80)
    assert len(lines) == 3 + 18 and lines[-1][-1][1].endswith("48x18")
    fits(of_lines(lines), 80)
