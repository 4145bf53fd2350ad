"""What is too long for a model is kept first, and then cut."""

import os
import re

import anyio
import pytest
from tool_bench import Bench

from codi.protocol.effects import Effect
from codi.tools.grep import Grep
from codi.tools.limiting import Limits, arguments_of
from codi.tools.output import Cap
from codi.tools.results import Results
from codi.tools.tool import ToolOutput
from codi.workspace.grant import Grant

LONG = "".join(f"line {n}\n" for n in range(1, 3001))


@pytest.fixture
def limits(tmp_path):
    return Limits(Results(str(tmp_path / "s.results")), lambda: Cap(lines=100))


def test_a_foreign_result_is_cut_in_the_middle(limits):
    output = limits.limited("mcp__a__b", {"x": 1}, ToolOutput(text=LONG, details={"own": 1}, is_error=True))
    lines = output.text.split("\n")
    id = lines[-1].rpartition('recall(id="')[2].removesuffix('")]')
    assert lines[9:12] == ["line 10", "[... lines 11-2910 omitted ...]", "line 2911"]
    assert lines[-1] == f'[Showing lines 2911-3000 of 3000. Full output: recall(id="{id}")]'
    assert output.is_error and output.details["own"] == 1 and output.details["truncation"]["truncatedBy"] == "lines"
    assert list(limits.results.lines(id)) == LONG.splitlines()
    header = limits.results.header(id)
    assert (header.tool, header.arguments, header.is_error) == ("mcp__a__b", {"x": 1}, True)


def test_a_full_text_beside_the_shown_one_is_what_is_kept(limits):
    output = limits.limited("mcp__a__b", {}, ToolOutput(text=LONG, full="all of it\n" + LONG))
    id = output.text.rpartition('recall(id="')[2].removesuffix('")]')
    assert next(limits.results.lines(id)) == "all of it"


def test_what_fits_or_was_cut_is_left_as_it_is(limits):
    short = ToolOutput(text="short")
    cut = ToolOutput(text=LONG, details={"truncation": {"truncated": True}})
    assert limits.limited("a", {}, short) is short and limits.limited("a", {}, cut) is cut


def test_a_disk_without_room_costs_the_text_and_not_the_result(tmp_path):
    (tmp_path / "s.results").write_text("in the way")
    limits = Limits(Results(str(tmp_path / "s.results")), lambda: Cap(lines=10))
    output = limits.limited("a", {}, ToolOutput(text=LONG))
    assert output.text.endswith("\n\n[Showing lines 2992-3000 of 3000. The full output could not be kept: File exists]")


def test_arguments_without_what_is_the_default_anyway():
    assert arguments_of(Grep("x", limit=5)) == {"pattern": "x", "limit": 5}


def test_many_calls_at_once_keep_the_cache_in_order(tmp_path):
    bench = Bench(tmp_path)
    bench.cap = Cap(lines=10)
    for n in range(5):
        bench.write(f"{n}.txt", f"{n}\n" * 50)
    ids: list[str] = []

    async def call(n):
        name, arguments = [
            ("grep", {"pattern": str(n % 5), "limit": 40}),
            ("shell", {"command": f"seq {n % 5 + 20}"}),
            ("recall", {"action": "list"}),
        ][n % 3]
        action = bench.toolbox.resolve(name, arguments).action
        effects: list[Effect] = list(action.effects())
        output = await action.run(Grant(bench.workspace, effects, bench.told.append))
        if isinstance(output, ToolOutput):
            ids.append(re.search(r'recall\(id="(.*?)"\)', output.text)[1])

    async def all_calls():
        async with anyio.create_task_group() as tasks:
            for n in range(120):
                tasks.start_soon(call, n)

    anyio.run(all_calls)
    assert len(ids) == 80 and len(set(ids)) == 10
    for id in set(ids):
        header = bench.results.header(id)
        assert os.path.getsize(bench.results.path_of(id)) == header.bytes
