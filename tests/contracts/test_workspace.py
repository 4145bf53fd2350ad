"""What every workspace must do, whichever machine or limits are behind it."""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import anyio
import pytest

from codi.protocol.effects import Effect, Reaches, Reads, Runs, Writes
from codi.workspace.grant import Grant
from codi.workspace.local import LocalWorkspace
from codi.workspace.workspace import ChangedMeanwhile, FileFacts, Outcome, Replacement, Stamp, Workspace

ALL = (Reads("/"), Writes("/", "delete"))


class _GrantOfAll(Grant):
    """Commands are declared as they come."""

    async def run(self, command: Runs, **how) -> Outcome:
        return await Grant(self._workspace, [command], self.tell).run(command, **how)


@pytest.fixture(params=["local", "grant"])
def workspace(request, tmp_path: Path) -> Workspace:
    (tmp_path / "src/deep").mkdir(parents=True)
    (tmp_path / "src/a.py").write_bytes(b"print('a')\n")
    (tmp_path / "src/b.log").write_bytes(b"log\n")
    (tmp_path / ".gitignore").write_bytes(b"*.log\n")
    (tmp_path / "link.py").symlink_to("src/a.py")
    local = LocalWorkspace(str(tmp_path), spool=str(tmp_path))
    return local if request.param == "local" else _GrantOfAll(local, ALL, lambda _: None)


def run(work: Callable, *arguments, **named):
    async def awaited():
        return await work(*arguments, **named)

    return anyio.run(awaited)


def test_paths_are_absolute_and_real_and_shown_from_the_root(workspace, tmp_path):
    root = str(tmp_path.resolve())

    assert workspace.root == workspace.resolve(".") == root
    assert workspace.resolve("@link.py") == f"{root}/src/a.py"
    assert workspace.shown(f"{root}/src/a.py") == "src/a.py"
    assert workspace.shown("/etc/hosts") == "/etc/hosts"


def test_effects_are_resolved(workspace, tmp_path):
    root = str(tmp_path.resolve())
    effects: list[Effect] = [Reads("link.py"), Writes("new", "create"), Runs("ls", "src"), Reaches("example.org")]

    assert workspace.resolved(effects) == (
        Reads(f"{root}/src/a.py"), Writes(f"{root}/new", "create"), Runs("ls", f"{root}/src"), Reaches("example.org"),
    )  # fmt: skip


def test_facts(workspace, tmp_path):
    (tmp_path / "broken").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")

    assert workspace.facts("nothing") == workspace.facts("src/a.py/below") == FileFacts(kind="absent")
    assert workspace.facts("src").kind == workspace.facts(".").kind == workspace.facts("/").kind == "directory"
    assert (workspace.facts("pipe").kind, workspace.facts("/dev/null").kind) == ("fifo", "device")
    assert (workspace.facts("broken").kind, workspace.facts("broken").link) == ("link", "nowhere")
    link, file = workspace.facts("link.py"), workspace.facts("src/a.py")
    assert (link.kind, link.link, file.link) == ("file", "src/a.py", None)
    assert (
        link.size == file.size == 11
        and file.links == 1
        and file.mode == (tmp_path / "src/a.py").stat().st_mode & 0o7777
    )


def test_reading(workspace, tmp_path):
    large = os.urandom(3 << 20)
    (tmp_path / "large").write_bytes(large)

    assert run(workspace.read, "link.py") == b"print('a')\n"
    assert run(workspace.read, "large") == large
    for missing in ("nothing", "no\0name", "half\ud800"):
        with pytest.raises(FileNotFoundError):
            run(workspace.read, missing)


def test_reading_what_is_no_file_fails_at_once(workspace, tmp_path):
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(IsADirectoryError):
        run(workspace.read, "src")
    for special in ("pipe", "/dev/zero", "/dev/tty"):
        with pytest.raises(OSError, match="Not a regular file"):
            run(workspace.read, special)


