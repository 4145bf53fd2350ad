"""What a service answered can be answered again without it, to the letter, as long as the same is asked."""

import json

from conftest import Codi, call, says

STORY = [says("I look.", call("read", path="a.txt")), says("It says hello.", thinking="Hm.")]


def without_times(run) -> list[dict]:
    """The events, without what is another each time."""

    def bare(value):
        if isinstance(value, dict):
            return {
                name: bare(inner)
                for name, inner in value.items()
                if not name.lower().endswith(("ms", "timestamp", "file")) and name not in ("id", "sessionId", "stats")
            }
        return [bare(inner) for inner in value] if isinstance(value, list) else value

    return [bare(line) for line in run.lines]


def test_a_recording_is_answered_again_without_network_and_key(codi: Codi, lab, tmp_path):
    (codi.cwd / "a.txt").write_text("hello\n")
    tape = tmp_path / "tape.jsonl"
    server = lab(STORY)
    first = codi.stream("what is in a.txt?", "--record", str(tape))
    assert first.status == 0 and len(server.requests) == 2
    head, *exchanges = [json.loads(line) for line in tape.read_text().splitlines()]
    assert head["type"] == "codi-recording" and [one["status"] for one in exchanges] == [200, 200]
    assert exchanges[0]["headers"]["x-api-key"] == "(redacted)" and tape.stat().st_mode & 0o77 == 0
    server.stop()
    del codi.env["ANTHROPIC_API_KEY"]
    again = codi.stream("what is in a.txt?", "--replay", str(tape))
    assert again.status == 0 and without_times(again) == without_times(first)


def test_another_request_fails_and_is_told_what_differs(codi: Codi, lab, tmp_path):
    tape = tmp_path / "tape.jsonl"
    server = lab([says("Yes.")])
    assert codi("-p", "Is it blue?", "--record", str(tape)).out == "Yes.\n"
    other = codi("-p", "Is it green?", "--replay", str(tape))
    assert other.status == 1 and len(server.requests) == 1
    assert "differs from the recorded one in body.messages[0].content" in other.err
    assert '"Is it blue?" is now "Is it green?"' in other.err
    more = codi("-p", "Is it blue?", "And now?", "--replay", str(tape))
    assert more.status == 1 and "all 1 recorded requests were answered already" in more.err


def test_a_tape_that_is_none(codi: Codi, tmp_path):
    missing = codi("-p", "hi", "--replay", str(tmp_path / "nowhere"))
    assert missing.status == 2 and "--replay" in missing.err and "--record" in missing.err
    (tmp_path / "no").write_text('{"type": "session"}\n')
    wrong = codi("-p", "hi", "--replay", str(tmp_path / "no"))
    assert wrong.status == 2 and "it is no recording" in wrong.err
    both = codi("-p", "hi", "--replay", "a", "--record", "b")
    assert both.status == 2 and "--record and --replay contradict each other" in both.err
