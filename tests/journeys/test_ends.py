"""How a run ends: exit status, result object and print mode."""

import json
import signal

import pytest

from conftest import Codi, call, says

SLOW = {"text": "word ", "copies": 10_000, "chunk": 5, "pause_ms": 20}
"""An answer that never ends, as far as a test can tell."""

DENIED_RUN = [says("", call("shell", command="touch made")), says("I could not.")]


def test_done_is_0_and_stdout_holds_the_answer_alone(codi: Codi, lab):
    lab("hello")
    run = codi("-p", "hi")
    assert (run.status, run.out, run.err) == (0, "Hello. I am a scripted model; ask me to do something.\n", "")


def test_error_is_1(codi: Codi, lab):
    lab([{"fault": {"kind": "status", "status": 400, "message": "no such thing"}}])
    run = codi.json("hi")
    assert run.status == 1 and run.result["kind"] == "error"
    assert run.result["error"]["code"] == "bad_request" and run.result["error"]["hint"]
    assert run.err.startswith("error: ") and "\nhint: " in run.err


def test_a_refusal_without_a_word_is_told(codi: Codi, lab):
    lab([{"stop": "refused"}, {"stop": "refused"}])
    run = codi("-p", "hi")
    assert (run.status, run.out) == (0, "")
    assert run.err.startswith("warning: the model refused to answer (")
    (warning,) = codi.json("hi").result["warnings"]
    assert "refused to answer" in warning


def test_usage_is_2(codi: Codi):
    run = codi("-p", "hi", "--no-session", "--resume", "x")
    assert run.status == 2 and "--no-session" in run.err and "--resume" in run.err and not run.out


def test_a_needed_permission_is_3(codi: Codi, lab):
    server = lab(DENIED_RUN)
    run = codi.json("make it")
    assert run.status == 3 and run.result["kind"] == "permission" and run.result["answer"] == "I could not."
    assert not (codi.cwd / "made").exists()
    told = server.requests[-1].json["messages"][-1]["content"][0]
    assert (
        told["is_error"]
        and json.dumps(told["content"]).find(
            "No one can approve this in non-interactive mode; shell needs --allow 'run(touch made)'."
        )
        > 0
    )
    (permission,) = run.result["permissions"]
    assert (permission["name"], permission["decision"], permission["by"]) == ("shell", "deny", "nobody")
    assert permission["effects"] == ["runs touch made"] and permission["id"]


def test_a_permission_that_is_not_required_leaves_0(codi: Codi, lab):
    lab(DENIED_RUN)
    assert codi.json("make it", "--require-permission=no").status == 0


def test_a_rule_that_denies_is_no_missing_permission(codi: Codi, lab):
    server = lab(DENIED_RUN)
    run = codi.json("make it", "--deny", "run(touch *)", "-y")
    assert run.status == 0 and run.result["permissions"][0]["by"] == "rule"
    assert "not allowed" in json.dumps(server.requests[-1].json["messages"][-1])
    assert not (codi.cwd / "made").exists()


def test_the_offered_rule_allows_it(codi: Codi, lab):
    lab(DENIED_RUN)
    assert codi.json("make it", "--allow", "run(touch made)").status == 0
    assert (codi.cwd / "made").exists()


def test_yes_never_passes_what_is_dangerous(codi: Codi, lab):
    lab(
        [
            says("", call("shell", command="sudo touch made")),
            says("", call("shell", command="mkfs.nothing x")),
            says("No."),
        ]
    )
    run = codi.json("do it", "-y")
    assert run.status == 3
    assert [given["decision"] for given in run.result["permissions"]] == ["deny", "deny"]
    assert [given["by"] for given in run.result["permissions"]] == ["nobody", "mode"]


def test_a_limit_is_124(codi: Codi, lab):
    server = lab([{"repeat": 2, **says("On.", call("list"))}, says("That is all so far.")])
    run = codi.json("go", "--max-turns", "2")
    assert run.status == 124 and run.result["kind"] == "limit" and "2 steps" in run.result["reason"]
    assert run.result["answer"] == "That is all so far."
    assert len(server.requests) == 3


def test_the_signals_have_a_status_each(codi: Codi, lab):
    lab({"loop": True, "steps": [SLOW]})
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
        running = codi.start("think")
        running.wait_for("message_update", holding="text_delta")
        running.signal(number)
        run = running.end()
        assert run.status == status, run
        assert run.result["kind"] == "interrupted" and run.result["exitCode"] == status
        assert run.lines[-2]["type"] == "agent_settled"


def test_a_signal_that_comes_with_the_first_line_is_heeded(codi: Codi, lab):
    lab({"loop": True, "steps": [SLOW]})
    for _ in range(3):
        running = codi.start("think")
        running.wait_for("session")
        running.signal(signal.SIGINT)
        run = running.end()
        assert run.status == 130 and run.result["kind"] == "interrupted"
        assert [line for line in run.lines if line["type"] == "agent_end"], run


def test_a_hang_up_that_is_ignored_stays_ignored(codi: Codi, lab):
    lab([says("word ", copies=20, chunk=5, pause_ms=20)])
    running = codi.start("think", ignoring=signal.SIGHUP)
    running.wait_for("message_update", holding="text_delta")
    running.signal(signal.SIGHUP)
    assert running.end().status == 0


def test_prompts_run_in_order_and_only_the_last_answer_is_printed(codi: Codi, lab):
    server = lab([says("One."), says("Two."), says("Three.")])
    run = codi("-p", "first", "second", "third")
    assert run.out == "Three.\n"
    said = [message["content"] for message in server.requests[-1].json["messages"] if message["role"] == "user"]
    assert [block["text"] for content in said for block in content] == ["first", "second", "third"]
    assert server.connections == 1


