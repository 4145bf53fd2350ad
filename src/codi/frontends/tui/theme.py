"""What styles look like: names of tokens on one side, colours of a terminal on the other.

A theme gives each token a colour (`#rrggbb`, a number of the 256, a name of the 16, or "" for the terminal's own), and words
such as `bold` beside it. Colour is never the only sign of anything, so every theme may be drawn without any.
"""

from collections.abc import Callable, Iterable, Mapping

from codi.frontends.tui.lines import Line
from codi.frontends.tui.screen import Row

Tokens = Mapping[str, str]
"""Token -> colour and words, e.g. `"#5f87ff bold"`, or `@other` for what another token looks like."""

_WORDS = {"bold": "1", "faint": "2", "italic": "3", "underline": "4", "reverse": "7", "strike": "9"}
_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_CUBE = (0, 95, 135, 175, 215, 255)

DARK: Tokens = {
    "text": "",
    "dim": "244",
    "accent": "#8abeb7",
    "bold": "bold",
    "italic": "italic",
    "strike": "strike",
    "user": "#d0d0d0 bold",
    "error": "#cc6666",
    "warning": "#e5c07b",
    "ok": "#b5bd68",
    "border": "240",
    "border.off": "240",
    "border.minimal": "#6e7681",
    "border.low": "#5f87af",
    "border.medium": "#81a2be",
    "border.high": "#b294bb",
    "border.xhigh": "#d183e8",
    "selected": "reverse",
    "mode": "#e5c07b bold",
    "thinking": "244 italic",
    "tool": "bold",
    "tool.argument": "#8abeb7",
    "tool.output": "250",
    "tool.pending": "244",
    "tool.running": "#e5c07b",
    "tool.ok": "#b5bd68",
    "tool.failed": "#cc6666",
    "tool.denied": "#cc6666",
    "tool.cancelled": "244",
    "heading": "#f0c674 bold",
    "link": "#81a2be underline",
    "code": "#8abeb7",
    "code.text": "",
    "quote": "250 italic",
    "bullet": "#8abeb7",
    "rule": "240",
    "added": "#b5bd68",
    "removed": "#cc6666",
    "added.word": "#b5bd68 reverse",
    "removed.word": "#cc6666 reverse",
    "hunk": "#81a2be",
    "syntax.comment": "#6a9955",
    "syntax.keyword": "#569cd6",
    "syntax.function": "#dcdcaa",
    "syntax.name": "#9cdcfe",
    "syntax.string": "#ce9178",
    "syntax.number": "#b5cea8",
    "syntax.type": "#4ec9b0",
    "syntax.operator": "#d4d4d4",
}
LIGHT: Tokens = {
    **DARK,
    "dim": "242",
    "accent": "#1a7f7a",
    "user": "#303030 bold",
    "error": "#af0000",
    "warning": "#875f00",
    "ok": "#2d7d32",
    "border": "250",
    "border.off": "250",
    "mode": "#875f00 bold",
    "thinking": "242 italic",
    "tool.argument": "#1a7f7a",
    "tool.output": "238",
    "tool.running": "#875f00",
    "tool.ok": "#2d7d32",
    "tool.failed": "#af0000",
    "tool.denied": "#af0000",
    "heading": "#875f00 bold",
    "link": "#005f87 underline",
    "code": "#1a7f7a",
    "quote": "238 italic",
    "bullet": "#1a7f7a",
    "rule": "250",
    "added": "#2d7d32",
    "removed": "#af0000",
    "added.word": "#2d7d32 reverse",
    "removed.word": "#af0000 reverse",
    "hunk": "#005f87",
    "syntax.comment": "#008000",
    "syntax.keyword": "#0000ff",
    "syntax.function": "#795e26",
    "syntax.name": "#001080",
    "syntax.string": "#a31515",
    "syntax.number": "#098658",
    "syntax.type": "#267f99",
    "syntax.operator": "#000000",
}
HIGH_CONTRAST: Tokens = {
    **{token: " ".join(word for word in said.split() if word in _WORDS) for token, said in DARK.items()},
    "dim": "white",
    "accent": "cyan bold",
    "error": "red bold",
    "warning": "yellow bold",
    "ok": "green bold",
    "tool.failed": "red bold",
    "tool.denied": "red bold",
    "tool.ok": "green bold",
    "tool.running": "yellow bold",
    "added": "green bold",
    "removed": "red bold",
    "mode": "yellow bold",
    "heading": "yellow bold underline",
    "link": "cyan underline",
}
MONO: Tokens = {token: " ".join(word for word in said.split() if word in _WORDS) for token, said in DARK.items()}
BUILT_IN: Mapping[str, Tokens] = {"dark": DARK, "light": LIGHT, "high-contrast": HIGH_CONTRAST, "mono": MONO}

Depth = int
"""How many colours a terminal has: 0 none, 16, 256, or 16777216."""
TRUE_COLOUR: Depth = 1 << 24


