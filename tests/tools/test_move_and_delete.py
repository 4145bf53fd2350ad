"""Files and directories that go elsewhere or away: what is done, what is said, and what is never touched."""

import os
import stat

import pytest

from codi.protocol.effects import Reads, Writes


def tree(bench):
    return sorted(
        str(path.relative_to(bench.root)) + "/" * (path.is_dir() and not path.is_symlink())
        for path in bench.root.rglob("*")
    )


def test_a_file_is_moved_with_its_mode(bench):
    place = bench.write("a.bin", b"\x00\xff")
    place.chmod(0o751)
    output = bench.call("move", source="a.bin", target="deep/er/b.bin")
    assert output.text == "Moved a.bin to deep/er/b.bin"
    moved = bench.root / "deep/er/b.bin"
    assert moved.read_bytes() == b"\x00\xff" and stat.S_IMODE(moved.stat().st_mode) == 0o751 and not place.exists()
    (change,) = output.changes
    assert (change.kind, change.path, change.moved_from) == ("moved", "deep/er/b.bin", "a.bin")
    assert change.before == change.after


def test_a_file_is_copied(bench):
    bench.write("a.txt", "x")
    output = bench.call("move", source="a.txt", target="b.txt", copy=True)
    assert output.text == "Copied a.txt to b.txt" and tree(bench) == ["a.txt", "b.txt"]
    assert output.changes[0].kind == "created"


def test_into_a_directory(bench):
    bench.write("a.txt", "x")
    bench.write("dir/c.txt")
    output = bench.call("move", source="a.txt", target="dir")
    assert output.text == "dir/ exists. To put it in there, give dir/ as the target, or name another."
    assert bench.call("move", source="a.txt", target="dir/").text == "Moved a.txt to dir/a.txt"
    assert tree(bench) == ["dir/", "dir/a.txt", "dir/c.txt"]


def test_an_existing_target(bench):
    bench.write("a.txt", "new")
    there = bench.write("b.txt", "old")
    output = bench.call("move", source="a.txt", target="b.txt")
    assert output.is_error and output.text == "b.txt exists. Set overwrite=true to replace it."
    output = bench.call("move", source="a.txt", target="b.txt", overwrite=True)
    assert output.text == "Moved a.txt to b.txt" and there.read_text() == "new" and tree(bench) == ["b.txt"]


def test_what_nobody_read_is_not_known_by_being_moved(bench):
    bench.write("a.txt", "old")
    bench.call("move", source="a.txt", target="b.txt")
    assert "was not read in this session" in bench.call("write", path="b.txt", content="new").text
    bench.call("read", path="b.txt")
    bench.call("move", source="b.txt", target="c.txt")
    assert not bench.call("write", path="c.txt", content="new").is_error


def test_a_directory_is_moved_with_all_in_it(bench):
    bench.write("src/.hidden", "h")
    bench.write("src/a/b.txt", "b")
    (bench.root / "src/empty").mkdir()
    output = bench.call("move", source="src/", target="lib")
    assert output.text == "Moved src/ to lib/"
    assert tree(bench) == ["lib/", "lib/.hidden", "lib/a/", "lib/a/b.txt", "lib/empty/"]
    assert {change.moved_from for change in output.changes} == {"src/.hidden", "src/a/b.txt"}
    assert bench.call("move", source="lib", target="lib/inner").text == "lib/ cannot be put into itself."
    assert bench.call("move", source="lib", target="lib2", copy=True).text == "Copied lib/ to lib2/"
    assert len(tree(bench)) == 10


def test_many_files_at_once(bench):
    for number in range(700):
        bench.write(f"many/{number}")
    assert bench.call("move", source="many", target="more").text == "Moved many/ to more/"
    assert len(os.listdir(bench.root / "more")) == 700
    assert bench.call("delete", path="more", recursive=True).text == "Deleted more/ (700 files)"
    assert tree(bench) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"source": "none", "target": "b"}, "File not found: none (No such file or directory)"),
        ({"source": "a.txt", "target": "a.txt"}, "a.txt is there already."),
        ({"source": ".", "target": "b"}, ". is the workspace root or holds it; it cannot be moved."),
        ({"source": "a.txt", "target": ".git/hooks/x"}, "belongs to git's own files"),
        ({"source": ".git", "target": "b"}, "belongs to git's own files"),
        ({"source": ".codi/config.toml", "target": "b"}, "one of codi's own files"),
        ({"source": "link", "target": "b"}, "link is a link. Use shell: mv or cp."),
        ({"source": "pipe", "target": "b"}, "pipe is not a regular file."),
        ({"source": "inner", "target": "b"}, "inner/ holds inner/.git and cannot be moved. Use shell."),
        ({"source": "a.txt"}, "target: required parameter is missing"),
    ],
)
def test_a_move_that_is_refused(bench, arguments, said):
    for path in ("a.txt", ".git/config", ".codi/config.toml", "inner/.git/config"):
        bench.write(path)
    (bench.root / "link").symlink_to("a.txt")
    os.mkfifo(bench.root / "pipe")
    before = tree(bench)
    output = bench.call("move", **arguments)
    assert output.is_error and said in output.text
    assert tree(bench) == before


