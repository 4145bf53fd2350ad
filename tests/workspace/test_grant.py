"""A grant does what was declared, and refuses everything else."""

from pathlib import Path

import anyio
import pytest

from codi.protocol.effects import Reads, Runs, Writes
from codi.workspace.grant import Grant
from codi.workspace.local import LocalWorkspace
from codi.workspace.workspace import Replacement, UndeclaredEffect


@pytest.fixture
def local(tmp_path: Path) -> LocalWorkspace:
    for name in ("src/a", "src/ab", "src/deep/b", "other/c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "out").symlink_to("other/c")
    return LocalWorkspace(str(tmp_path), spool=str(tmp_path))


def granted(local: LocalWorkspace, *effects: Reads | Writes | Runs) -> Grant:
    return Grant(local, effects, lambda _: None)


async def read(grant: Grant, path: str) -> None:
    await grant.read(path)


async def write(grant: Grant, path: str) -> None:
    await grant.replace(path, b"x", expected=b"")


async def write_all(grant: Grant, path: str) -> None:
    await grant.replace_all([Replacement("src/a", b"x", b""), Replacement(path, b"x", b"")])


async def delete(grant: Grant, path: str) -> None:
    await grant.replace_all([Replacement(path, None, b"")])


async def namesakes(grant: Grant, path: str) -> None:
    list(grant.namesakes(path))


async def walk(grant: Grant, path: str) -> None:
    list(grant.walk(path))


async def entries(grant: Grant, path: str) -> None:
    grant.entries(path)


async def facts(grant: Grant, path: str) -> None:
    grant.facts(path)


async def lines(grant: Grant, path: str) -> None:
    async for _ in grant.lines_of(("true",), cwd=path):
        pass


async def command(grant: Grant, line: str) -> None:
    await grant.run(Runs(line, "src"), timeout_s=20, keep_head=100, keep_tail=100)


@pytest.mark.parametrize(
    ("effect", "way", "what"),
    [
        (Reads("src/a"), read, "src/a"),
        (Reads("src"), read, "src/deep/b"),
        (Writes("src/a"), read, "./src/../src/a"),
        (Reads("other"), read, "out"),
        (Reads("src/a"), facts, "src/a"),
        (Reads("src/a"), entries, "src"),
        (Reads("src"), entries, "src/deep"),
        (Reads("src"), walk, "src/deep"),
        (Reads("other/a"), namesakes, "other/a"),
        (Reads("src"), lines, "src"),
        (Writes("src/a"), write, "src/a"),
        (Writes("out"), write, "other/c"),
        (Writes("out", "delete"), delete, "out"),
        (Writes("src", "delete"), delete, "src/deep/b"),
        (Runs("exit 0", "src"), command, "exit 0"),
        (Runs("exit 0", "./other/../src"), command, "exit 0"),
    ],
)
def test_the_declared_is_done(local, effect, way, what):
    anyio.run(way, granted(local, effect), what)


@pytest.mark.parametrize(
    ("effect", "way", "what"),
    [
        (Reads("src/a"), read, "src/ab"),
        (Reads("src/a"), read, "other/c"),
        (Reads("src"), read, "out"),
        (Reads("src"), read, "src/../other/c"),
        (Reads("src"), read, "/etc/passwd"),
        (Runs("cat src/a"), read, "src/a"),
        (Reads("src/a"), facts, "other/c"),
        (Reads("src/a"), entries, "other"),
        (Reads("src/a"), walk, "src"),
        (Reads("src/a"), namesakes, "other/c"),
        (Reads("src"), walk, "."),
        (Reads("src/deep/b"), lines, "other"),
        (Reads("src/a"), write, "src/a"),
        (Writes("src/a"), write, "src/ab"),
        (Writes("src"), write, "src/a"),
        (Writes("src/a"), write_all, "src/ab"),
        (Writes("src/a"), delete, "out"),
        (Reads("src"), command, "exit 0"),
        (Runs("exit 0", "src"), command, "exit 0 "),
        (Runs("exit 0"), command, "exit 0"),
        (Runs(("exit 0",), "src"), command, "exit 0"),
    ],
)
def test_the_undeclared_is_refused_and_nothing_happens(local, effect, way, what):
    before = {path: path.read_bytes() for path in Path(local.root).rglob("*") if path.is_file()}

    with pytest.raises(UndeclaredEffect):
        anyio.run(way, granted(local, effect), what)

    assert {path: path.read_bytes() for path in Path(local.root).rglob("*") if path.is_file()} == before


def test_a_link_is_known_to_who_may_read_its_folder_but_not_followed(local):
    grant = granted(local, Reads("src"))
    (Path(local.root) / "src/link").symlink_to("/etc/passwd")

    assert grant.facts("src/link").link == "/etc/passwd"
    with pytest.raises(UndeclaredEffect):
        anyio.run(grant.read, "src/link")


def test_a_link_may_lie_in_another_folder_than_the_file_that_was_declared(local):
    (Path(local.root) / "link").symlink_to("src/a")

    assert granted(local, Reads("link")).facts("link").kind == "file"


def test_progress_goes_to_whom_the_grant_was_made_for(local):
    told: list[str] = []
    grant = Grant(local, [Runs("echo hello", "src")], told.append)
    grant.tell("begin")
    anyio.run(command, grant, "echo hello")

    assert told == ["begin", "hello\n"]
