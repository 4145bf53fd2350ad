"""What a person does at the keyboard, from the bytes that a terminal sends.

Understood are the kitty keyboard protocol (https://sw.kovidgoyal.net/kitty/keyboard-protocol/), xterm's modifyOtherKeys, and
the legacy sequences of VT220 and xterm. Keys are named as one says them: `a`, `ctrl+c`, `alt+enter`, `shift+ctrl+p`, `up`.
"""

Input = tuple[str, str]
"""What came: its kind and a text. Kinds: `key` (its name), `text` (typed characters), `paste` (what was pasted, whole),
`focus` (`in` or `out`), `report` (an answer of the terminal, without its beginning `ESC`)."""

PASTE_BEGINS, PASTE_ENDS = b"\x1b[200~", b"\x1b[201~"
_LONGEST_SEQUENCE = 64
_LONGEST_REPORT = 8192

_CONTROLS = {
    0x00: "ctrl+space", 0x09: "tab", 0x0A: "ctrl+j", 0x0D: "enter", 0x1B: "esc", 0x1C: "ctrl+\\", 0x1D: "ctrl+]",
    0x1E: "ctrl+^", 0x1F: "ctrl+-", 0x7F: "backspace", 0x08: "ctrl+h",
}  # fmt: skip
_FINALS = {
    "A": "up", "B": "down", "C": "right", "D": "left", "E": "begin", "F": "end", "H": "home",
    "P": "f1", "Q": "f2", "R": "f3", "S": "f4", "Z": "shift+tab",
}  # fmt: skip
_TILDES = {
    1: "home", 2: "insert", 3: "delete", 4: "end", 5: "pgup", 6: "pgdn", 7: "home", 8: "end",
    11: "f1", 12: "f2", 13: "f3", 14: "f4", 15: "f5", 17: "f6", 18: "f7", 19: "f8", 20: "f9", 21: "f10", 23: "f11", 24: "f12",
}  # fmt: skip
_CODES = {
    9: "tab", 13: "enter", 27: "esc", 32: "space", 127: "backspace",
    57399: "0", 57400: "1", 57401: "2", 57402: "3", 57403: "4", 57404: "5", 57405: "6", 57406: "7", 57407: "8", 57408: "9",
    57409: ".", 57410: "/", 57411: "*", 57412: "-", 57413: "+", 57414: "enter", 57415: "=",
    57417: "left", 57418: "right", 57419: "up", 57420: "down", 57421: "pgup", 57422: "pgdn", 57423: "home", 57424: "end",
    57425: "insert", 57426: "delete",
}  # fmt: skip
_MODIFIERS = ((1, "shift"), (4, "ctrl"), (2, "alt"), (8, "super"))


class Keys:
    """Takes bytes in pieces of any size, gives what they say. What is not complete waits for the next piece."""

    def __init__(self) -> None:
        self._rest = b""
        self._pasting: list[bytes] | None = None

    @property
    def waits(self) -> bool:
        """Something is begun. If nothing more comes within the time of a key press, `flush` says what it was."""
        return bool(self._rest) and self._pasting is None

    def feed(self, data: bytes) -> list[Input]:
        """What is complete now, in order."""
        self._rest += data
        found: list[Input] = []
        while self._rest:
            if self._pasting is not None:
                if not self._paste(found):
                    break
                continue
            taken = self._one(found)
            if not taken:
                break
            self._rest = self._rest[taken:]
        return _joined(found)

    def flush(self) -> list[Input]:
        """What was begun will not be completed: an escape alone is the key, the rest is what it looks like."""
        rest, self._rest = self._rest, b""
        if not rest:
            return []
        if rest == b"\x1b":
            return [("key", "esc")]
        if rest == b"\x1b\x1b":
            return [("key", "esc"), ("key", "esc")]
        if rest[:1] == b"\x1b":
            if rest in (b"\x1b[", b"\x1bO", b"\x1bP", b"\x1b]"):
                return [("key", f"alt+{chr(rest[1])}")]
            return []  # half a sequence of a terminal is nobody's text
        return [("text", rest.decode(errors="replace"))]

    def _paste(self, found: list[Input]) -> bool:
        """Take up what is pasted; True once its end has come."""
        assert self._pasting is not None
        end = self._rest.find(PASTE_ENDS)
        if end < 0:
            # The end mark itself may be cut.
            keep = next((n for n in range(5, 0, -1) if self._rest.endswith(PASTE_ENDS[:n])), 0)
            cut = len(self._rest) - keep
            self._pasting.append(self._rest[:cut])
            self._rest = self._rest[cut:]
            return False
        self._pasting.append(self._rest[:end])
        text = b"".join(self._pasting).decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n")
        found.append(("paste", text))
        self._pasting = None
        self._rest = self._rest[end + len(PASTE_ENDS) :]
        return True

    def _one(self, found: list[Input]) -> int:
        """Take one thing from the beginning; how many bytes it was, 0 if it is not complete."""
        rest = self._rest
        first = rest[0]
        if first == 0x1B:
            return self._escape(found)
        if first < 0x20 or first == 0x7F:
            found.append(("key", _CONTROLS.get(first) or f"ctrl+{chr(first + 96)}"))
            return 1
        length = (
            1 if first < 0x80 else 2 if first >> 5 == 6 else 3 if first >> 4 == 14 else 4 if first >> 3 == 30 else 1
        )
        if len(rest) < length and all(byte >> 6 == 2 for byte in rest[1:]):
            return 0
        piece = rest[:length]
        while len(piece) > 1 and any(byte >> 6 != 2 for byte in piece[1:]):
            piece = piece[:-1]
        found.append(("text", piece.decode(errors="replace")))
        return len(piece)

    def _escape(self, found: list[Input]) -> int:
        rest = self._rest
        if len(rest) == 1:
            return 0
        second = rest[1]
        if second == 0x5B:
            return self._control_sequence(found)
        if second == 0x4F:
            if len(rest) < 3:
                return 0
            name = _FINALS.get(chr(rest[2]))
            if name:
                found.append(("key", name))
            return 3
        if second in b"]P_^X":
            return self._string(found)
        if second == 0x1B:
            return self._alt_of_escape(found)
        rest_of_key: list[Input] = []
        whole, self._rest = self._rest, rest[1:]
        taken = self._one(rest_of_key)
        self._rest = whole
        if not taken:
            return 0
        kind, name = rest_of_key[0]
        found.append(("key", f"alt+{name}" if kind == "key" or name != " " else "alt+space"))
        return taken + 1

    def _alt_of_escape(self, found: list[Input]) -> int:
        """Two escapes: the key twice, or the key with alt before a sequence."""
        if len(self._rest) == 2:
            return 0
        if self._rest[2] not in b"[O":
            found.append(("key", "esc"))
            return 1
        inner: list[Input] = []
        whole, self._rest = self._rest, self._rest[1:]
        taken = self._escape(inner)
        self._rest = whole
        if not taken:
            return 0
        found += [("key", with_modifier("alt", name)) if kind == "key" else (kind, name) for kind, name in inner]
        return taken + 1

    def _control_sequence(self, found: list[Input]) -> int:
        rest = self._rest
        if rest[:3] == b"\x1b[M":  # a mouse of the old kind, which we never ask for
            return 6 if len(rest) >= 6 else 0
        at = 2
        while at < len(rest) and 0x20 <= rest[at] <= 0x3F:
            at += 1
        if at == len(rest):
            return len(rest) if at > _LONGEST_SEQUENCE else 0
        if not 0x40 <= rest[at] <= 0x7E:
            return at  # broken off by something else
        if rest[: at + 1] == PASTE_BEGINS:
            self._pasting = []
            return at + 1
        body, final = rest[2:at].decode("ascii", "replace"), chr(rest[at])
        told = _told(body, final)
        if told:
            found.append(told)
        return at + 1

    def _string(self, found: list[Input]) -> int:
        """An answer that ends with ST or BEL."""
        rest = self._rest
        ends = [(at + len(end), at) for end in (b"\x1b\\", b"\x07") if (at := rest.find(end, 2)) >= 0]
        if not ends:
            return len(rest) if len(rest) > _LONGEST_REPORT else 0
        after, at = min(ends)
        found.append(("report", rest[1:at].decode(errors="replace")))
        return after