def test_a_file_is_deleted(bench):
    bench.write("a.txt", "x")
    output = bench.call("delete", path="a.txt")
    assert output.text == "Deleted a.txt" and tree(bench) == []
    (change,) = output.changes
    assert (change.kind, change.after) == ("deleted", None) and change.before


def test_of_a_link_only_the_link_is_deleted(bench):
    bench.write("a.txt", "x")
    (bench.root / "link").symlink_to("a.txt")
    (bench.root / "dead").symlink_to("nowhere")
    assert bench.call("delete", path="link").text == "Deleted the link link"
    assert bench.call("delete", path="dead").text == "Deleted the link dead"
    assert tree(bench) == ["a.txt"]


def test_a_directory_is_deleted_with_what_is_in_it(bench, tmp_path):
    (tmp_path / "outside").write_text("stays")
    bench.write("dir/sub/a.txt")
    (bench.root / "dir/out").symlink_to(tmp_path / "outside")
    (bench.root / "none").mkdir()
    output = bench.call("delete", path="dir")
    assert output.is_error
    assert output.text == "dir/ is not empty. Set recursive=true to delete it with all that is in it."
    assert bench.call("delete", path="dir", recursive=True).text == "Deleted dir/ (2 files)"
    assert bench.call("delete", path="none").text == "Deleted none/ (0 files)"
    assert tree(bench) == [] and (tmp_path / "outside").read_text() == "stays"


@pytest.mark.parametrize("path", [".", "..", "/", ".git", ".git/config", "inner", ".codi", "gone"])
def test_a_delete_that_is_refused(bench, path):
    for name in ("a.txt", ".git/config", ".codi/config.toml", "inner/.git/config"):
        bench.write(name)
    before = tree(bench)
    output = bench.call("delete", path=path, recursive=True)
    assert output.is_error and tree(bench) == before


def test_the_effects_name_both_ends(bench):
    def effects(**arguments):
        return list(bench.toolbox.resolve("move", arguments).action.effects())

    assert effects(source="a", target="b") == [Writes("a", "move"), Writes("b", "move")]
    assert effects(source="a", target="b/") == [Writes("a", "move"), Writes("b/a", "move")]
    assert effects(source="a", target="b", copy=True) == [Reads("a"), Writes("b", "move")]


@pytest.mark.parametrize(
    ("given", "tool", "meant"),
    [
        ({"operation": "move", "source": "a", "destination": "b"}, "move", {"source": "a", "target": "b"}),
        ({"operation": "rename", "path": "a", "to": "b"}, "move", {"source": "a", "target": "b"}),
        ({"operation": "copy", "source": "a", "target": "b"}, "move", {"copy": True, "source": "a", "target": "b"}),
        ({"operation": "delete", "path": "a"}, "delete", {"path": "a"}),
        ({"operation": "delete", "source": "a"}, "delete", {"path": "a"}),
        ({"operation": "mkdir", "path": "a/b"}, "write", {"path": "a/b/", "content": ""}),
    ],
)
def test_operations_of_other_agents(bench, given, tool, meant):
    resolved = bench.toolbox.resolve("file_op", given)
    assert (resolved.name, resolved.arguments) == (tool, meant)
    assert resolved.mapped.startswith(f'(Mapped: Tool: "file_op" -> "{tool}"')


def test_an_operation_that_is_none(bench):
    said = 'Validation failed for tool "file_op":\n - operation: one of move, copy, delete, mkdir'
    assert bench.call("file_op", operation="chmod", path="a").text == said
    assert bench.call("file_op").text == said