def depth_of(environment: Mapping[str, str], is_terminal: bool = True) -> Depth:
    """The depth from COLORTERM, TERM, NO_COLOR and FORCE_COLOR (https://no-color.org, https://force-color.org)."""
    forced = environment.get("FORCE_COLOR")
    if environment.get("NO_COLOR"):
        return 0
    if forced in ("0", "false"):
        return 0
    if forced in ("3",):
        return TRUE_COLOUR
    term = environment.get("TERM", "")
    if not forced and (not is_terminal or term in ("", "dumb")):
        return 0
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit") or term.endswith("-direct"):
        return TRUE_COLOUR
    if "256color" in term or forced == "2":
        return 256
    return 16


_REMEMBERED = 500


class Painter:
    """Makes rows of lines: the one place where a style becomes an escape sequence."""

    def __init__(self, tokens: Tokens, depth: Depth, *, links: bool = True) -> None:
        self.tokens = tokens
        self.depth = depth
        self._links = links
        self._openings: dict[str, str] = {"": ""}
        self._rows: dict[Line, Row] = {}
        self.picture: Callable[[str], str] = lambda style: ""
        """The sequence that draws the picture of a style `image:...`."""

    def wear(self, tokens: Tokens) -> None:
        """Paint with another theme from now on."""
        self.tokens = tokens
        self._openings = {"": ""}
        self._rows = {}

    def row(self, line: Line) -> Row:
        """The same row for the same line: most of what stands on a screen stood there a frame ago."""
        row = self._rows.get(line)
        if row is None:
            if len(self._rows) >= _REMEMBERED:
                self._rows.clear()
            row = tuple((self.opening(style), text) for text, style in line if text)
            if not any(style.startswith("image:") for _, style in line):  # pictures are drawn anew
                self._rows[line] = row
        return row

    def rows(self, lines: Iterable[Line]) -> list[Row]:
        return [self.row(line) for line in lines]

    def opening(self, style: str) -> str:
        """The sequence that turns a style on. Links are told apart by it as well (OSC 8)."""
        known = self._openings.get(style)
        if style.startswith("image:"):
            return self.picture(style)
        if known is None:
            codes: list[str] = []
            link = ""
            for word in style.split(" "):
                if word.startswith("link:"):
                    link = f"\x1b]8;;{word[5:]}\x1b\\" if self._links else ""
                    word = "link"
                codes += self._codes(word)
            known = (f"\x1b[{';'.join(codes)}m" if codes else "") + link
            if len(self._openings) < 10_000:
                self._openings[style] = known
        return known

    def _codes(self, token: str) -> list[str]:
        said = self.tokens.get(token, "")
        if said.startswith("@"):
            said = self.tokens.get(said[1:], "")
        words = said.split()
        codes = [
            _WORDS[word]
            for word in words
            if word in _WORDS and (self.depth or word in ("bold", "underline", "reverse"))
        ]
        colours = [word for word in words if word not in _WORDS]
        return codes + ([_colour(colours[0], self.depth)] if colours and self.depth else [])


def is_word(text: str) -> bool:
    """Whether a theme may say this beside a colour."""
    return text in _WORDS


def is_colour(text: str) -> bool:
    """Whether a theme may say this."""
    name = text.removeprefix("bright-")
    if name in _NAMES:
        return True
    if text.startswith("#"):
        return len(text) == 7 and all(digit in "0123456789abcdefABCDEF" for digit in text[1:])
    return text.isdigit() and int(text) < 256


def _colour(said: str, depth: Depth) -> str:
    """The code of a foreground colour, as near as the terminal can show it."""
    name = said.removeprefix("bright-")
    if name in _NAMES:
        return str(_NAMES.index(name) + (90 if name != said else 30))
    if said.startswith("#"):
        red, green, blue = (int(said[at : at + 2], 16) for at in (1, 3, 5))
    else:
        number = int(said)
        if depth > 16:
            return f"38;5;{number}"
        red, green, blue = _of_256(number)
    if depth == TRUE_COLOUR:
        return f"38;2;{red};{green};{blue}"
    if depth == 256:
        return f"38;5;{_to_256(red, green, blue)}"
    bright = max(red, green, blue) > 170
    bits = sum(
        1 << at for at, part in enumerate((red, green, blue)) if part > max(red, green, blue) * 0.6 and part > 40
    )
    return str((90 if bright else 30) + bits)


def _of_256(number: int) -> tuple[int, int, int]:
    if number < 16:
        level = 255 if number > 7 else 170
        return tuple(level * (number >> at & 1) for at in range(3))  # type: ignore[return-value]
    if number > 231:
        grey = 8 + 10 * (number - 232)
        return grey, grey, grey
    number -= 16
    return _CUBE[number // 36], _CUBE[number // 6 % 6], _CUBE[number % 6]


def _to_256(red: int, green: int, blue: int) -> int:
    """The nearest of the cube and the greys."""

    def nearest(part: int) -> int:
        return min(range(6), key=lambda at: abs(_CUBE[at] - part))

    r, g, b = nearest(red), nearest(green), nearest(blue)
    grey = min(max((red + green + blue) // 3 - 3, 0) // 10, 23)
    cube_off = abs(_CUBE[r] - red) + abs(_CUBE[g] - green) + abs(_CUBE[b] - blue)
    grey_off = sum(abs(8 + 10 * grey - part) for part in (red, green, blue))
    return 232 + grey if grey_off < cube_off else 16 + 36 * r + 6 * g + b
