"""The simple commands of a line, as far as it is understood for certain."""

import re

from msgspec import Struct

from codi.protocol.effects import Runs

_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./ -]+")


class Part(Struct, frozen=True):
    words: tuple[str, ...]
    text: str
    cwd: str


class Parts(Struct, frozen=True):
    """`doubts` are what is not understood and asks; `writes` are the targets of redirections, None one that is not known."""

    commands: tuple[Part, ...] = ()
    writes: tuple[str | None, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Nothing but commands, all of them understood."""
        return not self.doubts and not self.writes


def parts_of(command: Runs) -> Parts:
    line = command.line
    if isinstance(command.command, tuple):
        return Parts((Part(command.command, line, command.cwd),))
    if _PLAIN.fullmatch(line) and (words := tuple(line.split())):
        return Parts((Part(words, line.strip(), command.cwd),))
    return Parts(doubts=("is not understood",))
