"""The full texts of cut results: private, within bounds, and found again by id."""

import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codi.tools.output import Cap
from codi.tools.results import ID, Results, results_directory

DAY_S = 24 * 3600


class Clock:
    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        self.now += 1
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def results(tmp_path, clock):
    return Results(str(tmp_path / "s.results"), clock=clock, quota=20_000)


def text_of(results, id):
    return "\n".join(results.lines(id))


def test_beside_the_session_file():
    assert results_directory("/a/2026_x.jsonl") == "/a/2026_x.results"


def test_a_text_is_kept_to_the_byte(results):
    text = "a\r\n\tb \u2028 ü\n\n\x0c end"
    id = results.keep("shell", {"command": "x"}, text)
    assert ID.match(id) and id.startswith("shell_")
    with open(results.path_of(id), "rb") as file:
        assert file.read() == text.encode()
    header = results.header(id)
    assert (header.tool, header.arguments, header.is_error) == ("shell", {"command": "x"}, False)
    assert (header.bytes, header.lines, header.tokens) == (len(text.encode()), 4, (len(text.encode()) + 3) // 4)
    assert header.summary == "x (4 lines)"


@given(text=st.text(max_size=200))
def test_any_text_comes_back(tmp_path_factory, text):
    results = Results(str(tmp_path_factory.mktemp("any") / "s.results"))
    id = results.keep("grep", {}, text)
    with open(results.path_of(id), "rb") as file:
        assert file.read() == text.encode()
    assert text_of(results, id) == text.removesuffix("\n")


def test_the_id_is_of_tool_arguments_and_text(results):
    id = results.keep("grep", {"a": 1, "b": 2}, "text")
    assert results.keep("grep", {"b": 2, "a": 1}, "text") == id
    assert len({id, results.keep("glob", {"a": 1, "b": 2}, "text"), results.keep("grep", {}, "text"),
                results.keep("grep", {"a": 1, "b": 2}, "other")}) == 4  # fmt: skip


def test_the_name_of_a_foreign_tool_fits_into_an_id(results):
    id = results.keep("mcp__GitHub-Server__" + "x" * 60, {}, "text")
    assert ID.match(id) and id.startswith("mcp__github_server__x")


@pytest.mark.parametrize(
    "id", ["../x", "shell_12", "Shell_0123456789ab", "shell_0123456789ab\n", "", "a/b_0123456789ab"]
)
def test_nothing_else_is_an_id(results, bench, id):
    assert bench.call("recall", action="get", id=id).text == "Invalid id."
    with pytest.raises(ValueError, match="is no id"):
        results.path_of(id)


def test_nobody_else_can_read_them(results, tmp_path):
    previous = os.umask(0)
    try:
        results.keep("shell", {}, "secret")
    finally:
        os.umask(previous)
    directory = tmp_path / "s.results"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()} == {0o600}
    assert sorted(file.suffix for file in directory.iterdir()) == [".json", ".txt"]


def test_the_oldest_leave_for_want_of_room(results, tmp_path):
    ids = [results.keep("shell", {"command": str(n)}, f"{n}" * 5000) for n in range(6)]
    kept = [id for id in ids if results.path_of(id)]
    assert kept == ids[-len(kept) :] and 2 <= len(kept) <= 3
    assert sum(file.stat().st_size for file in (tmp_path / "s.results").iterdir()) <= 20_000
    assert results.header(ids[0]).arguments == {"command": "0"}


def test_a_text_that_is_kept_again_is_young_again(results):
    first = results.keep("shell", {}, "a" * 5000)
    for n in range(2):
        results.keep("shell", {"n": n}, "b" * 5000)
    results.keep("shell", {}, "a" * 5000)
    results.keep("shell", {"n": 3}, "c" * 5000)
    assert results.path_of(first)


def test_the_old_leave(results, clock):
    old = results.keep("shell", {}, "old")
    clock.now += 31 * DAY_S
    results.keep("shell", {}, "new")
    assert results.path_of(old) is None and results.header(old) is not None
    clock.now += 31 * DAY_S
    results.keep("shell", {}, "newer")
    assert results.header(old) is None


def test_a_text_larger_than_the_quota_is_kept_in_part(results):
    id = results.keep("shell", {}, "x" * 50_000)
    header = results.header(id)
    assert 15_000 < header.bytes < 20_000 and header.bytes + header.lost_bytes == 50_000


