"""At any moment there is the old file or the new, and nothing else."""

import errno
import os
import resource
import select
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from tempfile import mkdtemp

import pytest

from codi.workspace.replacing import Change, remove_abandoned, replace_together
from codi.workspace.workspace import ChangedMeanwhile


def put(path: Path, content: bytes | None, *, expected: bytes | None, mode: int | None = None) -> None:
    replace_together([Change(str(path), content, expected=expected, mode=mode)])


def child(work: Callable[[], None]) -> int:
    """A forked process that does the work; its status is 0, or the errno of what failed."""
    process = os.fork()
    if process == 0:
        status = 255
        try:
            work()
            status = 0
        except OSError as error:
            status = error.errno or 254
        finally:
            os._exit(status)
    return process


def outcome(process: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path.resolve()


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that a process without privileges reaches."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    folder = Path(mkdtemp(dir="/tmp")).resolve()
    folder.chmod(0o755)
    yield folder
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


def as_nobody(work: Callable[[], None]) -> int:
    def switched() -> None:
        os.setegid(65534)
        os.seteuid(65534)
        work()

    return outcome(child(switched))


def test_a_new_file_gets_the_mode_that_the_umask_leaves(folder):
    before = os.umask(0o027)
    try:
        put(folder / "a/b/new", b"new", expected=None)
    finally:
        os.umask(before)

    assert (folder / "a/b/new").read_bytes() == b"new"
    assert stat.S_IMODE((folder / "a/b/new").stat().st_mode) == 0o640


@pytest.mark.parametrize("mode", [0o600, 0o755, 0o444, 0o4755])
def test_mode_and_attributes_are_kept(folder, mode):
    file = folder / "file"
    file.write_bytes(b"old")
    file.chmod(mode)
    os.setxattr(file, "user.note", b"kept")

    put(file, b"new", expected=b"old")

    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == mode
    assert os.getxattr(file, "user.note") == b"kept"


def test_the_owner_is_kept(open_to_all):
    file = open_to_all / "file"
    file.write_bytes(b"old")
    os.chown(file, 1234, 2345)

    put(file, b"new", expected=b"old")

    assert (file.stat().st_uid, file.stat().st_gid) == (1234, 2345)


def test_a_mode_can_be_given(folder):
    put(folder / "tool", b"#!/bin/sh\n", expected=None, mode=0o755)
    assert stat.S_IMODE((folder / "tool").stat().st_mode) == 0o755

    put(folder / "tool", b"", expected=b"#!/bin/sh\n", mode=0o100644)
    assert stat.S_IMODE((folder / "tool").stat().st_mode) == 0o644


def test_hard_links_stay_links(folder):
    (folder / "one").write_bytes(b"a long old content")
    os.link(folder / "one", folder / "two")

    put(folder / "one", b"short", expected=b"a long old content")
    assert (folder / "two").read_bytes() == b"short"

    put(folder / "two", b"a longer new content", expected=b"short")
    assert (folder / "one").read_bytes() == b"a longer new content"
    assert sorted(os.listdir(folder)) == ["one", "two"]


@pytest.mark.parametrize(
    ("there", "expected"), [(b"newer", b"older"), (b"other", None), (None, b"older"), (b"same length", b"SAME length")]
)
def test_what_changed_meanwhile_is_left_alone(folder, there, expected):
    file = folder / "file"
    if there is not None:
        file.write_bytes(there)

    with pytest.raises(ChangedMeanwhile):
        put(file, b"mine", expected=expected)

    assert (file.read_bytes() if file.exists() else None) == there
    assert os.listdir(folder) == (["file"] if there is not None else [])


def test_a_change_between_staging_and_swapping_is_noticed(folder):
    file = folder / "file"
    file.write_bytes(b"old")
    change = Change(str(file), b"mine", expected=b"old")
    fresh = Change(str(folder / "fresh"), b"mine", expected=None)
    try:
        change.stage()
        fresh.stage()
        file.write_bytes(b"theirs")
        (folder / "fresh").write_bytes(b"theirs")
        for staged in (change, fresh):
            with pytest.raises(ChangedMeanwhile):
                staged.swap()
    finally:
        change.close()
        fresh.close()

    assert file.read_bytes() == (folder / "fresh").read_bytes() == b"theirs"
    assert sorted(os.listdir(folder)) == ["file", "fresh"]


def test_parents_made_for_a_file_that_never_came_go_again(folder):
    (folder / "a").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_together(
            [Change(f"{folder}/new/deep/file", b"x", expected=None), Change(f"{folder}/a", b"x", expected=None)]
        )

    assert os.listdir(folder) == ["a"]


@pytest.mark.parametrize("kind", ["fifo", "folder"])
def test_what_is_no_file_is_refused(folder, kind):
    os.mkfifo(folder / "it") if kind == "fifo" else (folder / "it").mkdir()

    with pytest.raises(OSError):
        put(folder / "it", b"x", expected=None)
    with pytest.raises(OSError):
        put(folder / "it/below", b"x", expected=None) if kind == "fifo" else put(folder / "it", b"x", expected=b"")


def test_all_or_none(folder):
    for name in ("changed", "deleted", "full/file"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(name.encode())
        (folder / name).chmod(0o750)
    (folder / "link").symlink_to("nowhere")
    (folder / "empty").mkdir()

    def changes() -> list[Change]:
        return [
            Change(f"{folder}/changed", b"new", expected=b"changed"),
            Change(f"{folder}/deleted", None, expected=b"deleted"),
            Change(f"{folder}/link", None, expected=None),
            Change(f"{folder}/empty", None, expected=None),
            Change(f"{folder}/made/deep", b"made", expected=None),
        ]

    before = _picture(folder)
    with pytest.raises(OSError, match="not empty"):
        replace_together([*changes(), Change(f"{folder}/full", None, expected=None)])
    assert _picture(folder) == before

    replace_together(changes())
    assert sorted(_picture(folder)) == ["changed", "full", "full/file", "made", "made/deep"]


def _picture(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            os.readlink(path).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b"",
        )
        for path in folder.rglob("*")
    }


def test_a_folder_that_may_not_be_written_has_its_files_overwritten(open_to_all):
    file = open_to_all / "file"
    file.write_bytes(b"old")
    file.chmod(0o666)

    assert as_nobody(lambda: put(file, b"new content", expected=b"old")) == 0
    assert file.read_bytes() == b"new content"
    assert as_nobody(lambda: put(open_to_all / "new", b"x", expected=None)) == errno.EACCES
    file.chmod(0o644)
    assert as_nobody(lambda: put(file, b"third", expected=b"new content")) == errno.EACCES
    assert file.read_bytes() == b"new content"
    assert os.listdir(open_to_all) == ["file"]


@pytest.mark.parametrize("links", [1, 2])
def test_a_write_that_fails_half_way_leaves_the_old_file(folder, links):
    file = folder / "file"
    file.write_bytes(b"old" * 100)
    if links == 2:
        os.link(file, folder / "other")

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        put(file, b"x" * 5000, expected=b"old" * 100)

    assert outcome(child(limited)) == errno.EFBIG
    assert file.read_bytes() == b"old" * 100
    assert len(os.listdir(folder)) == links


def test_killed_at_any_moment_it_leaves_the_old_or_the_new_file(folder):
    file = folder / "file"
    contents = [bytes([letter]) * 60_000 for letter in b"ab"]
    file.write_bytes(contents[0])
    random = Random(20)
    for _ in range(30):
        seen, told = os.pipe()

        def forever(told: int = told) -> None:
            now = contents.index(file.read_bytes())
            while True:
                os.write(told, b".")
                put(file, contents[1 - now], expected=contents[now])
                now = 1 - now

        process = child(forever)
        os.close(told)
        for _ in range(random.randrange(1, 4)):
            os.read(seen, 1)
        ready = select.poll()
        ready.register(seen, 0)
        ready.poll(random.random())  # somewhere in the first millisecond of a change
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(seen)
        assert file.read_bytes() in contents

    # Between two system calls the new content has a second name. Killed right there, the next to write removes it.
    put(folder / "file", b"new", expected=file.read_bytes())
    assert os.listdir(folder) == ["file"]


def test_what_a_killed_codi_left_is_removed(folder):
    gone = child(lambda: None)
    outcome(gone)
    abandoned, living, other = (
        folder / name for name in (f".codi-{gone}-00ff.tmp", f".codi-{os.getpid()}-0a.tmp", ".codi-x")
    )
    for file in (abandoned, living, other):
        file.write_bytes(b"")

    remove_abandoned(str(folder))

    assert not abandoned.exists()
    assert living.exists() and other.exists()


def test_without_nameless_files_a_named_one_does_and_goes(folder, monkeypatch):
    monkeypatch.setattr(os, "O_TMPFILE", os.O_DIRECTORY)  # what the flag means to file systems that do not know it
    (folder / "file").write_bytes(b"old")

    put(folder / "file", b"new", expected=b"old")
    put(folder / "fresh", b"new", expected=None)
    with pytest.raises(ChangedMeanwhile):
        put(folder / "fresh", b"newer", expected=None)

    assert (folder / "file").read_bytes() == (folder / "fresh").read_bytes() == b"new"
    assert sorted(os.listdir(folder)) == ["file", "fresh"]
