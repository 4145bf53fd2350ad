"""What goes wrong is told in one line with a hint, by the right exit status, without a traceback, and nothing runs by halves."""

import json
import os
from pathlib import Path

import pytest

from conftest import Codi, Run, call, says

EASE = "[retry]\ntries = 2\nbase_s = 0.01\n"


def told(run: Run, status: int, *parts: str) -> None:
    """One line of error with these parts in it, and one hint."""
    assert run.status == status, run
    *_, error, hint = [line for line in run.err.splitlines() if not line.startswith("warning: ")]
    assert error.startswith("error: ") and hint.startswith("hint: ") and len(hint) > len("hint: "), run
    for part in parts:
        assert part in run.err, run
    assert "Traceback" not in run.err + run.out


def test_no_key_and_no_server(codi: Codi):
    told(codi("-p", "hi"), 1, "ANTHROPIC_API_KEY", "codi demo")
    assert codi.sessions() == []


def test_a_key_that_is_missing(codi: Codi):
    told(codi("-p", "hi", env={"CODI_MODEL": "mistral/x"}), 1, "MISTRAL_API_KEY", "codi auth login mistral")


def test_a_wrong_key_is_one_request(codi: Codi, lab):
    server = lab("hello", key="right")
    run = codi.json("hi")
    told(run, 1, "the key in ANTHROPIC_API_KEY was refused")
    assert run.result["error"]["code"] == "credential"
    assert len(server.requests) == 1
    server.violations.clear()


def test_an_unknown_model_names_near_ones(codi: Codi, lab):
    unknown = {"kind": "status", "status": 404, "type": "not_found_error", "message": "model: clod-3", "times": 0}
    server = lab([{"fault": unknown}], models=["claude-3", "claude-4", "gemma", "other"])
    told(codi("-p", "hi", env={"CODI_MODEL": "anthropic/claud-3"}), 1, "claud-3", "claude-3, claude-4")
    assert len([request for request in server.requests if request.method == "POST"]) == 1


def test_a_host_that_is_not_there(codi: Codi):
    codi.set_up(EASE)
    told(codi("-p", "hi", env={"CODI_MODEL": "anthropic/x", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "ANTHROPIC_API_KEY": "k"}), 1,
         "127.0.0.1:9")  # fmt: skip
    told(codi("-p", "hi", "-m", "ollama/x", env={"OLLAMA_HOST": "127.0.0.1:9"}), 1, "ollama serve")


def test_broken_configuration(codi: Codi):
    codi.set_up("model = [\n")
    told(codi("-p", "hi"), 2, "config.toml")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("--modle", "x", "-p", "hi"), ("--modle", "--model")),
        (("--outptu-format", "json", "-p", "hi"), ("--output-format",)),
        (("-p", "hi", "--max-turns", "many"), ("--max-turns",)),
        (("-p", "hi", "--tools", "reed"), ("reed", "read")),
        (("-p", "hi", "--provider", "antropic"), ("antropic", "anthropic")),
        (("-p", "hi", "--cwd", "/no/such/place"), ("/no/such/place",)),
        (("-p", "hi", "--allow", "run(x"), ("run(x",)),
        (("-p", "hi", "--api-key", "sk-secret"), ("--api-key",)),
        (("-p",), ("prompt",)),
    ],
)
def test_usage(codi: Codi, words, parts):
    run = codi(*words, env={"ANTHROPIC_API_KEY": "k"})
    told(run, 2, *parts)
    assert "sk-secret" not in run.err


def test_a_file_that_is_not_there(codi: Codi, lab):
    server = lab("hello")
    told(codi("-p", "@missing.txt", "look"), 1, "missing.txt")
    (codi.cwd / "binary").write_bytes(b"\0\1\2")
    told(codi("-p", "@binary", "look"), 1, "binary")
    assert server.requests == []


