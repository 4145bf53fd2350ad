"""What may be meant by what stands before the caret: commands, their words, files, models, sessions.

It never waits: lists that take time to make are made elsewhere and handed in when they are there.
"""

from collections.abc import Callable, Sequence
from typing import get_args

from codi.commands.command import Command
from codi.commands.registry import Registry, ranked
from codi.frontends.sanitiser import visible
from codi.frontends.tui.popup import Completion, Popup
from codi.protocol.ops import Mode

_MOST = 200


class Completer:
    """`names` gives those of a kind (`model`, `session`, `file` ...) that are known now."""

    def __init__(self, registry: Registry, names: Callable[[str], Sequence[str]]) -> None:
        self._registry = registry
        self._known = names

    def at(self, text: str, caret: int) -> Popup | None:
        """What fits before the caret; None where nothing does."""
        if text.startswith("/") and "\n" not in text[:caret]:
            return self._command(text, caret)
        begin = max(text.rfind(space, 0, caret) for space in (" ", "\n", "\t")) + 1
        word = text[begin:caret]
        if word.startswith("@") and not word.startswith("@@"):
            return self._file(word, begin, caret)
        return None

    def path(self, text: str, caret: int) -> Popup | None:
        """Paths for the word before the caret, whatever it is."""
        begin = max(text.rfind(space, 0, caret) for space in (" ", "\n", "\t")) + 1
        rows = [Completion(name) for name in ranked(text[begin:caret], self._names("file"))[:_MOST]]
        return Popup(begin, caret, rows) if rows else None

    def _command(self, text: str, caret: int) -> Popup | None:
        name, space, rest = text[1:caret].partition(" ")
        if not space:
            rows = [
                Completion(f"/{known.name} ", known.summary)
                for known in map(
                    self._registry.find, ranked(name, [command.name for command in self._registry.commands])
                )
                if known
            ]
            meant = self._registry.find(name) if name else None
            if meant and name.lower() != meant.name:  # another name of it is whole as it stands: enter sends it
                rows.insert(0, Completion(f"/{name} ", f"/{meant.name}: {meant.summary}"))
            return Popup(0, caret, rows) if rows else None
        command = self._registry.find(name)
        if command is None or " " in rest or rest.startswith(("-", "?")) or rest == "help":
            return None  # these are options, or ask how it is written
        rows = [Completion(word) for word in ranked(rest, self._arguments(command))[:_MOST]]
        return Popup(caret - len(rest), caret, rows) if rows and [row.text for row in rows] != [rest] else None

    def _arguments(self, command: Command) -> list[str]:
        words = command.words()
        for form in command.forms:
            words += self._names(form.completes)
        return list(dict.fromkeys(words))

    def _file(self, word: str, begin: int, caret: int) -> Popup | None:
        names = ranked(word[1:], self._names("file"))[:_MOST]
        rows = [Completion(visible(f'@"{name}"' if " " in name else f"@{name}")) for name in names]
        return Popup(begin, caret, rows) if rows else None

    def _names(self, kind: str) -> Sequence[str]:
        if kind == "mode":
            return get_args(Mode)
        if kind == "command":
            return [command.name for command in self._registry.commands]
        return self._known(kind) if kind else ()