def test_output_of_a_process_is_cleaned_on_its_way(results, tmp_path):
    raw = tmp_path / "raw"
    raw.write_bytes(b"\x1b[1mbold\x1b[0m\n10%\r20%\n" + "é".encode() * 100)
    id = results.keep_output("shell", {}, str(raw))
    assert text_of(results, id) == "bold\n20%\n" + "é" * 100


def test_characters_are_not_cut_where_a_long_line_comes_in_pieces(tmp_path):
    raw = tmp_path / "raw"
    raw.write_bytes(b"x" + "é世".encode() * 900_000)
    results = Results(str(tmp_path / "s.results"))
    assert text_of(results, results.keep_output("shell", {}, str(raw))) == "x" + "é世" * 900_000


def test_a_session_without_a_file_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    results = Results(None)
    id = results.keep("shell", {}, "text")
    (directory,) = tmp_path.iterdir()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700 and text_of(results, id) == "text"
    results.close()
    assert list(tmp_path.iterdir()) == []
    Results(None).close()


def test_two_sessions_see_nothing_of_each_other(tmp_path):
    one, other = Results(str(tmp_path / "a.results")), Results(str(tmp_path / "b.results"))
    id = one.keep("shell", {}, "text")
    assert other.path_of(id) is None and other.newest(5) == []


def test_get_shows_lines_and_where_to_go_on(bench):
    id = bench.results.keep("shell", {"command": "seq"}, "".join(f"line {n}\n" for n in range(1, 11)))
    first = bench.call("recall", action="get", id=id, limit=3).text.split("\n")
    assert first[0].startswith(f"{id}, shell, 2") and first[0].endswith(" tokens")
    assert first[1:] == ["line 1", "line 2", "line 3", "", "[7 more lines in file. Use offset=4 to continue.]"]
    assert bench.call("recall", action="get", id=id, offset=9).text.split("\n")[1:] == ["line 9", "line 10"]
    assert bench.call("recall", action="get", id=id, offset=11).text == (
        "Offset 11 is beyond end of file (10 lines total)"
    )


def test_get_keeps_to_the_cap(bench):
    bench.cap = Cap(bytes=2000)
    id = bench.results.keep("shell", {}, "\n".join(f"{n:0100d}" for n in range(1, 101)))
    output = bench.call("recall", action="get", id=id, offset=11)
    assert output.text.endswith("\n\n[Showing lines 11-29 of 100 (2.0KB limit). Use offset=30 to continue.]")
    assert output.details["truncation"]["outputLines"] == 19
    long = bench.results.keep("shell", {}, "a\n" + "x" * 5000)
    assert bench.call("recall", action="get", id=long, offset=2).text.endswith(
        f"[Line 2 is 4.9KB, exceeds 2.0KB limit. Use shell: sed -n '2p' {bench.results.path_of(long)} | head -c 2000]"
    )


def test_one_that_left_names_the_call_to_repeat(bench):
    id = bench.results.keep("shell", {"command": "make"}, "text")
    os.unlink(bench.results.path_of(id))
    assert bench.call("recall", action="check", id=id).text == "no"
    output = bench.call("recall", action="get", id=id)
    assert output.is_error
    assert output.text == (
        f'The text of {id} is no longer kept. To have it again, repeat the call shell({{"command":"make"}})'
    )
    assert "There is no result" in bench.call("recall", action="get", id="shell_0123456789ab").text


def test_check_list_and_search(bench):
    assert bench.call("recall", action="list").text == "No results are kept in this session."
    one = bench.results.keep("shell", {"command": "make all"}, "one\nNeedle here\n")
    for n in range(25):
        bench.results.keep("grep", {"pattern": str(n)}, f"text {n}")

    assert bench.call("recall", action="check", id=one).text == "yes"
    listed = bench.call("recall", action="list").text.split("\n")
    assert len(listed) == 20 and "grep_" in listed[0]
    assert "7B  2 tokens  0 s ago  24 (1 line)" in listed[0]
    assert bench.call("recall", action="search", query="needle").text == f"{one}:2: Needle here"
    assert bench.call("recall", action="search", query="nowhere").text == "No matches found"
    assert bench.call("recall", action="search").text == "search needs a query."
    assert bench.call("recall", action="get").text == "Invalid id."


def test_a_search_with_very_many_hits(bench):
    bench.results.keep("shell", {}, "x\n" * 500)
    text = bench.call("recall", action="search", query="x").text
    assert text.count("\n") == 201 and text.endswith("[200 matches limit reached. Refine the query]")
