"""A page of the web as text for a model: what it is, decoded, and without what is not its content.

With the extra `web`, HTML becomes Markdown of the main content; without it, plain text.
"""

import re
from typing import Any
from urllib.parse import urljoin

from msgspec import DecodeError, json

_TEXTUAL = re.compile(r"text/|json|xml|javascript|ecmascript|yaml|toml|x-www-form-urlencoded|sql|graphql|csv")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]+)", re.IGNORECASE)
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9_.:-]+)", re.IGNORECASE)
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_DROPPED = (
    "script, style, noscript, template, svg, canvas, iframe, object, embed, form, button, input, select, dialog, nav, "
    "footer, aside, [hidden], [aria-hidden=true], [role=navigation], [role=banner], [role=contentinfo]"
)
_MAIN = ("main", "article", "[role=main]", "#content", "#main")
_LEAST_MAIN = 0.25
"""Share of a page's text from which on a part of it counts as its main content."""

PLAIN_NOTE = "Shown as plain text: to have Markdown, install codi with the extra `web`: pip install 'codi[web]'"


def media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def is_text(content_type: str, body: bytes) -> bool:
    kind = media_type(content_type)
    return bool(_TEXTUAL.search(kind)) if kind else b"\0" not in body[:8192]


def decoded(content_type: str, body: bytes) -> str:
    """By byte order mark, header, or the page's own word; else UTF-8, else Windows-1252."""
    named = [encoding for mark, encoding in _MARKS if body.startswith(mark)]
    if found := _CHARSET.search(content_type):
        named.append(found[1])
    if inside := _META.search(body[:4096]):
        named.append(inside[1].decode("ascii"))
    for encoding in (*named, "utf-8"):
        try:
            return body.decode(encoding)
        except (LookupError, UnicodeDecodeError, ValueError):
            continue
    return body.decode("utf-8", errors="replace") if _nearly_utf8(body) else body.decode("cp1252", errors="replace")


def _nearly_utf8(body: bytes) -> bool:
    """A body that was cut may end within a character."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return True


def markdown(page: str, url: str) -> tuple[str, str | None]:
    """The main content of an HTML page, and a note where it is not what it could be."""
    try:
        from markdownify import ATX, markdownify  # an extra, and 100 ms for those who read pages
        from selectolax.lexbor import LexborHTMLParser
    except ImportError:
        return plain(page), PLAIN_NOTE
    tree = LexborHTMLParser(page)
    named = tree.css_first("title")
    title = " ".join(named.text().split()) if named else ""
    for node in tree.css(_DROPPED):
        node.decompose()
    _make_absolute(tree, url)
    content = _main_part(tree)
    if content is None:
        return "", None
    text = markdownify(
        content.html or "", heading_style=ATX, bullets="-", strip=["img"] if not content.css("img[src]") else []
    )
    text = _tidy(text)
    return (f"# {title}\n\n{text}" if title and f"# {title}" not in text else text), None


def _make_absolute(tree: Any, url: str) -> None:
    base = tree.css_first("base[href]")
    start = urljoin(url, base.attributes["href"]) if base else url
    for selector, attribute in (("a[href]", "href"), ("img[src]", "src")):
        for node in tree.css(selector):
            target = node.attributes[attribute] or ""
            try:
                node.attrs[attribute] = target if target.startswith("data:") else urljoin(start, target)
            except ValueError:
                continue  # an address that none is
            if target.startswith(("data:", "javascript:")):
                del node.attrs[attribute]


def _main_part(tree: Any) -> Any:
    body = tree.body or tree.root
    if body is None:
        return None
    whole = len(body.text())
    for selector in _MAIN:
        found = tree.css(selector)
        best = max(found, key=lambda node: len(node.text()), default=None)
        if best is not None and len(best.text()) >= _LEAST_MAIN * whole:
            return best
    return body


def plain(page: str) -> str:
    """The text of an HTML page, line by line."""
    from codi.tools.plain_pages import text_of  # 3 ms, for those who read pages

    return _tidy(text_of(page))


def pretty(text: str) -> str:
    """JSON laid out in lines; what is none stays as it is."""
    try:
        return json.format(text.encode(), indent=2).decode()
    except (DecodeError, UnicodeEncodeError):
        return text


def _tidy(text: str) -> str:
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\xa0", " ").split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