def _told(body: str, final: str) -> Input | None:
    """What a control sequence says: `CSI body final`."""
    if body.startswith(("?", ">", "<", "=")) or final in "ctny":
        return ("report", f"[{body}{final}") if final not in "mM" else None
    if final in "IO" and not body:
        return ("focus", "in" if final == "I" else "out")
    fields = [field.split(":") for field in body.split(";")] if body else []
    numbers = [_number(field[0]) for field in fields]
    if final == "R" and len(numbers) == 2 and numbers[0] != 1:
        return ("report", f"[{body}R")
    modifiers = numbers[1] if len(numbers) > 1 else 1
    if len(fields) > 1 and len(fields[1]) > 1 and fields[1][1] == "3":
        return None  # the key came up again
    if final == "u":
        return _of_code(numbers[0] if numbers else 0, modifiers, fields)
    if final == "~":
        if numbers and numbers[0] == 27 and len(numbers) == 3:
            return _of_code(numbers[2], modifiers, [])
        name = _TILDES.get(numbers[0]) if numbers else None
    else:
        name = _FINALS.get(final)
    return ("key", _modified(name, modifiers)) if name else None


def _of_code(code: int, modifiers: int, fields: list[list[str]]) -> Input | None:
    """A key by its Unicode code, as the kitty protocol and modifyOtherKeys tell it."""
    held = modifiers - 1 & 0b1111
    name = _CODES.get(code)
    if name is None:
        if not 32 <= code <= 0x10FFFF or 57344 <= code <= 63743:
            return None  # a key that is only held, or one without a meaning here
        name = chr(code)
        typed = chr(_number(fields[0][1])) if fields and len(fields[0]) > 1 and fields[0][1] else name
        if not held & ~1:
            return ("text", typed if held & 1 and typed != name else name.upper() if held & 1 else name)
        name = name.lower()
    elif name == "space" and not held & ~1:
        return ("text", " ")
    elif len(name) == 1 and not held:
        return ("text", name)
    return ("key", _modified(name, modifiers))


def _modified(name: str, modifiers: int) -> str:
    held = max(modifiers - 1, 0)
    words = [word for bit, word in _MODIFIERS if held & bit]
    return "+".join([*words, name])


def with_modifier(word: str, name: str) -> str:
    """The key with one more modifier, in the order in which names have them."""
    *held, key = name.split("+") if name[-1] != "+" else [*name[:-2].split("+"), "+"]
    return "+".join([*(known for _, known in _MODIFIERS if known in {*held, word}), key])


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _joined(found: list[Input]) -> list[Input]:
    """Neighbouring typed characters as one text."""
    out: list[Input] = []
    for kind, text in found:
        if kind == "text" and out and out[-1][0] == "text":
            out[-1] = ("text", out[-1][1] + text)
        else:
            out.append((kind, text))
    return out
