"""Pages of documentation are kept for a day, within bounds, and nothing else is."""

import os
import stat

import pytest

from codi.tools.page_cache import KEPT_S, PageCache, is_documentation
from codi.workspace.workspace import Fetched


def page(url: str, body: bytes = b"text", **more) -> Fetched:
    return Fetched(url=url, status=more.pop("status", 200), headers={"content-type": "text/plain"}, body=body, **more)


class Clock:
    def __init__(self) -> None:
        self.now = 1e9

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("url", "yes"),
    [
        ("https://docs.python.org/3/library/os.html", True),
        ("https://docs.rs/serde", True),
        ("https://requests.readthedocs.io/en/latest/", True),
        ("https://developer.mozilla.org/en-US/Web", True),
        ("https://example.org/docs/a", True),
        ("https://example.org/Reference/a", True),
        ("https://example.org/docsets", False),
        ("https://news.example.org/", False),
        ("https://api.example.org/status", False),
        ("https://mydocs.example.org/", False),
    ],
)
def test_what_counts_as_documentation(url, yes):
    assert is_documentation(url) is yes


def test_a_page_is_kept_for_a_day(tmp_path):
    clock, url = Clock(), "https://docs.example.org/a"
    pages = PageCache(str(tmp_path / "home"), clock=clock)
    assert pages.kept(url) is None
    pages.keep(url, page(url))
    clock.now += 3600
    assert pages.kept(url) == (page(url), 3600)
    clock.now += KEPT_S
    assert pages.kept(url) is None
    for folder, folders, names in os.walk(tmp_path / "home"):
        for name in [*folders, *names]:
            assert stat.S_IMODE(os.lstat(os.path.join(folder, name)).st_mode) & 0o077 == 0


@pytest.mark.parametrize(
    ("url", "more"),
    [
        ("https://news.example.org/a", {}),
        ("https://docs.example.org/a?key=secret", {}),
        ("https://me:secret@docs.example.org/a", {}),
        ("https://docs.example.org/a", {"status": 404}),
        ("https://docs.example.org/a", {"is_cut": True}),
    ],
)
def test_what_is_not_kept(tmp_path, url, more):
    pages = PageCache(str(tmp_path))
    pages.keep(url, page(url, **more))
    assert pages.kept(url) is None


def test_it_has_bounds(tmp_path):
    pages = PageCache(str(tmp_path), most_pages=3, most_bytes=10_000)
    urls = [f"https://docs.example.org/{number}" for number in range(5)]
    for url in urls:
        pages.keep(url, page(url))
    assert [bool(pages.kept(url)) for url in urls] == [False, False, True, True, True]
    pages.keep(urls[0], page(urls[0], b"x" * 9_750))
    assert [bool(pages.kept(url)) for url in urls] == [True, False, False, False, False]


def test_what_is_damaged_or_planted_is_not_believed(tmp_path):
    pages, url = PageCache(str(tmp_path)), "https://docs.example.org/a"
    pages.keep(url, page(url))
    (file,) = (tmp_path / "cache/pages").iterdir()
    file.write_bytes(file.read_bytes()[:-3])
    assert pages.kept(url) is None
    content = tmp_path / "elsewhere"
    pages.keep(url, page(url))
    file.rename(content)
    file.symlink_to(content)
    assert pages.kept(url) is None