@pytest.mark.parametrize("words", [("-p", "look:"), ("-p", "look:", "-"), ("-P", "look:")])
def test_piped_input_follows_the_prompt_after_a_newline(codi: Codi, lab, words):
    server = lab("hello")
    assert codi(*words, stdin="some\ntext\n").status == 0
    assert server.requests[0].json["messages"][0]["content"][0]["text"] == "look:\nsome\ntext\n"


def test_piped_input_alone_is_the_prompt(codi: Codi, lab):
    server = lab("hello")
    assert codi("-p", "-", stdin=b"caf\xe9?").status == 0
    assert server.requests[0].json["messages"][0]["content"][0]["text"] == "caf\N{REPLACEMENT CHARACTER}?"


def test_a_named_file_is_put_into_the_prompt(codi: Codi, lab):
    server = lab("hello")
    (codi.cwd / "notes.txt").write_text("remember")
    assert codi("-p", "@notes.txt", "what is this?").status == 0
    text = server.requests[0].json["messages"][0]["content"][0]["text"]
    assert f'<file name="{codi.cwd / "notes.txt"}">\nremember\n</file>' in text and text.endswith("what is this?")


def test_a_named_image_arrives_as_an_image(codi: Codi, lab):
    server = lab("hello")
    png = bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc000000301010018dd8db0"
        "0000000049454e44ae426082"
    )
    (codi.cwd / "img.png").write_bytes(png)
    run = codi("-p", "@img.png", "what is this?")
    assert run.status == 0, run
    blocks = server.requests[0].json["messages"][0]["content"]
    image = next(block for block in blocks if block["type"] == "image")
    assert image["source"]["media_type"] == "image/png" and image["source"]["data"].startswith("iVBORw0KGgo")


def test_a_reader_that_goes_away_is_no_error(codi: Codi, lab):
    import subprocess

    from conftest import PROGRAM

    lab([says("word " * 50_000)])
    process = subprocess.Popen(
        [PROGRAM, "-p", "--output-format", "stream-json", "talk"],
        cwd=codi.cwd, env=codi.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout and process.stderr
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(20) == 0


RESULT_FIELDS = {
    "type": str, "version": int, "kind": str, "exitCode": int, "answer": str, "sessionId": str, "cwd": str, "model": dict,
    "usage": dict, "stats": dict, "toolCalls": list, "filesChanged": list, "permissions": list, "evidence": list,
    "claims": list, "warnings": list,
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "script", "words"),
    [
        ("done", "hello", ()),
        ("error", [{"fault": {"kind": "status", "status": 400}}], ()),
        ("permission", DENIED_RUN, ()),
        ("limit", [says("", call("list")), says("So far.")], ("--max-turns", "1")),
        ("unbacked", {"loop": True, "steps": [says("All tests pass.")]}, ("--require-evidence",)),
    ],
)
def test_the_result_object_has_its_fields_whatever_the_end(codi: Codi, lab, kind, script, words):
    lab(script)
    has_all_fields(codi, codi.json("go", *words).result, kind)


def test_the_result_object_of_an_interrupt_has_them_too(codi: Codi, lab):
    lab([SLOW])
    running = codi.start("go")
    running.wait_for("message_update")
    running.signal(signal.SIGINT)
    run = running.end()
    assert run.status == 130 == run.result["exitCode"]
    has_all_fields(codi, run.result, "interrupted")


def has_all_fields(codi: Codi, result: dict, kind: str) -> None:
    assert result["kind"] == kind
    for field, form in RESULT_FIELDS.items():
        assert isinstance(result[field], form), field
    assert result["reason"] is None or "\n" not in result["reason"]
    assert (result["error"] is None) == (kind != "error")
    assert set(result["model"]) == {"provider", "id", "thinking"}
    assert set(result["usage"]) == {"input", "output", "cacheRead", "cacheWrite", "totalTokens", "estimated", "cost"}
    assert set(result["stats"]) == {
        "steps", "toolCalls", "toolErrors", "inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens",
        "thinkingTokens", "totalTokens", "cost", "durationMs", "providerMs", "toolMs", "waitMs", "retries", "model", "cacheHit",
    }  # fmt: skip
    assert result["sessionFile"] == str(codi.sessions()[0]) and result["cwd"] == str(codi.cwd)


def test_without_a_session_nothing_is_kept(codi: Codi, lab):
    lab("hello")
    result = codi.json("hi", "--no-session").result
    assert result["sessionFile"] is None and result["sessionId"]
    assert codi.sessions() == []


def test_statistics_are_the_sums_of_their_parts(codi: Codi, lab):
    spent = [
        {"input": 100, "output": 20, "cache_read": 7, "cache_write": 5},
        {"input": 30, "output": 4, "cache_read": 0, "cache_write": 0},
    ]
    lab([says("", call("list"), usage=spent[0]), says("Done.", usage=spent[1])])
    result = codi.json("go").result
    stats, usage = result["stats"], result["usage"]
    assert (stats["steps"], stats["toolCalls"], stats["toolErrors"], stats["retries"]) == (2, 1, 0, 0)
    assert (stats["inputTokens"], stats["outputTokens"]) == (130, 24) == (usage["input"], usage["output"])
    assert (stats["cacheReadTokens"], stats["cacheWriteTokens"]) == (7, 5) == (usage["cacheRead"], usage["cacheWrite"])
    assert stats["totalTokens"] == usage["totalTokens"] == 130 + 24 + 7 + 5
    assert stats["cost"] is None and usage["cost"] is None, "the price of this model is unknown, which is not 0"
    assert stats["durationMs"] >= stats["providerMs"]
    assert stats["cacheHit"] == round(7 / 142, 4)
