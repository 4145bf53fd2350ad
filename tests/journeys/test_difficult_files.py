"""Places where a change is dangerous, impossible or not what it seems: refused, asked about, or done and told, and undone."""

import os
import socket
import subprocess

import pytest

from calling import EVERYTHING, results, without_override
from conftest import PROGRAM, Codi, call, says


def edit(path: str, old: str = "foo", new: str = "bar"):
    return call("edit", path=path, old_text=old, new_text=new)


def read(path: str):
    return call("read", path=path)


@pytest.fixture
def lasting(codi: Codi) -> Codi:
    """A turn that goes on however many calls fail."""
    codi.set_up("[agent]\nmax_failed_steps = 1000\n")
    return codi


def test_what_is_no_regular_file_is_refused_by_every_tool(lasting, lab, folder):
    os.mkfifo(folder / "fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(folder / "socket"))
        patch = "--- a/{0}\n+++ b/{0}\n@@ -1 +1 @@\n-foo\n+bar\n"
        calls = [
            (name, each)
            for name in ("fifo", "socket")
            for each in (
                read(name),
                call("write", path=name, content="x"),
                edit(name),
                call("apply_patch", patch=patch.format(name)),
                call("replace_lines", path=name, line=1, content="x"),
                call("refactor", path=name, search="foo", replace="bar"),
                call("grep", path=name, pattern="foo"),
                call("view_image", path=name),
                call("move", source=name, target="elsewhere"),
            )
        ]
        told = results(lasting, lab, *(each for _, each in calls))
    assert told == [f"ERROR: {name} is not a regular file." for name, _ in calls]
    assert sorted(os.listdir(folder)) == ["fifo", "socket"]


def test_a_device_is_outside_and_no_file_either(lasting, lab):
    lab([says("", read("/dev/zero")), says("", call("write", path="/dev/null", content="x")), says("Done.")])
    run = lasting.json("go", "-y")
    looked, wrote = run.result["toolCalls"]
    assert looked["result"] == "/dev/zero is not a regular file."
    assert wrote["isError"] and run.status == 3, "outside is a risk that -y does not take"


def test_a_link_is_kept_and_its_target_changed_and_taken_back(lasting, lab, folder):
    (folder / "a").write_text("foo\n")
    os.symlink("a", folder / "link")
    os.symlink("made", folder / "dangling")
    os.symlink("loop", folder / "loop")
    told = results(
        lasting,
        lab,
        read("link"),
        edit("link"),
        read("dangling"),
        call("write", path="dangling", content="made\n"),
        read("loop"),
        call("write", path="loop", content="x"),
    )
    assert told[1] == "Successfully replaced text in link."
    assert told[2].startswith("ERROR: File not found: dangling") and told[3] == "Successfully wrote 5 bytes to dangling"
    assert told[4].startswith("ERROR: Cannot read loop") and told[5].startswith("ERROR: ")
    assert [os.readlink(folder / name) for name in ("link", "dangling", "loop")] == ["a", "made", "loop"]
    assert ((folder / "a").read_text(), (folder / "made").read_text()) == ("bar\n", "made\n")
    assert lasting("undo").status == 0
    assert (folder / "a").read_text() == "foo\n" and sorted(os.listdir(folder)) == ["a", "dangling", "link", "loop"]


def test_the_names_of_one_file_stay_one_file(lasting, lab, folder):
    (folder / "one").write_text("foo\n")
    os.link(folder / "one", folder / "two")
    told = results(lasting, lab, read("one"), edit("one"), call("refactor", search="bar", replace="baz", glob="**"))
    assert told[1] == "Successfully replaced text in one.\n(written in place: one has 2 hard links)"
    assert told[2].startswith("Replaced 2 occurrences in 2 files.") and "two has 2 hard links" in told[2]
    assert (folder / "two").read_text() == "baz\n" and (folder / "one").samefile(folder / "two")
    assert lasting("undo").status == 0
    assert (folder / "two").read_text() == "foo\n" and (folder / "one").samefile(folder / "two")


def test_a_file_that_nobody_may_write_is_asked_about(lasting, lab, folder):
    (folder / "a").write_text("foo\n")
    (folder / "a").chmod(0o444)
    for words, status in ((["--permission-mode", "accept-edits"], 3), (["--permission-mode", "accept-edits", "-y"], 0)):
        lab([says("", read("a")), says("", edit("a")), says("Done.")])
        run = lasting.stream("go", *words)
        (asked,) = run.of_type("approval_asked")
        assert run.status == status and asked["reasons"] == ["a is read-only"], run
    assert (folder / "a").read_text() == "bar\n" and (folder / "a").stat().st_mode & 0o777 == 0o444


def test_what_may_not_be_written_leaves_all_as_it_was(lasting, lab, folder):
    (folder / "locked").mkdir()
    for name in ("a", "b", "locked/c"):
        (folder / name).write_text("foo\n")
    (folder / "locked" / "d").write_text("foo\n")
    (folder / "locked" / "c").chmod(0o444)
    (folder / "locked").chmod(0o555)
    patch = "".join(f"--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-foo\n+bar\n" for name in ("a", "b", "locked/c"))
    told = results(
        lasting,
        lab,
        *map(read, ("a", "b", "locked/c", "locked/d")),
        call("refactor", search="foo", replace="bar", glob="**"),
        call("apply_patch", patch=patch),
        edit("locked/c"),
        call("write", path="locked/new", content="x"),
        call("delete", path="locked/c"),
        call("move", source="a", target="locked/a"),
        edit("locked/d"),
        preexec=without_override,
    )
    assert told[4] == told[5] == told[6] == "ERROR: Nothing was written: locked/c: Permission denied."
    assert all(each.startswith("ERROR: ") and "Permission denied" in each for each in told[7:10]), told
    assert told[10].endswith("(written in place: locked/d is in a directory that is not writable)")
    assert [(folder / name).read_text() for name in ("a", "b", "locked/c", "locked/d")] == ["foo\n"] * 3 + ["bar\n"]
    assert sorted(os.listdir(folder / "locked")) == ["c", "d"] and lasting("undo", preexec=without_override).status == 0
    assert (folder / "locked" / "d").read_text() == "foo\n"


def test_what_vanished_since_it_was_read(lasting, lab, folder):
    for name in ("a", "b", "c"):
        (folder / name).write_text("foo\n")
    told = results(
        lasting,
        lab,
        *map(read, "abc"),
        call("shell", command="rm a b c; mkdir c"),
        edit("a"),
        call("write", path="b", content="again\n"),
        edit("c"),
        call("move", source="a", target="d"),
        call("shell", command="true", cwd="gone"),
    )
    assert told[4].startswith("ERROR: File not found: a (No such file or directory)")
    assert told[5] == "Successfully wrote 6 bytes to b" and told[6].startswith("ERROR: c is a directory")
    assert told[7].startswith("ERROR: File not found: a") and "Working directory not found: " in told[8]


def test_names_that_hold_newlines_or_no_text(lasting, lab, folder):
    odd = os.fsencode(folder) + b"/bad\xffname"
    (folder / "new\nline").write_text("foo\n")
    with open(odd, "wb") as file:
        file.write(b"foo\n")
    told = results(
        lasting,
        lab,
        read("new\nline"),
        edit("new\nline"),
        call("move", source="new\nline", target="tab\there"),
        call("list"),
        call("glob", pattern="*"),
        call("grep", pattern="foo"),
        call("shell", command="printf bar > bad*name; rm tab*here"),
    )
    assert not [each for each in told if each.startswith("ERROR")], told
    assert all("bad" in each for each in told[3:6])
    assert lasting("changes").status == 0 and lasting("undo", "--dry-run").status == 0
    assert lasting("undo").status == 0
    assert (folder / "new\nline").read_text() == "foo\n" and sorted(os.listdir(os.fsencode(folder))) == [
        b"bad\xffname", b"new\nline",
    ]  # fmt: skip
    with open(odd, "rb") as file:
        assert file.read() == b"foo\n"


SMALL_DISK = """\
set -e
mount -t tmpfs -o size={size} none "$DISK"
printf 'foo\\n' > "$DISK/a"
cp -r "$DISK/." "$DISK.seen"
cd "$DISK"
"$@" || true
cp -r "$DISK/." "$DISK.seen"
"""
"""Work on a disk of a few kilobytes that is there for this process alone, and show afterwards what was on it."""


def _may_mount() -> bool:
    words = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        return subprocess.run(words, capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not _may_mount(), reason="no disk can be made here: mount namespaces are not allowed")
def test_a_full_disk_keeps_the_old_file_and_names_the_disk(lasting, lab, folder):
    lab(
        [
            says("", read("a")),
            says("", call("write", path="a", content="x" * 200_000)),
            says("", call("write", path="b", content="x" * 200_000)),
            says("", call("shell", command="head -c 200000 /dev/zero > c; rm c; printf 'more\\n' >> a")),
            says("Done."),
        ]
    )
    disk = folder.with_name("disk")
    disk.mkdir()
    (folder / "disk.sh").write_text(SMALL_DISK.format(size="64k"))
    done = subprocess.run(
        ["unshare", "-rm", "bash", folder / "disk.sh", PROGRAM, "-p", "go", "--context-window", "1000000", *EVERYTHING],
        env=lasting.env | {"DISK": str(disk)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )
    told = [
        line["message"]["content"][0]["text"]
        for line in lasting.session()
        if line.get("message", {}).get("role") == "toolResult"
    ]
    assert told[1] == "Nothing was written: a: No space left on device.", (told, done)
    assert told[2] == "Nothing was written: b: No space left on device."
    assert "No space left on device" in told[3]
    assert sorted(os.listdir(f"{disk}.seen")) == ["a"]
    with open(f"{disk}.seen/a") as file:
        assert file.read() == "foo\nmore\n"


def test_a_file_that_undo_has_no_room_for_is_asked_about(lasting, lab, folder):
    lasting.set_up("undo.quota_mb = 1")
    (folder / "big").write_bytes(b"x" * 1_100_000)
    (folder / "small").write_text("foo\n")
    for mode, status in (("full-access", 3), ("accept-edits", 3)):
        lab([says("", call("delete", path="big")), says("", call("delete", path="small")), says("Done.")])
        run = lasting.stream("go", "--permission-mode", mode)
        (asked,) = run.of_type("approval_asked")
        assert run.status == status and asked["reasons"][0].startswith("cannot be undone: "), run
        assert (folder / "big").exists() and not (folder / "small").exists()
        assert lasting("undo").status == 0 and (folder / "small").read_text() == "foo\n"
