"""A change of one key leaves all else in its place."""

import os
import threading
import tomllib
from pathlib import Path

import pytest

from codi.engine.config_writing import put, remove
from codi.protocol.errors import ConfigError

FILE = """\
# my file
permission_mode = "plan"   # carefully

[agent]
# how far
max_steps = 3 # not far
[[odd]]
x = 1

[shell.env]
A = "a"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "home" / "config.toml"


def write(config: Path, content: bytes) -> None:
    config.parent.mkdir()
    config.write_bytes(content)


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_comments_order_and_line_ends_stay(config, ends, mark):
    write(config, (mark + FILE.replace("\n", ends)).encode())
    put(str(config.parent), "config", ("agent", "max_steps"), 9)
    put(str(config.parent), "config", ("shell", "env", "A"), "b")
    assert remove(str(config.parent), "config", ("permission_mode",))
    expected = (
        FILE.replace("= 3", "= 9").replace('A = "a"', 'A = "b"').replace('permission_mode = "plan"   # carefully\n', "")
    )
    assert config.read_bytes().decode() == mark + expected.replace("\n", ends)


def test_a_file_is_made_for_its_owner_alone(config):
    assert put(str(config.parent), "config", ("providers", "x y", "headers", "A"), "v") == str(config)
    assert tomllib.loads(config.read_text()) == {"providers": {"x y": {"headers": {"A": "v"}}}}
    assert config.stat().st_mode & 0o777 == 0o600
    assert os.listdir(config.parent) == ["config.toml"]


def test_tables_that_lie_apart_are_added_to(config):
    write(config, b"[a.x]\nv = 1\n[b]\n[a.y]\nv = 2\n")
    put(str(config.parent), "config", ("a", "y", "w"), 3)
    assert tomllib.loads(config.read_text()) == {"a": {"x": {"v": 1}, "y": {"v": 2, "w": 3}}, "b": {}}


def test_what_is_not_there_is_not_removed(config):
    assert not remove(str(config.parent), "config", ("a",))
    write(config, b"a = 1\n")
    assert not remove(str(config.parent), "config", ("a", "b"))
    assert config.read_bytes() == b"a = 1\n"


def test_a_link_is_written_through(config, tmp_path):
    real = tmp_path / "dotfiles" / "codi.toml"
    real.parent.mkdir()
    real.write_text("a = 1\n")
    config.parent.mkdir()
    config.symlink_to(real)
    put(str(config.parent), "config", ("b",), 2)
    assert config.is_symlink() and tomllib.loads(real.read_text()) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("name", "content"), [("config.yaml", b"a: 1"), ("config.toml", b"a = = 1"), ("config.toml", b"\xff")]
)
def test_a_file_that_cannot_be_changed_stays_as_it_is(config, name, content):
    config.parent.mkdir()
    (config.parent / name).write_bytes(content)
    with pytest.raises(ConfigError, match=name):
        put(str(config.parent), "config", ("a",), 1)
    assert (config.parent / name).read_bytes() == content and os.listdir(config.parent) == [name]


def test_writers_at_the_same_time_lose_nothing(config):
    def write_some(name: str) -> None:
        for number in range(10):
            put(str(config.parent), "config", ("shell", "env", f"{name}{number}"), name)

    threads = [threading.Thread(target=write_some, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tomllib.loads(config.read_text())["shell"]["env"]) == 40