def session_with(codi: Codi, content: bytes) -> Path:
    path = codi.home / "one.jsonl"
    codi.home.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("content", [b"not a session\n", b'{"type":"message"}\n', b"\0\0\0\n", b"[]\n"])
def test_a_file_that_is_no_session_stays_as_it_is(codi: Codi, lab, content):
    server = lab("hello")
    path = session_with(codi, content)
    told(codi("-p", "hi", "--session", str(path)), 1, "is not a session file.")
    assert path.read_bytes() == content and server.requests == []


def test_a_session_that_is_not_there_is_not_begun(codi: Codi, lab):
    lab("hello")
    told(codi("-p", "hi", "--session", "./missing.jsonl"), 1, "No session found matching './missing.jsonl'")
    told(codi("-p", "hi", "--session", "abcdef"), 1, "No session found matching 'abcdef'")
    told(codi("-p", "hi", "-c"), 1, "session")
    assert not (codi.cwd / "missing.jsonl").exists()


def test_a_torn_session_goes_on(codi: Codi, lab):
    server = lab({"loop": True, "steps": [says("I see.")]})
    assert codi("-p", "first").status == 0
    (path,) = codi.sessions()
    kept = path.read_bytes()
    path.write_bytes(kept + b'{"type":"message","id":"0000')
    run = codi.json("-c", "second")
    assert run.status == 0, run
    assert any("repaired" in warning for warning in run.result["warnings"])
    said = json.dumps(server.requests[-1].json["messages"])
    assert "first" in said and "I see." in said and "second" in said
    assert path.read_bytes().startswith(kept)


def test_a_newer_session_is_not_written(codi: Codi, lab):
    lab("hello")
    header = {
        "type": "session",
        "version": 9,
        "id": "0" * 36,
        "timestamp": "2026-01-01T00:00:00.000Z",
        "cwd": str(codi.cwd),
    }
    path = session_with(codi, json.dumps(header).encode() + b"\n")
    before = path.read_bytes()
    told(codi("-p", "hi", "--session", str(path)), 1, "newer format (version 9)", "fork it")
    assert path.read_bytes() == before
    assert codi("-p", "hi", "--fork", str(path)).status == 0


def test_a_session_whose_folder_is_gone(codi: Codi, lab, tmp_path):
    lab({"loop": True, "steps": [says("Here.")]})
    other = tmp_path / "other"
    other.mkdir()
    assert codi("-p", "hi", cwd=other).status == 0
    (path,) = codi.sessions()
    os.rmdir(other)
    told(codi("-p", "go on", "--session", str(path)), 1, f"Stored session working directory does not exist: {other}")
    assert codi("-p", "go on", "--session", str(path), "--cwd", str(codi.cwd)).status == 0


def test_a_session_that_is_open_elsewhere(codi: Codi, lab):
    from test_ends import SLOW

    lab({"loop": True, "steps": [SLOW]})
    running = codi.start("talk")
    running.wait_for("message_update", holding="text_delta")
    run = codi("-p", "-c", "me too")
    told(run, 1, "Session is open in process", "--fork")
    running.process.terminate()
    assert running.end().status == 143


BAD_CALLS = {
    "unknown": ({"name": "frobnicate", "arguments": {}}, 'There is no tool "frobnicate".'),
    "near-writing": ({"name": "writefiles", "arguments": {"path": "x", "content": "y"}}, "There is no tool"),
    "not-json": ({"name": "write", "raw_arguments": '{"path": "x", "content": "y'}, ""),
    "no-object": ({"name": "write", "raw_arguments": '["x", "y"]'}, ""),
    "wrong-type": ({"name": "write", "arguments": {"path": "x"}}, 'Validation failed for tool "write":'),
    "extra-key": ({"name": "write", "arguments": {"path": "x", "content": "y", "frob": 1}}, "frob"),
}


