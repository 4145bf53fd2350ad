"""Veiling a text that comes in pieces, so that a secret cut at any byte is still found."""

from typing import Protocol

_WORD = 16 * 1024
"""Of a word that never ends so much is held back: no secret is longer."""

_SPACES = " \n\t\r"
_MARKS = (b" ", b"\n", b"\t", b"\r")


class Veiling(Protocol):
    def veil(self, text: str) -> str: ...

    def cut(self, data: bytes, most: int) -> int: ...

    def crossing(self, data: bytes, at: int) -> int: ...


class Stream:
    """What comes out of `feed` and `close`, put together, is the text veiled as a whole. Held back is the last word, and what
    may become a secret with the words that follow."""

    def __init__(self, vault: Veiling) -> None:
        self._vault = vault
        self._held = b""

    def feed(self, piece: str) -> str:
        if len(self._held) + len(piece) <= _WORD and piece.isascii() and not any(space in piece for space in _SPACES):
            self._held += piece.encode()  # within a word nothing is known yet
            return ""
        data = self._held + piece.encode("utf-8", "surrogatepass")
        at = self._whole_up_to(data)
        self._held = data[at:]
        return self._vault.veil(data[:at].decode("utf-8", "surrogatepass")) if at else ""

    def close(self) -> str:
        """The rest. Afterwards a new text may begin."""
        rest, self._held = self._held, b""
        return self._vault.veil(rest.decode("utf-8", "surrogatepass"))

    def drop(self) -> None:
        """Forget what is held back: the text was withdrawn."""
        self._held = b""

    def _whole_up_to(self, data: bytes) -> int:
        last = max(map(data.rfind, _MARKS)) + 1
        foreign = len(data)
        while foreign > last and data[foreign - 1] < 128:
            foreign -= 1
        word = max(last, foreign)
        if len(data) - word > _WORD:
            word = self._vault.crossing(data, len(data) - _WORD)
        passed = max(0, word - 2 * _WORD)
        return passed + self._vault.cut(data[passed:], word - passed)
