"""Every key of the editor and of the interface, in each of the three ways in which terminals tell them."""

import pytest

from codi.frontends.tui.composer import Composer
from codi.frontends.tui.keymap import ACTIONS, APP, EDITOR, PREFIX, Keymap
from codi.frontends.tui.keys import Keys
from conftest import says

ENTER, ESC = "\r", "\x1b"
_FUNCTION = {
    "up": "A", "down": "B", "right": "C", "left": "D", "end": "F", "home": "H",
}  # fmt: skip
_TILDE = {"insert": 2, "delete": 3, "pgup": 5, "pgdn": 6}
_NAMED = {"tab": 9, "enter": 13, "esc": 27, "space": 32, "backspace": 127}
_BITS = {"shift": 1, "alt": 2, "ctrl": 4}
_CONTROL = {"ctrl+]": b"\x1d", "ctrl+-": b"\x1f", "ctrl+/": b"\x1f"}


def _parts(key: str) -> tuple[int, str]:
    *held, name = key.split("+") if not key.endswith("+") else [*key[:-2].split("+"), "+"]
    return sum(_BITS[word] for word in held), name


def kitty(key: str) -> bytes:
    held, name = _parts(key)
    if name in _FUNCTION:
        return f"\x1b[1;{held + 1}{_FUNCTION[name]}".encode()
    if name in _TILDE:
        return f"\x1b[{_TILDE[name]};{held + 1}~".encode()
    return f"\x1b[{_NAMED.get(name) or ord(name)};{held + 1}u".encode()


def other_keys(key: str) -> bytes:
    held, name = _parts(key)
    if name in _FUNCTION or name in _TILDE:
        return kitty(key)
    return f"\x1b[27;{held + 1};{_NAMED.get(name) or ord(name)}~".encode()


def legacy(key: str) -> bytes | None:
    """None where the old way has no bytes of its own for it."""
    held, name = _parts(key)
    if name in _FUNCTION or name in _TILDE:
        if held:
            return kitty(key)
        return f"\x1b[{_FUNCTION[name]}".encode() if name in _FUNCTION else f"\x1b[{_TILDE[name]}~".encode()
    if key in _CONTROL:
        return _CONTROL[key]
    if key == "shift+tab":
        return b"\x1b[Z"
    byte = {"tab": b"\t", "enter": b"\r", "esc": b"\x1b", "backspace": b"\x7f"}.get(name, name.encode())
    if held == 0:
        return byte
    if held == _BITS["alt"]:
        return b"\x1b" + byte
    if held == _BITS["ctrl"] and len(name) == 1 and name.isalpha():
        return bytes([ord(name) - 96])
    return None


def _action(keymap: Keymap, data: bytes) -> str | None:
    keys = Keys()
    found = [*keys.feed(data), *keys.flush()]
    return keymap.action(" ".join(text for _, text in found)) if {kind for kind, _ in found} == {"key"} else None


@pytest.mark.parametrize("way", [kitty, other_keys, legacy])
def test_each_default_key_does_what_it_is_for(way):
    keymap, tried = Keymap(), 0
    for action, keys in ACTIONS.items():
        for key in keys:
            told = [way(part) for part in key.split()[: key.startswith(PREFIX) + 1]]
            if key.startswith(PREFIX):
                told[1] = key.split()[1].encode()
            if None in told or (way is legacy and key in ("ctrl+h",)):
                continue
            if key.startswith(PREFIX):
                assert Keys().feed(told[0]) == [("key", PREFIX)]
            else:
                assert _action(keymap, told[0]) == action, (key, told)
            tried += 1
    assert tried > len(ACTIONS)


