"""Which tools a model is offered, and in what order."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codi.protocol.errors import UsageError
from codi.protocol.tooling import ToolSpec
from codi.tools.names import ORDER
from codi.tools.tool import ToolFailed
from codi.tools.toolbox import CALLS_A_STEP, Toolbox, profile_for


class Foreign:
    def __init__(self, name):
        self.spec = ToolSpec(name, "", {"type": "object", "properties": {"file_path": {"type": "string"}}})

    def prepare(self, arguments):
        raise ToolFailed(json.dumps(arguments))


def test_the_order_is_fixed(bench):
    shuffled = Toolbox([Foreign("mcp__a__b"), *reversed(bench.toolbox.tools)])
    assert shuffled.names == (*[name for name in ORDER if name in bench.toolbox.names], "mcp__a__b")
    assert [spec.name for spec in shuffled.specs] == list(shuffled.names)


def test_no_two_tools_share_a_name(bench):
    with pytest.raises(ValueError, match="two tools are called read"):
        Toolbox([*bench.toolbox.tools, Foreign("read")])


def test_arguments_of_foreign_tools_are_left_alone(bench):
    toolbox = Toolbox([Foreign("mcp__a__b")])
    with pytest.raises(ToolFailed, match=r'\{"file_path": "x"\}'):
        toolbox.resolve("mcp__a__b", {"file_path": "x"})


def test_every_schema_is_an_object_that_is_described(bench):
    for spec in bench.toolbox.specs:
        assert spec.parameters["type"] == "object" and spec.parameters["additionalProperties"] is False
        assert spec.description and "$ref" not in json.dumps(spec.parameters)


def test_profiles(bench):
    toolbox = Toolbox([*bench.toolbox.tools, Foreign("mcp__a__b")])
    assert toolbox.in_profile("full").names == toolbox.names
    assert toolbox.in_profile("minimal").names == (
        "read", "write", "edit", "shell", "grep", "glob", "list", "todo"
    )  # fmt: skip
    assert toolbox.in_profile("nano").names == ("read", "write", "edit", "shell", "grep")
    assert CALLS_A_STEP == {"full": None, "minimal": 1, "nano": 1}


@pytest.mark.parametrize(
    ("model", "window", "profile"),
    [
        ("claude-sonnet-4-5", 200_000, "full"),
        ("gpt-4.1-nano", 1_000_000, "full"),
        ("llama3.2:3b", 128_000, "nano"),
        ("gemma3:270m", 32_000, "nano"),
        ("qwen2.5-coder:7b-instruct", 32_000, "minimal"),
        ("Qwen/Qwen2.5-1.5B-Instruct", 32_000, "nano"),
        ("phi-4:14b", 16_384, "minimal"),
        ("mixtral-8x7b", 32_000, "full"),
        ("qwen3-30b-a3b", 32_000, "full"),
        ("llama-3.1-70b", None, "full"),
        ("unknown", 8192, "minimal"),
        ("unknown", 16_384, "full"),
        ("unknown", None, "full"),
    ],
)
def test_the_profile_of_a_model(model, window, profile):
    assert profile_for(model, window) == profile


def test_a_selection(bench):
    assert bench.toolbox.only(["grep", "read"]).names == ("read", "grep")
    assert bench.toolbox.only(["bash"]).names == ("shell",)
    left = bench.toolbox.without(["shell", "write", "edit"]).names
    assert left == tuple(name for name in bench.toolbox.names if name not in ("shell", "write", "edit"))


def test_a_selection_that_is_none(bench):
    with pytest.raises(UsageError, match=r'There is no tool "reads"\. Did you mean: read \(80 %\)\?') as wrong:
        bench.toolbox.only(["reads"])
    assert wrong.value.exit_status == 2 and "read, write" in wrong.value.hint
    with pytest.raises(UsageError, match="leaves none"):
        bench.toolbox.only([])
    with pytest.raises(UsageError, match="Every tool is switched off"):
        bench.toolbox.without(bench.toolbox.names)
    with pytest.raises(UsageError):
        bench.toolbox.without(["nothing-like-it"])


def test_complaints_about_settings(bench):
    assert bench.toolbox.complaint_about("grep") is None and bench.toolbox.complaint_about("rg") is None
    assert bench.toolbox.complaint_about("grepp") == 'There is no tool "grepp". Did you mean: grep (80 %)?'


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
_keys = st.sampled_from(
    ["path", "pattern", "limit", "offset", "items", "edits", "command", "end_line", "start_line", "caseSensitive",
     "glob", "mode", "action", "id", "timeout", "files", "message", "x"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(data=st.data(), arguments=st.dictionaries(_keys, _values, max_size=5))
def test_any_arguments_are_understood_or_refused(tmp_path_factory, data, arguments):
    toolbox = _fuzzed(tmp_path_factory)
    name = data.draw(st.sampled_from([*toolbox.names, "git_diff", "git_add", "MultiEdit", "TodoWrite", "reed"]))
    try:
        resolved = toolbox.resolve(name, arguments)
    except ToolFailed as failure:
        in_words = ("Validation failed for tool", "There is no", "No tests were found here:")
        assert str(failure).startswith(in_words) or "takes no filter" in str(failure)
    else:
        assert list(resolved.action.effects()) is not None and resolved.name in toolbox.names


_made = []


def _fuzzed(tmp_path_factory):
    if not _made:
        from tool_bench import Bench

        _made.append(Bench(tmp_path_factory.mktemp("fuzz")).toolbox)
    return _made[0]
