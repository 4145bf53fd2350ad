"""Models without native tools: the tools are told in words, calls are read from the text, and the loop is the same."""

import json
from itertools import pairwise

import pytest

from conftest import call, says

READ = '<tool_call>\n{"name": "read", "arguments": {"path": "a.txt"}}\n</tool_call>'
WRITE = "<write>\n<path>b.txt</path>\n<content>\nx=1\n</content>\n</write>"
MALFORMED = '<tool_call>{"name": "read"}</tool_call>'


def asked(server):
    return [request.json for request in server.requests if request.json and "messages" in request.json]


@pytest.mark.parametrize("wire", ["ollama", "openai-chat"])
def test_a_model_without_tools_works_by_its_text(codi, lab, folder, wire):
    (folder / "a.txt").write_text("old pond\n")
    server = lab(
        [
            {"expect": {"tools": []}, "text": f"I look.\n\n{READ}"},
            {"expect": {"message": r"<tool_response name=\"read\">(?s:.*)old pond"}, "text": f"Now I write.\n{WRITE}"},
            {"expect": {"message": r"\[write\] Result:"}, "text": "Done."},
        ],
        wire,
        takes_tools=False,
    )
    run = codi.json("-y", "do it")

    assert run.status == 0 and run.result["answer"] == "Done.", run
    assert (folder / "b.txt").read_text() == "x=1"
    assert [(each["name"], each["isError"]) for each in run.result["toolCalls"]] == [("read", False), ("write", False)]
    assert all(each["id"].startswith("text_") for each in run.result["toolCalls"])
    requests = [body for body in asked(server) if not body.get("tools")]
    assert len(requests) == 3
    system = requests[0]["messages"][0]["content"]
    assert (
        '<tool_call>{"name": ..., "arguments": {...}}</tool_call>' in system and "- path (string, required)" in system
    )
    for before, after in pairwise(requests):
        assert after["messages"][: len(before["messages"])] == before["messages"]
    assert "tool" not in {message["role"] for message in requests[-1]["messages"]}


def test_refused_tools_are_told_once_and_in_words_from_then_on(codi, lab, folder):
    (folder / "a.txt").write_text("old pond\n")
    server = lab([says(READ), says("Done.")], "openai-chat", takes_tools=False)
    run = codi.json("look")

    assert run.status == 0 and run.result["answer"] == "Done.", run
    assert [bool(body.get("tools")) for body in asked(server)] == [True, False, False]
    assert any("takes no tools" in warning for warning in run.result["warnings"])


def test_the_text_of_a_call_is_not_shown(codi, lab, folder):
    (folder / "a.txt").write_text("old pond\n")
    lab([says(f"I look.\n\n{READ}", chunk=3), says("Done.")], "ollama", takes_tools=False)
    run = codi.stream("look")

    told = "".join(
        line["assistantMessageEvent"].get("delta", "")
        for line in run.of_type("message_update")
        if line["assistantMessageEvent"]["type"] == "text_delta"
    )
    assert told == "I look.Done."
    assert "<tool_call>" not in json.dumps([line["message"] for line in run.of_type("message_end")])


def test_a_malformed_call_is_corrected_twice_and_then_ends_the_turn(codi, lab):
    server = lab([says(MALFORMED)] * 3, "ollama", takes_tools=False)
    run = codi.json("look")

    assert run.status == 1 and run.result["kind"] == "error", run
    assert "tool calls that cannot be read" in run.result["error"]["message"] and run.result["toolCalls"] == []
    corrections = [body["messages"][-1]["content"] for body in asked(server)[1:]]
    assert len(corrections) == 2
    for text in corrections:
        assert 'the call of "read" has no arguments' in text and "Hint: " in text and "<tool_call>\n" in text


def test_a_correction_that_is_heard_lets_the_turn_go_on(codi, lab, folder):
    (folder / "a.txt").write_text("old pond\n")
    lab(
        [
            says('<tool_call>{"name": "teleport", "arguments": {}}</tool_call>'),
            {"expect": {"message": 'There is no tool "teleport"'}, **says(READ)},
            says("Done."),
        ],
        "ollama",
        takes_tools=False,
    )
    run = codi.json("look")

    assert run.status == 0 and [each["name"] for each in run.result["toolCalls"]] == ["read"]


