"""Many files are read in few calls, and none that is not to be read."""

import os

import pytest

from codi.protocol.effects import Reads
from codi.workspace.grant import Grant
from codi.workspace.local import LocalWorkspace
from codi.workspace.workspace import UndeclaredEffect


@pytest.fixture
def work(tmp_path):
    root = tmp_path / "work"
    (root / "sub" / "deep").mkdir(parents=True)
    (root / "a").write_bytes(b"1")
    (root / "empty").write_bytes(b"")
    (root / "sub" / "b").write_bytes(b"22")
    (root / "sub" / "deep" / "c").write_bytes(b"333")
    (tmp_path / "outside").write_bytes(b"secret")
    return LocalWorkspace(str(root))


def _contents(workspace, *names, most_bytes=100, path="."):
    return list(workspace.contents(path, names, most_bytes=most_bytes))


def test_each_file_with_all_it_holds_as_asked_for(work):
    names = ["sub/b", "a", "sub/deep/c", "empty", "sub/b"]
    assert _contents(work, *names) == [
        ("sub/b", b"22"), ("a", b"1"), ("sub/deep/c", b"333"), ("empty", b""), ("sub/b", b"22"),
    ]  # fmt: skip
    assert _contents(work, "deep/c", "b", path="sub") == [("deep/c", b"333"), ("b", b"22")]


def test_what_is_no_file_or_too_large_or_not_there_is_left_out(work):
    os.mkfifo(os.path.join(work.root, "pipe"))
    assert _contents(work, "pipe", "sub", "no", "no/no", "a/b", "nul\0", "sub/b", "a", most_bytes=1) == [("a", b"1")]


def test_no_link_is_followed_and_no_way_leads_out(work):
    os.symlink("../outside", os.path.join(work.root, "link"))
    os.symlink("..", os.path.join(work.root, "up"))
    names = ["link", "up/outside", "../outside", "sub/../../outside", "up/work/a"]
    assert _contents(work, *names) == []


def test_what_the_system_makes_up_is_read_to_its_end():
    workspace = LocalWorkspace("/proc/self")
    [(_, content)] = _contents(workspace, "maps", most_bytes=1 << 20)
    assert content.count(b"\n") > 20
    assert _contents(workspace, "maps", most_bytes=100) == []


def test_it_needs_to_be_granted(work):
    grant = Grant(work, [Reads("sub")], lambda text: None)
    assert _contents(grant, "b", path="sub") == [("b", b"22")]
    with pytest.raises(UndeclaredEffect):
        _contents(grant, "a")


def test_descriptors_are_closed_also_when_the_rest_is_not_wanted(work):
    before = len(os.listdir("/proc/self/fd"))
    reading = work.contents(".", ["sub/b", "a"], most_bytes=9)
    assert next(reading) == ("sub/b", b"22")
    reading.close()
    assert len(os.listdir("/proc/self/fd")) == before
