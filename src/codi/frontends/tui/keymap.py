"""Which key does what. Every action has a name, its keys may be chosen, and no key means two things in one place.

The names are those of other terminal agents in our spelling (`cursor-up` for `cursorUp`), so their key files can be read.
"""

from collections.abc import Iterable, Mapping, Sequence

EDITOR: Mapping[str, tuple[str, ...]] = {
    "cursor-up": ("up",),
    "cursor-down": ("down",),
    "cursor-left": ("left", "ctrl+b"),
    "cursor-right": ("right", "ctrl+f"),
    "cursor-word-left": ("alt+left", "ctrl+left", "alt+b"),
    "cursor-word-right": ("alt+right", "ctrl+right", "alt+f"),
    "cursor-line-start": ("home", "ctrl+a"),
    "cursor-line-end": ("end", "ctrl+e"),
    "cursor-start": ("ctrl+home", "alt+<"),
    "cursor-end": ("ctrl+end", "alt+>"),
    "select-left": ("shift+left",),
    "select-right": ("shift+right",),
    "select-up": ("shift+up",),
    "select-down": ("shift+down",),
    "select-word-left": ("shift+alt+left", "shift+ctrl+left"),
    "select-word-right": ("shift+alt+right", "shift+ctrl+right"),
    "select-line-start": ("shift+home",),
    "select-line-end": ("shift+end",),
    "jump-forward": ("ctrl+]",),
    "jump-backward": ("ctrl+alt+]",),
    "delete-char-backward": ("backspace", "shift+backspace", "ctrl+h"),
    "delete-char-forward": ("delete", "shift+delete"),
    "delete-word-backward": ("ctrl+w", "alt+backspace"),
    "delete-word-forward": ("alt+d", "alt+delete"),
    "delete-to-line-start": ("ctrl+u",),
    "delete-to-line-end": ("ctrl+k",),
    "yank": ("ctrl+y",),
    "yank-pop": ("alt+y",),
    "undo": ("ctrl+-", "ctrl+/"),
    "redo": ("alt+-",),
    "new-line": ("shift+enter", "ctrl+j"),
    "submit": ("enter",),
    "follow-up": ("alt+enter",),
    "complete": ("tab",),
    "history-search": ("ctrl+r",),
    "external-editor": ("ctrl+g",),
    "paste-image": ("ctrl+v",),
}
APP: Mapping[str, tuple[str, ...]] = {
    "interrupt": ("esc",),
    "clear": ("ctrl+c",),
    "exit": ("ctrl+d",),
    "suspend": ("ctrl+z",),
    "cycle-mode": ("shift+tab",),
    "select-model": ("ctrl+l",),
    "cycle-model-forward": ("ctrl+p",),
    "cycle-model-backward": ("shift+ctrl+p",),
    "cycle-thinking-level": ("alt+t",),
    "expand-tools": ("ctrl+o",),
    "toggle-thinking": ("ctrl+t",),
    "dequeue": ("alt+up",),
    "undo-turn": ("ctrl+x u",),
    "redo-turn": ("ctrl+x r",),
    "page-up": ("pgup",),
    "page-down": ("pgdn",),
    "redraw": ("ctrl+x l",),
}
ACTIONS: Mapping[str, tuple[str, ...]] = {**EDITOR, **APP}

PREFIX = "ctrl+x"
"""The key after which a second one says what is meant."""


class Keymap:
    """The actions by their keys. `complaints` are what could not be followed in what the person chose."""

    def __init__(self, chosen: Mapping[str, Sequence[str]] | None = None) -> None:
        self.complaints: list[str] = []
        keys = dict(ACTIONS)
        for said, wanted in (chosen or {}).items():
            name = in_our_words(said)
            if name in keys:
                keys[name] = tuple(in_our_order(key) for key in wanted)
            else:
                self.complaints.append(f"unknown action {said!r}{_nearest(name, keys)}")
        self.keys: Mapping[str, tuple[str, ...]] = keys
        self._actions: dict[str, str] = {}
        chosen_names = {in_our_words(said) for said in chosen or {}}
        # What a person chose goes before what was there; of two that they chose the first holds.
        for name in sorted(keys, key=lambda name: name not in chosen_names):
            for key in keys[name]:
                other = self._actions.setdefault(key, name)
                if other != name:
                    self.complaints.append(f"{key} is {other}, and no longer {name}")

    def action(self, key: str) -> str | None:
        return self._actions.get(key)

    def told(self) -> list[str]:
        """What each action's keys are, a line each."""
        return [f"{name:<24}{', '.join(keys)}" for name, keys in self.keys.items()]

    def key_of(self, action: str) -> str:
        """The first key of an action, for hints; "" where it has none."""
        return next(iter(self.keys.get(action, ())), "")


def in_our_words(name: str) -> str:
    """`cursorUp` and `tui.editor.cursorUp` are `cursor-up`."""
    name = name.rpartition(".")[2]
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).replace("_", "-")


def in_our_order(key: str) -> str:
    """`Ctrl+Shift+P` is `shift+ctrl+p`; two keys after one another stay so."""
    if " " in key.strip():
        return " ".join(in_our_order(part) for part in key.split())
    *held, last = (
        key.strip().lower().split("+") if not key.strip().endswith("+") else [*key.strip().lower()[:-2].split("+"), "+"]
    )
    names = {
        "escape": "esc",
        "return": "enter",
        "pageup": "pgup",
        "pagedown": "pgdn",
        "control": "ctrl",
        "option": "alt",
    }
    held = [names.get(word, word) for word in held]
    return "+".join([*(word for word in ("shift", "ctrl", "alt", "super") if word in held), names.get(last, last)])


def _nearest(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # only for who mistyped

    near = get_close_matches(name, list(known), 1)
    return f", did you mean {near[0]!r}?" if near else ""