def test_what_tui_names_is_bound_as_it_says():
    keymap = Keymap()
    for key, action in {
        "esc": "interrupt", "ctrl+c": "clear", "ctrl+d": "exit", "ctrl+z": "suspend", "shift+tab": "cycle-mode",
        "ctrl+l": "select-model", "ctrl+p": "cycle-model-forward", "shift+ctrl+p": "cycle-model-backward",
        "alt+t": "cycle-thinking-level", "ctrl+o": "expand-tools", "ctrl+t": "toggle-thinking", "alt+enter": "follow-up",
        "alt+up": "dequeue", "ctrl+x u": "undo-turn", "ctrl+x r": "redo-turn", "pgup": "page-up", "pgdn": "page-down",
        "ctrl+r": "history-search", "ctrl+g": "external-editor", "ctrl+v": "paste-image", "shift+enter": "new-line",
        "ctrl+j": "new-line", "ctrl+-": "undo", "alt+-": "redo", "ctrl+k": "delete-to-line-end", "ctrl+u": "delete-to-line-start",
        "ctrl+w": "delete-word-backward", "alt+d": "delete-word-forward", "alt+backspace": "delete-word-backward",
        "ctrl+y": "yank", "alt+y": "yank-pop", "ctrl+]": "jump-forward",
    }.items():  # fmt: skip
        assert keymap.action(key) == action
    assert set(ACTIONS) == {*EDITOR, *APP}


@pytest.mark.parametrize(
    ("typed", "keys", "text", "caret"),
    [
        ("one two", ["ctrl+a", "ctrl+k", "ctrl+y"], "one two", 7),
        ("one two", ["ctrl+w", "ctrl+w", "ctrl+y"], "one two", 7),
        ("one two", ["alt+b", "alt+d", "ctrl+-"], "one two", 4),
        ("one two", ["ctrl+w", "ctrl+-", "alt+-"], "one ", 4),
        ("one two", ["ctrl+a", "ctrl+k", "X", "ctrl+u", "ctrl+y", "alt+y"], "one two", 7),
        ("one two", ["home", "shift+right", "shift+right", "delete"], "e two", 0),
        ("one two", ["home", "ctrl+]", "w"], "one two", 5),
        ("one", ["shift+enter", "T", "up", "end", "Z"], "oneZ\nT", 4),
        ("a漢e\u0301👩\u200d👧", ["left", "left", "backspace"], "ae\u0301👩\u200d👧", 1),
        ("one\ntwo", ["ctrl+home", "!"], "!one\ntwo", 1),
        ("one two", ["shift+ctrl+left", "x"], "one x", 5),
        ("ab", ["ctrl+b", "ctrl+d"], "a", 1),
    ],
)
@pytest.mark.parametrize("way", [kitty, other_keys])
def test_what_keys_make_of_a_text(way, typed, keys, text, caret):
    composer = Composer(Keymap(), lambda sent: None, lambda action: False)
    composer.act = lambda action: composer.do("delete-char-forward") if action == "exit" else False
    composer.paste(typed)
    reader = Keys()
    for key in keys:
        for what in reader.feed(key.encode() if len(key) == 1 else way(key)):
            composer.take(what)
    assert (composer.editor.text, composer.editor.caret) == (text, caret)


def test_keys_are_seen_to_work_in_a_terminal(codi, lab, terminals):
    lab({"loop": True, "steps": [says("Understood.", thinking="hmm")]})
    talk = terminals(rows=30, columns=100)
    talk.type("hello" + ENTER)
    talk.wait_for("1 step,")
    for key, told in (
        (kitty("shift+tab"), "─ accept-edits ─"),
        (legacy("shift+tab"), "─ plan ─"),
        (other_keys("ctrl+l"), "model "),
        (kitty("esc"), ""),
        (kitty("ctrl+o"), "q leave"),
        (b"q", ""),
        (b"\x18u", "there is nothing to take back"),
        (b"\x18r", "there is nothing to put back"),
        (kitty("ctrl+r"), "history:"),
        (kitty("esc"), ""),
        (b"some words" + kitty("shift+ctrl+left") + kitty("ctrl+c"), "copied 5 characters"),
    ):
        talk.type_bytes(key)
        talk.wait_for(told)
        talk.watch(0.05)
    talk.type_bytes(kitty("ctrl+c") * 2)  # the text, then the program
    assert talk.end() == 0


def test_keys_are_bound_anew_and_clashes_told_on_reload(codi, lab, terminals):
    lab([says("never")])
    talk = terminals()
    talk.wait_for("codi 0")
    codi.set_up("ui.keys = {selectModel = ['f5'], redo = ['ctrl+t'], nonsense = ['f6']}")
    talk.type("/reload" + ENTER)
    talk.wait_for(
        "unknown action 'nonsense'",
        "ctrl+t is redo, and no longer toggle-thinking",
        "keys and looks are as the settings say",
    )
    talk.type("\x1b[15~")
    talk.wait_for("model ", "anthropic/claude")
