"""Whatever arguments a model sends to any tool: an answer, or a refusal in words, and never another exception."""

import itertools

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tool_bench import Bench

from codi.protocol.effects import Reaches
from codi.tools.tool import ToolFailed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
PATHS = st.sampled_from(
    ["a.txt", "b.bin", "c.py", "folder", "folder/", "new/x", "", ".", "..", "~", "@a.txt", "a\0", "\ud800", "a.txt/b", ".git",
     "link", "pic.png"]
)  # fmt: skip
LINES = JSON | st.integers(-1, 5)
WORDS = st.sampled_from(["x", "", "\n", "a\nb\n", "(", "é", "$1", r"\1", "(x)|y", "[", "^", "1"])
FLAG = JSON | st.booleans()
ARGUMENTS = {
    "insert_lines": {"path": PATHS, "line": LINES, "content": WORDS | JSON},
    "replace_lines": {"path": PATHS, "line": LINES, "end_line": LINES, "content": WORDS},
    "delete_lines": {"path": PATHS, "line": LINES, "end_line": LINES},
    "refactor": {"search": WORDS, "replace": WORDS, "path": PATHS, "glob": WORDS, "ignore_case": FLAG, "whole_word": FLAG,
                 "dry_run": FLAG, "max_files": LINES},
    "tree": {"path": PATHS, "depth": LINES, "hidden": FLAG, "files": FLAG, "limit": LINES},
    "move": {"source": PATHS, "target": PATHS, "copy": FLAG, "overwrite": FLAG},
    "delete": {"path": PATHS, "recursive": FLAG},
    "view_image": {"path": PATHS, "question": WORDS},
    "run_tests": {"filter": WORDS, "changed_only": FLAG, "cwd": PATHS, "timeout_s": LINES},
    "shell": {"job": WORDS | JSON, "kill": FLAG, "input": WORDS, "wait_s": st.sampled_from([0, 61, "x", None]), "size": JSON},
    "web_fetch": {"url": WORDS | st.sampled_from(["http://127.0.0.1:1", "http://[::1]", "https://x:y"]), "max_chars": LINES},
    "context_status": {"include": JSON | st.just(["tokens"]), "query": JSON},
    "file_op": {"operation": JSON | st.sampled_from(["move", "copy", "delete", "mkdir"]), "path": PATHS, "source": PATHS,
                "target": PATHS},
}  # fmt: skip
COUNTER = itertools.count()


@pytest.mark.parametrize("tool", list(ARGUMENTS))
@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_arguments(tmp_path, tool, data):
    arguments = data.draw(st.fixed_dictionaries({}, optional={**ARGUMENTS[tool], "odd": JSON}))
    place = tmp_path / str(next(COUNTER))
    place.mkdir()
    bench = Bench(place)
    for path, content in (
        ("a.txt", "x = 1\ntwo\n"),
        ("b.bin", b"\0x"),
        ("c.py", "x = 1\n"),
        ("folder/y", ""),
        (".git/z", ""),
    ):
        bench.write(path, content)
    bench.workspace.saw("a.txt", b"x = 1\ntwo\n")
    bench.write("pic.png", b"\x89PNG\r\n\x1a\nxx")
    (bench.root / "link").symlink_to(place / "outside")
    (place / "outside").write_text("stays")
    assert bench.call(tool, **arguments).text
    assert (place / "outside").read_text() == "stays" and (bench.root / ".git/z").exists()
    assert bench.root.is_dir()


@pytest.mark.parametrize("tool", ["insert_lines", "replace_lines", "delete_lines", "refactor", "move", "delete"])
def test_what_is_outside_is_reached_only_as_declared(bench, tool):
    (bench.root.parent / "outside").write_text("stays")
    (bench.root / "out").symlink_to(bench.root.parent)
    arguments = {
        "insert_lines": {"path": "out/outside", "line": 1, "content": "x"},
        "replace_lines": {"path": "out/outside", "line": 1, "content": "x"},
        "delete_lines": {"path": "out/outside", "line": 1},
        "refactor": {"path": "out/outside", "search": "stays", "replace": "x"},
        "move": {"source": "out/outside", "target": "here"},
        "delete": {"path": "out/outside"},
    }[tool]
    action = bench.toolbox.resolve(tool, arguments).action
    paths = {effect.path for effect in bench.workspace.resolved(tuple(action.effects()))}
    assert str((bench.root.parent / "outside").resolve()) in paths


def test_a_search_that_is_not_set_up_is_not_offered(bench):
    assert "web_search" not in bench.toolbox.names
    with pytest.raises(ToolFailed, match="There is no tool"):
        bench.toolbox.resolve("web_search", {"query": "x"})


def test_interleaved_calls_keep_every_line(bench):
    async def many():
        bench.write("a.txt", "0\n")
        await bench._run(bench.toolbox.resolve("read", {"path": "a.txt"}).action)

        async def insert(number):
            action = bench.toolbox.resolve("insert_lines", {"path": "a.txt", "line": 1, "content": str(number)}).action
            try:
                await bench._run(action)
            except ToolFailed as failed:
                failures.append(str(failed))

        failures: list[str] = []
        async with anyio.create_task_group() as tasks:
            for number in range(1, 21):
                tasks.start_soon(insert, number)
        return failures

    failures = anyio.run(many)
    lines = (bench.root / "a.txt").read_text().splitlines()
    assert len(lines) == 21 - len(failures) and len(set(lines)) == len(lines)
    assert all("changed on disk since it was read" in failure for failure in failures)


def test_reaching_is_said_beforehand(bench):
    (effect,) = bench.toolbox.resolve("fetch_url", {"url": "https://example.org/a"}).action.effects()
    assert effect == Reaches("example.org", 443, "web_fetch")