def test_replacing(workspace, tmp_path):
    run(workspace.replace, "new/deep/file", b"one", expected=None)
    run(workspace.replace, "new/deep/file", b"two", expected=b"one")

    assert (tmp_path / "new/deep/file").read_bytes() == b"two"
    with pytest.raises(ChangedMeanwhile):
        run(workspace.replace, "new/deep/file", b"three", expected=b"one")
    with pytest.raises(ChangedMeanwhile):
        run(workspace.replace, "new/deep/file", b"three", expected=None)
    assert os.listdir(tmp_path / "new/deep") == ["file"]


def test_replacing_through_a_link_keeps_the_link(workspace, tmp_path):
    run(workspace.replace, "link.py", b"new", expected=b"print('a')\n")

    assert (tmp_path / "link.py").is_symlink()
    assert (tmp_path / "src/a.py").read_bytes() == b"new"


def test_replacing_all_or_none(workspace, tmp_path):
    changes = [
        Replacement("src/a.py", b"changed", b"print('a')\n"),
        Replacement("fresh", b"fresh", None, 0o700),
        Replacement("src/b.log", None, b"log\n"),
    ]
    with pytest.raises(ChangedMeanwhile):
        run(workspace.replace_all, [*changes, Replacement("src/c", b"x", b"never was")])
    assert (tmp_path / "src/a.py").read_bytes() == b"print('a')\n"
    assert (tmp_path / "src/b.log").exists() and not (tmp_path / "fresh").exists()

    run(workspace.replace_all, changes)
    assert (tmp_path / "src/a.py").read_bytes() == b"changed"
    assert (tmp_path / "fresh").stat().st_mode & 0o777 == 0o700
    assert not (tmp_path / "src/b.log").exists()


def test_deleting_a_link_leaves_where_it_leads(workspace, tmp_path):
    run(workspace.replace_all, [Replacement("link.py", None, b"print('a')\n")])

    assert not (tmp_path / "link.py").is_symlink()
    assert (tmp_path / "src/a.py").exists()


def test_changes_of_one_file_are_made_in_the_order_asked(workspace, tmp_path):
    async def all_at_once() -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(20):
                old = str(number - 1).encode() if number else None
                tasks.start_soon(
                    lambda old=old, number=number: workspace.replace("counter", str(number).encode(), expected=old)
                )

    anyio.run(all_at_once)
    assert (tmp_path / "counter").read_bytes() == b"19"


def test_entries(workspace):
    entries = dict(workspace.entries("."))

    assert set(entries) == {"src", ".gitignore", "link.py"}
    assert entries["src"].kind == "directory"
    assert (entries["link.py"].kind, entries["link.py"].link, entries["link.py"].size) == ("file", "src/a.py", 11)
    with pytest.raises(FileNotFoundError):
        workspace.entries("nothing")
    with pytest.raises(NotADirectoryError):
        workspace.entries("src/a.py")


def test_walking(workspace):
    assert set(workspace.walk(".")) == {".gitignore", "link.py", "src/a.py"}
    assert set(workspace.walk("src", include_ignored=True)) == {"a.py", "b.log"}
    assert set(workspace.walk(".", hidden=False)) == {"link.py", "src/a.py"}


def test_what_was_seen_is_remembered_by_real_path(workspace, tmp_path):
    assert workspace.stamp("src/a.py") is None
    workspace.saw("link.py", b"print('a')\n")

    status = (tmp_path / "src/a.py").stat()
    digest = sha256(b"print('a')\n").hexdigest()
    assert workspace.stamp("src/a.py") == Stamp(status.st_mtime_ns, 11, digest)


def test_running(workspace, tmp_path):
    outcome = run(workspace.run, Runs("pwd; cd deep; exit 2", "src"), timeout_s=20, keep_head=1000, keep_tail=1000)

    root = tmp_path.resolve()
    assert outcome.head + outcome.tail == f"{root}/src\n".encode()
    assert (outcome.exit_code, outcome.cwd) == (2, f"{root}/src/deep")


def test_lines_of_a_program(workspace):
    async def lines() -> list[bytes]:
        return [line async for line in workspace.lines_of(("ls",), cwd="src")]

    assert anyio.run(lines) == [b"a.py", b"b.log", b"deep"]
