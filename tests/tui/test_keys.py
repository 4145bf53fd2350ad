"""What keys say, in each way in which terminals tell them, however the bytes are cut."""

import pytest

from codi.frontends.tui.keymap import ACTIONS, Keymap
from codi.frontends.tui.keys import Keys

LEGACY = {
    b"\x03": "ctrl+c", b"\x04": "ctrl+d", b"\x0f": "ctrl+o", b"\x1a": "ctrl+z", b"\x0a": "ctrl+j", b"\r": "enter",
    b"\t": "tab", b"\x1b[Z": "shift+tab", b"\x7f": "backspace", b"\x1b\x7f": "alt+backspace", b"\x1f": "ctrl+-",
    b"\x1d": "ctrl+]", b"\x1b\r": "alt+enter", b"\x1bd": "alt+d", b"\x1b[A": "up", b"\x1bOA": "up", b"\x1b[1;3A": "alt+up",
    b"\x1b[1;5C": "ctrl+right", b"\x1b[1;2D": "shift+left", b"\x1b[3~": "delete", b"\x1b[5~": "pgup", b"\x1b[6~": "pgdn",
    b"\x1b[H": "home", b"\x1b[1~": "home", b"\x1bOF": "end", b"\x1bt": "alt+t", b"\x1b[15~": "f5",
}  # fmt: skip
OTHER_KEYS = {
    b"\x1b[27;2;13~": "shift+enter", b"\x1b[27;5;99~": "ctrl+c", b"\x1b[27;6;112~": "shift+ctrl+p",
    b"\x1b[27;5;93~": "ctrl+]", b"\x1b[27;3;45~": "alt+-", b"\x1b[27;5;45~": "ctrl+-",
}  # fmt: skip
KITTY = {
    b"\x1b[27u": "esc", b"\x1b[13;2u": "shift+enter", b"\x1b[13;3u": "alt+enter", b"\x1b[99;5u": "ctrl+c",
    b"\x1b[99;5:1u": "ctrl+c", b"\x1b[112;6u": "shift+ctrl+p", b"\x1b[45;5u": "ctrl+-", b"\x1b[9;2u": "shift+tab",
    b"\x1b[127;3u": "alt+backspace", b"\x1b[1;3:1A": "alt+up", b"\x1b[116;3u": "alt+t", b"\x1b[57420u": "down",
}  # fmt: skip


@pytest.mark.parametrize(("data", "key"), [*LEGACY.items(), *OTHER_KEYS.items(), *KITTY.items()])
def test_a_key_is_the_same_however_its_bytes_come(data, key):
    assert Keys().feed(data) == [("key", key)]
    for cut in range(1, len(data)):
        keys = Keys()
        assert [*keys.feed(data[:cut]), *keys.feed(data[cut:]), *keys.flush()] == [("key", key)]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("é漢🙂".encode(), [("text", "é漢🙂")]),
        (b"\x1b[97;2u", [("text", "A")]),
        (b"\x1b[200~/x\r\ny\x1b[31m\x1b[201~z", [("paste", "/x\ny\x1b[31m"), ("text", "z")]),
        (b"\x1b[99;5:3u", []),
        (b"\x1b[I\x1b[O", [("focus", "in"), ("focus", "out")]),
        (b"\x1b[?62;22c", [("report", "[?62;22c")]),
        (b"\xff\xfe", [("text", "\ufffd\ufffd")]),
    ],
)
def test_text_pastes_and_answers_too(data, told):
    for cut in range(len(data)):
        keys = Keys()
        found = [*keys.feed(data[:cut]), *keys.feed(data[cut:]), *keys.flush()]
        assert [(kind, "".join(t for k, t in found if k == kind)) for kind in dict.fromkeys(k for k, _ in found)] == [
            (kind, "".join(t for k, t in told if k == kind)) for kind in dict.fromkeys(k for k, _ in told)
        ]


def test_escape_alone_is_known_by_nothing_following():
    keys = Keys()
    assert keys.feed(b"\x1b") == [] and keys.waits
    assert keys.flush() == [("key", "esc")] and not keys.waits


def test_no_default_key_means_two_things():
    keymap = Keymap()
    assert not keymap.complaints
    assert all(keymap.action(key) == action for action, keys in ACTIONS.items() for key in keys)


def test_what_a_person_chooses_goes_first_and_a_clash_is_told():
    keymap = Keymap({"tui.editor.cursorUp": ["Ctrl+P", "up"], "undoo": ["f5"], "redo": ["ctrl+p"]})
    assert keymap.action("ctrl+p") == "cursor-up" and keymap.action("up") == "cursor-up"
    assert keymap.complaints == [
        "unknown action 'undoo', did you mean 'undo'?",
        "ctrl+p is cursor-up, and no longer redo",
        "ctrl+p is cursor-up, and no longer cycle-model-forward",
    ]
