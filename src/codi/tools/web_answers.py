"""What the answers of search engines mean."""

import re
from collections.abc import Sequence
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from msgspec import DecodeError, Struct, json

from codi.tools.web_engines import Name


class Found(Struct, frozen=True):
    title: str
    url: str
    snippet: str


class NoResults(ValueError):
    """An answer that is no list of results. `str(error)` says what it is instead."""


def results(name: Name, body: bytes, limit: int) -> list[Found]:
    """The first of the list that an engine's answer holds. Raises NoResults."""
    read = _duckduckgo_results if name == "duckduckgo" else _json_results
    return read(name, body)[:limit]


_PLACES: dict[str, tuple[Sequence[str], str, str, str]] = {
    "brave": (("web", "results"), "title", "url", "description"),
    "google": (("items",), "title", "link", "snippet"),
    "bing": (("webPages", "value"), "name", "url", "snippet"),
    "searxng": (("results",), "title", "url", "content"),
}


def _json_results(name: str, body: bytes) -> list[Found]:
    path, title, url, snippet = _PLACES[name]
    try:
        at: Any = json.decode(body)
    except DecodeError as error:
        raise NoResults("its answer is no JSON") from error
    if not isinstance(at, dict):
        raise NoResults("its answer is no list of results")
    for part in path:
        at = at.get(part, {}) if isinstance(at, dict) else {}
    rows = at if isinstance(at, list) else []
    return [
        Found(_plain(row.get(title)), str(row[url]), _plain(row.get(snippet)))
        for row in rows
        if isinstance(row, dict) and row.get(url)
    ]


_RESULT = re.compile(
    r'<a[^>]*class="[^"]*result__a[^"]*"[^>]*href="(?P<url>[^"]*)"[^>]*>(?P<title>.*?)</a>'
    r'(?:(?:(?!result__a).)*?class="[^"]*result__snippet[^"]*"[^>]*>(?P<snippet>.*?)</(?:a|div|td)>)?',
    re.DOTALL,
)


def _duckduckgo_results(name: str, body: bytes) -> list[Found]:
    page = body.decode(errors="replace")
    found = []
    for result in _RESULT.finditer(page):
        url = unescape(result["url"])
        target = parse_qs(urlsplit(url).query).get("uddg", [url])[0]
        if "duckduckgo.com/y.js" not in target:  # an advertisement
            found.append(Found(_plain(result["title"]), target, _plain(result["snippet"])))
    if not found and "no-results" not in page and "No results" not in page:
        raise NoResults("its answer is no list of results")
    return found


def _plain(text: object) -> str:
    without_tags = re.sub(r"<[^>]{1,200}>", "", text if isinstance(text, str) else "")
    return " ".join(unescape(without_tags).split())
