"""The text of an HTML page, with nothing but the standard library."""

import re
from html.parser import HTMLParser


def text_of(page: str) -> str:
    """Line by line as its blocks are, without what is not meant to be read."""
    reader = _Text()
    reader.feed(page)
    reader.close()
    return "".join(reader.pieces)


class _Text(HTMLParser):
    _SILENT = frozenset(["script", "style", "noscript", "template", "svg", "head", "nav", "footer", "aside", "form"])
    _BLOCKS = frozenset(
        ["p", "div", "br", "li", "ul", "ol", "tr", "table", "section", "article", "main", "header", "pre", "blockquote"]
        + [f"h{level}" for level in range(1, 7)]
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._SILENT:
            self._silent.append(tag)
        elif tag in self._BLOCKS and not self._silent:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:
            del self._silent[self._silent.index(tag) :]
        elif tag in self._BLOCKS and not self._silent:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(re.sub(r"\s+", " ", data))