@pytest.mark.parametrize("wire", ["anthropic", "openai-chat", "openai-responses"])
@pytest.mark.parametrize("case", BAD_CALLS)
def test_a_call_that_makes_no_sense_runs_nothing_and_is_told_why(codi: Codi, lab, case, wire):
    bad, text = BAD_CALLS[case]
    server = lab([says("", bad), says("", call("write", path="good", content="z")), says("Done.")], wire)
    run = codi.json("go", "-y")
    assert run.status == 0, run
    first, second = run.result["toolCalls"]
    assert first["isError"] and text in first["result"]
    assert not second["isError"] and (codi.cwd / "good").read_text() == "z"
    assert not (codi.cwd / "x").exists()
    assert len(server.requests) == 3


def test_malformed_calls_end_the_turn_after_two_corrections(codi: Codi, lab):
    server = lab({"loop": True, "steps": [says("", {"name": "write", "raw_arguments": '{"path": '})]})
    run = codi.json("go", "-y")
    told(run, 1, "malformed")
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "arguments",
    [b"\xff", b'{"path": "\xff"}', b'{"path": "\\ud800"}', b'{"path": %s%s}' % (b"[" * 5000, b"]" * 5000), b"[]", b""],
)
def test_arguments_by_hand_that_are_no_object(codi: Codi, arguments):
    told(codi("tool", "call", "read", "-", stdin=arguments), 2, "no JSON object")


LONG = "n" * 300
IMPOSSIBLE = [("write", {"path": "a\0b", "content": "x"}), ("edit", {"path": "a\0b", "old_text": "a", "new_text": "b"}),
              ("delete", {"path": "a\0b"}), ("move", {"source": "a.txt", "destination": "c\0d"}), ("write", {"path": LONG, "content": "x"}),
              ("apply_patch", {"patch": "*** Begin Patch\n*** Add File: a\0b\n+x\n*** End Patch"}),
              ("write", {"path": "a.txt/b", "content": "x"}), ("read", {"path": "a.txt/b/c"}), ("read", {"path": "a\0b"}),
              ("read", {"path": "x/" * 2500 + "y"}), ("grep", {"pattern": "a", "path": LONG}), ("glob", {"pattern": "*", "path": "a\0b"}),
              ("list", {"path": "a.txt/b"}), ("tree", {"path": LONG}), ("view_image", {"path": "a\0.png"}), ("refactor", {"search": "a", "replace": "b", "path": LONG}),
              ("insert_lines", {"path": "a.txt/b", "line": 1, "content": "x"}), ("shell", {"command": "true", "cwd": "a\0b"}),
              ("shell", {"command": "true", "cwd": "a.txt/b"}), ("shell", {"command": "echo a\0b"}), ("run_tests", {"command": "true", "cwd": LONG})]  # fmt: skip


def test_a_name_that_no_file_can_have_is_told_to_the_model(codi: Codi, lab):
    (codi.cwd / "a.txt").write_text("a\n")
    lab([says("", *(call(name, **arguments) for name, arguments in IMPOSSIBLE)), says("I see.")])
    run = codi.json("go", "--permission-mode", "read-only")  # told before anything is judged

    assert (run.status, run.result["answer"]) == (0, "I see.")
    assert len(run.result["toolCalls"]) == len(IMPOSSIBLE)
    for made in run.result["toolCalls"]:
        assert made["isError"] and made["result"].startswith("Nothing was done: "), made
    assert os.listdir(codi.cwd) == ["a.txt"]


@pytest.mark.parametrize(("name", "arguments"), IMPOSSIBLE)
def test_a_name_that_no_file_can_have_is_told_to_who_calls_by_hand(codi: Codi, name, arguments):
    (codi.cwd / "a.txt").write_text("a\n")
    run = codi("tool", "call", name, "-", stdin=json.dumps(arguments).encode())
    assert run.status == 1, run
    assert json.loads(run.out)["content"][0]["text"].startswith("Nothing was done: "), run
