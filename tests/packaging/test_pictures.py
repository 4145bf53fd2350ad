"""The pictures of the documentation are those of the program as it is."""

import re
import runpy
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
HOLDS = {
    "conversation": ("why is a single jar free? mend it", "✓", "for price in prices[1:]:", "The loop began with the"),
    "approval": ("shell wants to:", "risk 7: rewrites history or pushes by force", "no, and say why"),
    "tree": ("you: what is in the larder?", "ctrl+o filter"),
    "undo": ("would be taken back:", "[y]es, [N]o"),
    "policy": ("allow (risk 0): only looks", "decided by mode default"),
}
MOST_BYTES = 60 * 1024


def words_of(svg: str) -> str:
    rows: dict[str, list[str]] = {}
    for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"):
        rows.setdefault(text.attrib["y"], []).append(text.text or "")
    return "\n".join(re.sub(" +", " ", " ".join(unescape(each) for each in row)) for row in rows.values())


@pytest.mark.parametrize("name", HOLDS)
def test_each_picture_is_kept_and_holds_what_it_shows(name):
    svg = (PICTURES / f"{name}.svg").read_text()
    assert len(svg) < MOST_BYTES
    for text in HOLDS[name]:
        assert all(word in words_of(svg) for word in text.split(" ")), (text, words_of(svg))


@pytest.mark.parametrize("name", ["approval", "policy"])
def test_pictures_can_be_drawn_again(name):
    drawn = words_of(runpy.run_path(str(ROOT / "tools" / "pictures.py"))["picture"](name))
    kept = words_of((PICTURES / f"{name}.svg").read_text())
    assert re.sub(r"[\d.]+", "N", drawn) == re.sub(r"[\d.]+", "N", kept), "tools/pictures.py draws them anew"


def test_the_readme_shows_them():
    shown = re.findall(r"\]\(docs/pictures/(\w+)\.svg\)", (ROOT / "README.md").read_text())
    assert 3 <= len(shown) <= 5 and set(shown) <= set(HOLDS)
