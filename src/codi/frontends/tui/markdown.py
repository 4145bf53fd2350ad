"""Markdown as lines, while it is still being written.

The parser is markdown-it-py (CommonMark with tables and strikethrough). Blocks that are complete are parsed and laid out once;
only the last one is looked at again when more comes. The text may hold anything: nothing of it becomes an escape sequence but
links to http, https and file, whose whole address is shown beside them.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from codi.frontends.tui.cells import width
from codi.frontends.tui.growing import OpenListing, OpenParagraph, open_listing, open_paragraph
from codi.frontends.tui.highlighting import highlighted, stretches
from codi.frontends.tui.lines import Line, Span, broken, clipped, line_width, merged, plain, wrapped

_LEAST = 8
_LEAST_COLUMN = 6
_RULE = 40


class Markdown:
    """The text of an answer, fed as it comes. `is_done` says that no more will. `above` are lines that stand before it."""

    def __init__(self, text: str = "", above: Sequence[Line] = ()) -> None:
        self.is_done = False
        self._past: list[str] = []
        self._source = ""
        self._new = [text] if text else []
        self._tail: list[_Block] = []
        self._open: OpenParagraph | OpenListing | None = None
        self._columns = -1
        self._above = above
        self._lines: list[Line] = []
        self._frozen = self._begun = 0

    @property
    def text(self) -> str:
        return "".join([*self._past, self._source, *self._new])

    def feed(self, text: str) -> None:
        if text:
            self._new.append(text)

    def forget_lines(self) -> None:
        """Nobody will look at it soon: it is laid out anew when somebody does."""
        self._source, self._past, self._new = self.text, [], []
        self._columns, self._lines, self._tail, self._open = -1, [], [], None

    def lines(self, columns: int) -> Sequence[Line]:
        """The whole text, a blank line between blocks. To be looked at and not to be kept: what comes changes it."""
        self._lay(columns)
        return self._lines

    def settled(self, columns: int) -> int:
        """How many of the first lines will stay as they are."""
        self._lay(columns)
        count = self._frozen
        if self._tail:
            begun = self._open.settled if isinstance(self._open, OpenListing) else self._begun
            count += begun + (1 if count > len(self._above) and begun else 0)
        return count

    def _lay(self, columns: int) -> None:
        if columns != self._columns:
            self._source, self._past, self._new, self._open = self.text, [], [], None
            self._columns, self._lines, self._frozen = columns, list(self._above), len(self._above)
        elif not self._new:
            return
        else:
            new, self._new = "".join(self._new), []
            self._source += new
            if self._open and self._open.grow(new, self._lines):
                return
        done = self._parse()
        del self._lines[self._frozen :]
        for block in done:
            self._add(block.lines(columns))
        self._frozen = len(self._lines)
        for block in self._tail:
            self._add(block.lines(columns))
        self._begun = self._tail[0].settled(columns) if self._tail else 0
        self._open = self._tail[-1].opened(self._source, columns, is_alone=len(self._tail) == 1) if self._tail else None

    def _add(self, lines: Sequence[Line]) -> None:
        if len(self._lines) > len(self._above):
            self._lines.append(())
        self._lines += lines

    def _parse(self) -> list["_Block"]:
        """The blocks that are complete now. What follows them is looked at again when more comes."""
        blocks = _blocks(self._source)
        done = []
        # Whether a block has begun at all is known for certain once its first line is whole.
        while len(blocks) > 1 and "\n" in self._source[_offset(self._source, blocks[1].first) :]:
            done.append(blocks.pop(0))
        if done:
            at = _offset(self._source, blocks[0].first)
            self._past.append(self._source[:at])
            self._source = self._source[at:]
            blocks = _blocks(self._source)
        self._tail = blocks
        return done


class _Block:
    """One block of the top: its tokens, and the first of its lines in the source."""

    def __init__(self, tokens: Sequence[Any]) -> None:
        self.first: int = tokens[0].map[0] if tokens[0].map else 0
        self._tokens = tokens

    def lines(self, columns: int) -> list[Line]:
        if columns < _LEAST:
            return [clipped(line, max(columns, 1)) for line in _render(self._tokens, _LEAST)]
        return _render(self._tokens, columns)

    def settled(self, columns: int) -> int:
        """Of a block that is still being written: the whole stretches of a listing, and all items of a list but the last."""
        kind, columns = self._tokens[0].type, max(columns, _LEAST)
        if kind == "fence":
            code = self._tokens[0].content.split("\n")
            done = [end for _, end in stretches(code)[:-1]]
            return 1 + sum(len(broken(((text, ""),), columns)) for text in code[: done[-1]]) if done else 0
        if kind in ("bullet_list_open", "ordered_list_open"):
            items = _children(self._tokens[1:-1])
            start = self._tokens[0].attrGet("start") or 1
            return sum(len(_item(item, kind, start + at, columns)) for at, item in enumerate(items[:-1]))
        return 0

    def opened(self, source: str, columns: int, *, is_alone: bool) -> OpenParagraph | OpenListing | None:
        """What can grow without another look at all of it. This is the last block of the `source`; or the only one."""
        first = self._tokens[0]
        if columns < _LEAST:
            return None
        if first.type == "paragraph_open":
            return open_paragraph(source, columns)
        if first.type == "fence" and is_alone:
            lines = first.map[1] - first.map[0]
            is_closed = first.content.count("\n") < lines - 1
            return None if is_closed else open_listing(source, _language(first), columns)
        return None


@cache
def _parser() -> Any:
    from markdown_it import MarkdownIt  # 30 ms, and not before something was said

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def warm_up() -> None:
    """Load what the first answer will need, while its first word is waited for."""
    _parser().parse("x")


def _blocks(source: str) -> list[_Block]:
    return [_Block(tokens) for tokens in _children(_parser().parse(source))]


def _children(tokens: Sequence[Any]) -> list[Sequence[Any]]:
    """The runs of tokens that are one block each."""
    runs: list[Sequence[Any]] = []
    depth = begin = 0
    for at, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:
            runs.append(tokens[begin : at + 1])
            begin = at + 1
    return runs


def _offset(source: str, number: int) -> int:
    at = 0
    for _ in range(number):
        at = source.find("\n", at) + 1
    return at


def _render(tokens: Sequence[Any], columns: int) -> list[Line]:
    token = tokens[0]
    match token.type:
        case "heading_open":
            mark = "#" * int(token.tag[1:]) + " "
            return wrapped([(mark, "heading"), *_inline(tokens[1], "heading")], columns)
        case "paragraph_open":
            return wrapped(merged(_inline(tokens[1], "text")), columns)
        case "fence" | "code_block":
            return _code(token, columns)
        case "bullet_list_open" | "ordered_list_open":
            start = token.attrGet("start") or 1
            items = enumerate(_children(tokens[1:-1]))
            return [line for at, item in items for line in _item(item, token.type, start + at, columns)]
        case "blockquote_open":
            inner = _stack(tokens[1:-1], columns - 2)
            return [merged((("▌ ", "quote"), *((text, f"{style} quote") for text, style in line))) for line in inner]
        case "table_open":
            return _table(tokens, columns)
        case "hr":
            return [(("─" * min(columns, _RULE), "rule"),)]
    return wrapped(((token.content.rstrip("\n"), "text"),), columns) if token.content else []


def _stack(tokens: Sequence[Any], columns: int, *, tight: bool = False) -> list[Line]:
    lines: list[Line] = []
    for block in _children(tokens):
        lines += [(), *_render(block, columns)] if lines and not tight else _render(block, columns)
    return lines


def _item(tokens: Sequence[Any], kind: str, number: int, columns: int) -> list[Line]:
    mark = "• " if kind == "bullet_list_open" else f"{number}. "
    inner = tokens[1:-1]
    lines = _stack(inner, max(columns - width(mark), 1), tight=True) or [()]
    text = plain(lines[0])
    if text.startswith(("[ ] ", "[x] ", "[X] ")):
        done = text[1] != " "
        first = merged(_without(lines[0], 4))
        lines[0] = (("☑ " if done else "☐ ", "ok" if done else "dim"), *first)
    return [(((mark if not at else " " * width(mark)), "bullet"), *line) for at, line in enumerate(lines)]


def _without(spans: Line, characters: int) -> list[Span]:
    out: list[Span] = []
    for text, style in spans:
        out.append((text[characters:], style))
        characters = max(0, characters - len(text))
    return out


def _language(token: Any) -> str:
    return token.info.strip().split(" ")[0] if token.info else ""


def _code(token: Any, columns: int) -> list[Line]:
    language = _language(token)
    code = token.content.removesuffix("\n").split("\n")
    lines: list[Line] = [((f"```{language}"[:columns], "dim"),)] if token.type == "fence" else []
    for line in highlighted(code, language):
        lines += broken(line, columns)
    return [*lines, (("```"[:columns], "dim"),)] if token.type == "fence" else lines


def _table(tokens: Sequence[Any], columns: int) -> list[Line]:
    """Fitted into the width by wrapping its widest columns; as a list of names and values where that is too narrow."""
    rows: list[list[list[Span]]] = []
    aligns: list[str] = []
    for at, token in enumerate(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            rows[-1].append(_inline(tokens[at + 1], "bold" if token.type == "th_open" else "text"))
            if token.type == "th_open":
                aligns.append(str(token.attrGet("style") or ""))
    count = len(rows[0])
    wide = [max(max(map(width, plain(row[at]).split("\n"))) for row in rows) for at in range(count)]
    room = columns - 3 * (count - 1)
    if room < _LEAST_COLUMN * count:
        return _stacked(rows, columns)
    while sum(wide) > room:
        widest = max(range(count), key=wide.__getitem__)
        wide[widest] -= max(1, (sum(wide) - room) // count)
    lines: list[Line] = []
    for number, row in enumerate(rows):
        cells = [wrapped(row[at], wide[at]) for at in range(count)]
        for high in range(max(map(len, cells))):
            spans: list[Span] = []
            for at, cell in enumerate(cells):
                line = cell[high] if high < len(cell) else ()
                free = wide[at] - line_width(line)
                before = free if "right" in aligns[at] else free // 2 if "center" in aligns[at] else 0
                spans += [(" │ ", "rule")] if at else []
                spans += [(" " * before, ""), *line, (" " * (free - before), "")]
            lines.append(merged(spans))
        if not number:
            lines.append(((("─┼─").join("─" * cells for cells in wide), "rule"),))
    return lines


def _stacked(rows: list[list[list[Span]]], columns: int) -> list[Line]:
    lines: list[Line] = []
    for row in rows[1:]:
        for name, cell in zip(rows[0], row, strict=False):
            lines += wrapped([*name, (": ", "dim"), *cell], columns, rest=(("  ", ""),))
        lines.append((("─" * min(columns, 8), "rule"),))
    return lines


def _inline(token: Any, style: str) -> list[Span]:
    """The text of a paragraph, a heading or a cell. A line feed in the source stays one: models mean it so."""
    spans: list[Span] = []
    styles = [style]
    hrefs: list[tuple[str, int]] = []
    for part in token.children or ():
        match part.type:
            case "text" | "text_special" | "html_inline":
                spans.append((part.content, " ".join(styles)))
            case "code_inline":
                spans.append((part.content, " ".join([*styles[1:], "code"])))
            case "softbreak" | "hardbreak":
                spans.append(("\n", style))
            case "strong_open" | "em_open" | "s_open":
                styles.append({"strong_open": "bold", "em_open": "italic", "s_open": "strike"}[part.type])
            case "strong_close" | "em_close" | "s_close":
                styles.pop()
            case "link_open":
                hrefs.append((str(part.attrGet("href") or ""), len(spans)))
                styles.append(_link_style(hrefs[-1][0]))
            case "link_close":
                styles.pop()
                href, begin = hrefs.pop()
                if plain(spans[begin:]) not in (href, href.removeprefix("mailto:")):
                    spans.append((f" ({href})", "dim"))
            case "image":
                spans.append((f"[image: {part.content}] ({part.attrGet('src')})", "dim"))
    return [span for span in spans if span[0]]


def _link_style(href: str) -> str:
    can_be_followed = href.startswith(("http://", "https://", "file://")) and href.isascii() and href.isprintable()
    return f"link:{href}" if can_be_followed and " " not in href and len(href) < 2000 else "link"
