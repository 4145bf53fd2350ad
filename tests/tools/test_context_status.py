"""What a session is told of itself, and of the machine, by fixed questions alone."""

from codi.protocol.effects import Reads


def test_the_environment(bench):
    output = bench.call("shell_info")
    lines = output.text.splitlines()
    assert lines[0].startswith("System: Linux ") and lines[1] == f"Workspace: {bench.root}"
    assert any(line.startswith("git: git version ") for line in lines)
    assert any(line.startswith("python3: Python 3.") for line in lines)
    call = bench.toolbox.resolve("shell_info", {})
    assert (call.name, call.arguments) == ("context_status", {"include": ["environment"]})
    assert list(call.action.effects()) == [Reads(".")]


def test_without_a_session(bench):
    assert bench.call("context_status").text == "Context: ~0 tokens"
    assert bench.call("context_status", include="changes").text == "This session changed no files."
    assert bench.call("context_status", include=["cached"]).text == "Results kept for recall: 0 (0B)"
    assert list(bench.toolbox.resolve("context_status", {}).action.effects()) == []


def test_wrong_arguments(bench):
    for wrong in ({"include": []}, {"include": ["command"]}, {"command": "rm -rf /"}):
        assert bench.call("context_status", **wrong).text.startswith('Validation failed for tool "context_status":')


def test_nobody_is_asked_where_nobody_can_answer(bench):
    assert "ask_person" not in bench.toolbox.names
