"""Themes of one's own: what is read of a file, what is told of it, and which theme fits the terminal."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codi.frontends.tui.theme import BUILT_IN, DARK, LIGHT, Painter
from codi.frontends.tui.theme_files import find_theme, fitting, names_in, read_theme
from codi.frontends.tui.wardrobe import Wardrobe


def test_a_theme_in_toml_changes_what_it_names(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        'base = "light"\n[vars]\nsea = "#004488"\n[colors]\naccent = "sea bold"\ndim = 240\n"tool.ok" = "green"\nheading = ""\n'
    )
    theme = read_theme(str(file))
    assert not theme.complaints
    assert (theme.tokens["accent"], theme.tokens["dim"]) == ("#004488 bold", "240")
    assert theme.tokens["tool.ok"] == "green"
    assert theme.tokens["heading"] == "bold"
    assert theme.tokens["error"] == LIGHT["error"]


def test_the_names_of_pis_themes_are_read(tmp_path):
    file = tmp_path / "pi.json"
    colours = {
        "accent": "cyan",
        "mdHeading": "#f0c674",
        "toolDiffAdded": "leaf",
        "thinkingHigh": 140,
        "userMessageBg": "#343541",
        "text": "",
    }
    file.write_text(json.dumps({"name": "pi", "vars": {"cyan": "#00d7ff", "leaf": 71}, "colors": colours}))
    theme = read_theme(str(file))
    assert not theme.complaints
    assert theme.tokens["accent"] == "#00d7ff"
    assert theme.tokens["heading"] == "#f0c674 bold"
    assert theme.tokens["added"] == "71" and theme.tokens["added.word"] == "71 reverse"
    assert theme.tokens["border.high"] == "140"
    assert theme.tokens["text"] == ""


@pytest.mark.parametrize(
    "text, told",
    (
        ('accent = "#12"\n', "accent: '#12' is no colour; the default is used"),
        ("accent = 256\n", "accent: 256 is no colour"),
        ("accent = true\n", "accent: True is no colour"),
        ('accent = "red green"\n', "accent: 'red green' is no colour"),
        ('acent = "red"\n', "acent: there is no such token; ignored"),
        ('base = "none"\n', "base: there is no theme 'none'; dark is used"),
        ("accent = \n", "the dark theme is used"),
    ),
)
def test_what_is_wrong_is_told_with_file_and_token(tmp_path, text, told):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    theme = read_theme(str(file))
    assert len(theme.complaints) == 1
    assert theme.complaints[0].startswith(f"{file}: ") and told in theme.complaints[0]
    assert theme.tokens == DARK


def test_a_name_is_no_path_and_the_later_folder_counts(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        (folder / "mine.toml").write_text("")
    (one / "his.json").write_text("{}")
    folders = [str(one), str(other), str(tmp_path / "none")]
    assert find_theme("mine", folders) == str(other / "mine.toml")
    assert find_theme("../one/mine", folders) is None and find_theme(".mine", folders) is None
    assert names_in(folders) == [*BUILT_IN, "his", "mine"]


@pytest.mark.parametrize(
    "report, colours, theme",
    (
        ("]11;rgb:ffff/ffff/ffff", "", "light"),
        ("]11;rgb:1e1e/1e1e/1e1e", "0;15", "dark"),
        ("]11;rgba:ff/ff/e0/ff", "", "light"),
        ("]11;rgb:f/f", "0;15", "light"),
        ("]11;rgb://", "", "dark"),
        (None, "0;15", "light"),
        (None, "15;default;0", "dark"),
        (None, "", "dark"),
    ),
)
def test_dark_or_light_by_the_terminal_then_by_its_environment(report, colours, theme):
    assert fitting(report, {"COLORFGBG": colours}) == theme


@given(st.text())
def test_no_answer_of_a_terminal_is_too_strange(text):
    assert fitting(f"]11;{text}", {}) in ("dark", "light")


def test_a_file_that_changed_is_read_again(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('accent = "red"\n')
    painter = Painter(DARK, 256)
    wardrobe = Wardrobe(painter, [str(tmp_path)], {})
    assert wardrobe.wear("mine") == [] and painter.opening("accent") == "\x1b[31m"
    assert wardrobe.changed() is None
    file.write_text('accent = "bright-blue"\n')
    assert wardrobe.changed() == [] and painter.opening("accent") == "\x1b[94m"
    assert not wardrobe.told("]11;rgb:ffff/ffff/ffff") and painter.opening("accent") == "\x1b[94m"
    assert wardrobe.wear("nothing") is None
    assert wardrobe.wear("auto") == [] and painter.tokens == LIGHT