def test_a_call_that_the_output_limit_cut_is_never_run(codi, lab, folder):
    lab(
        [
            says('<tool_call>{"name": "write", "arguments": {"path": "b.txt", "content": "be', stop="length"),
            {"expect": {"message": "was not executed: the response hit the output limit"}, **says("I give up.")},
        ],
        "ollama",
        takes_tools=False,
    )
    run = codi.json("-y", "write")

    assert run.status == 0 and not (folder / "b.txt").exists(), run


def test_a_model_of_small_size_makes_one_call_a_step(codi, lab, folder):
    (folder / "a.txt").write_text("old pond\n")
    lab(
        [says(f"{READ}\n{READ}"), {"expect": {"message": "Only one call at a time; send it again."}, **says("Done.")}],
        "ollama",
        takes_tools=False,
    )
    run = codi.json("look", env={"CODI_MODEL": "ollama/tiny:3b"})

    assert [each["isError"] for each in run.result["toolCalls"]] == [False, True]


def test_an_empty_reply_of_a_weak_model_is_borne_twice(codi, lab):
    lab([says(""), says(""), says("Done.")], "ollama", takes_tools=False)

    assert codi.json("look").result["answer"] == "Done."


def test_a_resumed_session_says_the_same_as_one_that_was_not_left(codi, lab, folder):
    (folder / "a.txt").write_text("old pond\n")
    server = lab([says(f"I look.\n{WRITE}"), says("Done."), says("Yes.")], "ollama", takes_tools=False)
    codi.json("-y", "look")
    codi.json("-y", "-c", "more")

    first, second = asked(server)[1], asked(server)[2]
    assert second["messages"][1 : len(first["messages"])] == first["messages"][1:]


def test_without_tools_nothing_is_read_as_a_call(codi, lab, folder):
    (folder / "a.txt").write_text("old pond\n")
    server = lab([says(READ)], "ollama", takes_tools=False)
    run = codi.json("--no-tools", "look")

    assert run.status == 0 and run.result["toolCalls"] == [] and "<tool_call>" in run.result["answer"]
    assert "tool_call" not in asked(server)[0]["messages"][0]["content"]


def test_a_model_may_be_said_to_have_no_tools(codi, lab, folder):
    (folder / "a.txt").write_text("old pond\n")
    codi.set_up('[models.x]\nabilities = ["vision"]\n')
    server = lab([says(READ), says("Done.")], "openai-chat")
    run = codi.json("look")

    assert len(run.result["toolCalls"]) == 1 and not any(body.get("tools") for body in asked(server))


def test_the_text_of_a_native_model_is_never_a_call(codi, lab, folder):
    (folder / "a.txt").write_text("old pond\n")
    fenced = '```json\n{"name": "read", "arguments": {"path": "a.txt"}}\n```'
    lab([says(f"I would do this:\n\n{fenced}\n\n{READ}")], "openai-chat")
    run = codi.json("look")

    assert run.status == 0 and run.result["toolCalls"] == []
    assert fenced in run.result["answer"] and READ in run.result["answer"]


def test_a_text_copy_of_a_native_call_is_not_shown(codi, lab, folder):
    (folder / "a.txt").write_text("old pond\n")
    lab([says(f"I look.\n\n{READ}", call("read", path="a.txt")), says("Done.")], "openai-chat")
    run = codi.stream("look")

    assert [each["name"] for each in run.result["toolCalls"]] == ["read"]
    assert "<tool_call>" not in run.out and "I look." in run.out


def test_the_printed_prompt_is_the_one_that_is_sent(codi, lab):
    server = lab([says("Done.")], "ollama", takes_tools=False)
    codi.json("look")
    sent = asked(server)[0]["messages"][0]["content"]
    printed = codi("--print-prompt").out

    assert sent[sent.index("<tool_format>") :].strip() in printed
