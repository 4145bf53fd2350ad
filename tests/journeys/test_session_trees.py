"""Going about in the tree of a session: in a conversation, in the terminal, and by hand."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

from codi.engine.engine import Engine
from codi.protocol.events import Entry, ForkedDelta, NavigatedDelta, StatusDelta, TurnEnded, UndoDelta
from codi.protocol.ops import ForkAt, LabelEntry, Navigate, Op, Prompt, Rename, Rewind
from conftest import Codi, call, says

ENTER, ESC, DOWN = "\r", "\x1b", "\x1b[B"


def lines_of(path: Path | str) -> list[dict]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def said(lines: Sequence[dict], role: str) -> list[dict]:
    return [line for line in lines if line["type"] == "message" and line["message"]["role"] == role]


def prompts(lines: Sequence[dict]) -> list[str]:
    return [
        message["content"] if isinstance(message["content"], str) else message["content"][0]["text"]
        for message in (line["message"] for line in said(lines, "user"))
    ]


def last(server) -> str:
    """What the model was told last."""
    return json.dumps(server.requests[-1].json["messages"], ensure_ascii=False)


@pytest.fixture
def talked(codi: Codi, lab):
    """A session of three turns."""
    server = lab({"loop": True, "steps": [says("Answer {{n}}.")]})
    assert codi("-p", "one", "two", "three").status == 0
    codi.server = server
    return codi


async def _with(codi: Codi, ops: Sequence[Op], told: list) -> None:
    async with Engine.at(str(codi.cwd)).open(str(codi.sessions()[0])) as conversation:
        events = conversation.events()
        for op in ops:
            await conversation.send(op)
            async for event in events:
                told.append(event)
                if (
                    isinstance(event, NavigatedDelta | ForkedDelta | StatusDelta)
                    or (isinstance(event, UndoDelta) and not op.conversation)
                    or (
                        isinstance(event, Entry)
                        and (isinstance(op, LabelEntry | Rename) or isinstance(event.fact, TurnEnded))
                    )
                ):
                    break


def do(codi: Codi, monkeypatch, *ops: Op) -> list:
    """Do ops in the session; what was told."""
    for name, value in codi.env.items():
        monkeypatch.setenv(name, value)
    told: list = []

    async def in_time() -> None:
        with anyio.fail_after(20):
            await _with(codi, ops, told)

    anyio.run(in_time)
    return told


def test_navigating_to_what_was_said_gives_the_words_back_and_a_new_prompt_is_a_branch(talked: Codi, monkeypatch):
    before = talked.session()
    second = said(before, "user")[1]
    told = do(talked, monkeypatch, Navigate(second["id"][:4]))
    assert told[-1] == NavigatedDelta(to=second["parentId"], prompt="two")
    after = talked.session()
    assert after[: len(before)] == before, "a session is only ever appended to"
    leaf = next(line for line in after if line.get("customType") == "codi/leaf")
    assert leaf["data"]["to"] == second["parentId"] == leaf["parentId"]

    # A reload stands there, and what is said next is a second child.
    assert talked("-p", "-c", "other").status == 0
    sent = last(talked.server)
    assert "one" in sent and "other" in sent and "two" not in sent
    assert prompts(talked.session()) == ["one", "two", "three", "other"]


def test_navigating_to_an_answer_stands_behind_it(talked: Codi, monkeypatch):
    answer = said(talked.session(), "assistant")[0]
    told = do(talked, monkeypatch, Navigate(answer["id"], label="good"))
    assert told[-1] == NavigatedDelta(to=answer["id"])
    (label,) = [line for line in talked.session() if line["type"] == "label"]
    assert (label["targetId"], label["label"]) == (answer["id"], "good")


def test_the_very_beginning_is_an_empty_conversation(talked: Codi, monkeypatch):
    do(talked, monkeypatch, Navigate(""), Prompt("afresh"))
    sent = last(talked.server)
    assert "afresh" in sent and "one" not in sent
    assert talked("-p", "-c", "more").status == 0
    sent = last(talked.server)
    assert "afresh" in sent and "more" in sent and "three" not in sent


def test_a_summary_tells_of_the_branch_that_was_left(talked: Codi, monkeypatch):
    first = said(talked.session(), "assistant")[0]
    do(talked, monkeypatch, Navigate(first["id"], summary=True, instructions="numbers"), Prompt("and now?"))
    asked, then = (json.dumps(request.json["messages"]) for request in talked.server.requests[-2:])
    assert (
        "Person: three" in asked and "Agent: Answer 3." in asked and "numbers" in asked and "Person: one" not in asked
    )
    (summary,) = [line for line in talked.session() if line["type"] == "branch_summary"]
    assert summary["parentId"] == summary["fromId"] == first["id"] and summary["summary"] == "Answer 4."
    assert "summary of a branch that this conversation came back from" in then and "Answer 4." in then
    assert not [line for line in talked.session() if line.get("customType") == "codi/leaf"]


def test_labels_and_names_are_facts_and_the_latest_counts(talked: Codi, monkeypatch):
    entry = said(talked.session(), "user")[0]["id"]
    do(talked, monkeypatch, LabelEntry(entry, "start"), LabelEntry(entry, ""), Rename("Larder"), Rename("Cellar"))
    lines = talked.session()
    assert [line.get("label") for line in lines if line["type"] == "label"] == ["start", None]
    assert [line["name"] for line in lines if line["type"] == "session_info"] == ["Larder", "Cellar"]
    assert talked("sessions").rows[0][1] == "Cellar"


@pytest.mark.parametrize(("text", "why"), [("zzzz", "No entry zzzz"), ("ab", "No entry ab")])
def test_an_entry_that_is_not_there_changes_nothing(talked: Codi, monkeypatch, text, why):
    (before,) = (path.read_bytes() for path in talked.sessions())
    told = do(talked, monkeypatch, Navigate(text))
    assert isinstance(told[-1], StatusDelta) and why in told[-1].text
    assert talked.sessions()[0].read_bytes().startswith(before)
    assert not [line for line in talked.session() if line.get("customType") == "codi/leaf"]


def test_while_a_turn_runs_nobody_goes_anywhere(codi: Codi, lab, monkeypatch):
    lab([says("word " * 200, pause_ms=20, chunk=5)])
    for name, value in codi.env.items():
        monkeypatch.setenv(name, value)

    async def talk() -> list[str]:
        told = []
        async with Engine.at(str(codi.cwd)).open() as conversation:
            events = conversation.events()
            await conversation.send(Prompt("talk"))
            async for event in events:
                if type(event).__name__ == "TextDelta":
                    for op in (Navigate(""), ForkAt(), Rewind("0000")):
                        await conversation.send(op)
                    break
            async for event in events:
                if isinstance(event, StatusDelta):
                    told.append(event.text)
                    if len(told) == 3:
                        return told
        raise AssertionError("it ended before")

    assert anyio.run(talk) == ["Stop the turn first (Esc)."] * 3


def test_a_fork_ends_before_what_was_said_and_carries_its_labels(talked: Codi, monkeypatch):
    lines = talked.session()
    first, second = said(lines, "user")[:2]
    told = do(talked, monkeypatch, LabelEntry(first["id"], "start"), ForkAt(second["id"]))
    forked = told[-1]
    assert forked.prompt == "two"
    made = lines_of(forked.path)
    assert made[0]["parentSession"] == str(talked.sessions()[0]) and made[0]["id"] == forked.session
    upto = next(at for at, line in enumerate(lines) if line["id"] == second["id"])
    assert made[1:upto] == lines[1:upto]
    (given,) = [line for line in lines_of(str(talked.sessions()[0])) if line["type"] == "label"]
    assert [made[-1][name] for name in ("targetId", "label", "timestamp")] == [first["id"], "start", given["timestamp"]]

    answer = said(lines, "assistant")[0]["id"]
    told = do(talked, monkeypatch, ForkAt(answer))
    assert told[-1].text == "Invalid entry ID for forking"


def test_rewinding_brings_files_and_conversation_back_or_one_of_them(codi: Codi, lab, folder, monkeypatch):
    lab(
        [
            says("", call("write", path="a.txt", content="one\n")),
            says("First."),
            says("", call("write", path="a.txt", content="two\n")),
            says("Second."),
        ]
    )
    assert codi("-p", "-y", "first prompt", "second prompt").status == 0
    second = said(codi.session(), "user")[1]["id"]
    do(codi, monkeypatch, Rewind(second, conversation=False))
    assert (folder / "a.txt").read_text() == "one\n"
    assert codi("redo").status == 0 or (folder / "a.txt").write_text("two\n")
    (folder / "a.txt").write_text("two\n")
    told = do(codi, monkeypatch, Rewind(second, files=False))
    assert told[-1].prompt == "second prompt" and (folder / "a.txt").read_text() == "two\n"
    first = said(codi.session(), "user")[0]["id"]
    told = do(codi, monkeypatch, Rewind(first))
    assert told[-1].prompt == "first prompt" and not (folder / "a.txt").exists()


def test_the_tree_is_shown_and_labelled_by_hand(talked: Codi):
    path = str(talked.sessions()[0])
    entry = said(talked.session(), "user")[1]["id"]
    assert talked("sessions", "label", path, entry[:5], "turning", "point").status == 0
    rows = talked("sessions", "tree", path, "--json").lines
    (labelled,) = [row for row in rows if row["label"]]
    assert (labelled["id"], labelled["label"], labelled["active"]) == (entry, "turning point", True)
    shown = talked("sessions", "tree", path).out
    assert "[turning point] you: two" in shown and "codi: Answer 3." in shown
    assert talked("sessions", "tree", path, "--filter", "labeled-only").out.count("\n") == 1


@pytest.mark.parametrize("words", [["fork"], ["sessions", "fork"]])
def test_a_fork_at_a_turn_goes_on_from_its_end(talked: Codi, words):
    run = talked(*words, str(talked.sessions()[0]), "--at", "2", "--json")
    assert run.status == 0, run
    made = run.result
    assert prompts(lines_of(made["path"])) == ["one", "two"] and made["prompt"] is None
    assert talked("-p", "--session", made["path"], "further").status == 0
    sent = last(talked.server)
    assert "two" in sent and "Answer 2." in sent and "three" not in sent


def test_a_fork_may_ask_another_model(talked: Codi):
    run = talked("fork", str(talked.sessions()[0]), "--at", "1", "--model", "anthropic/other", "--json")
    assert talked("-p", "--session", run.result["path"], "further", env={"CODI_MODEL": ""}).status == 0
    assert talked.server.requests[-1].json["model"] == "other"


def test_a_clone_has_the_path_alone(talked: Codi, monkeypatch):
    do(talked, monkeypatch, Navigate(said(talked.session(), "user")[1]["id"]), Prompt("other"))
    source = talked.sessions()[0]
    run = talked("sessions", "clone", str(source), "--json")
    assert prompts(lines_of(run.result["path"])) == ["one", "other"]
    assert prompts(lines_of(talked("sessions", "fork", str(source), "--json").result["path"])) == [
        "one", "two", "three", "other",
    ]  # fmt: skip


def test_a_start_may_fork_at_an_entry(talked: Codi):
    source = talked.sessions()[0]
    second = said(talked.session(), "user")[1]["id"]
    result = talked.json("instead", "--fork", f"{source.stem.partition('_')[2]}@{second[:6]}").result
    assert prompts(lines_of(result["sessionFile"])) == ["one", "instead"]
    assert talked.json("x", "--fork", f"{source}@zzzz").status == 1


def test_numbers_of_a_session(talked: Codi):
    told = talked("sessions", "stats", str(talked.sessions()[0]), "--json").result
    assert told["turns"] == 3 and told["messages"] == {"user": 3, "assistant": 3} and told["branches"] == 1
    assert told["models"] == {"anthropic/x": 3} and told["totalTokens"] > 0
    assert "totalTokens" in talked("sessions", "stats", str(talked.sessions()[0])).out


def test_clearing_names_the_count_and_asks(talked: Codi):
    assert talked("-p", "another").status == 0
    refused = talked("sessions", "clear")
    assert refused.status == 2 and "2 sessions" in refused.err
    assert talked("sessions", "clear", "--yes").status == 0
    assert talked.sessions() == [] and len(list(talked.home.glob("trash/*/*.jsonl"))) == 2


def test_the_tree_is_walked_in_the_terminal(lab, terminals, codi: Codi):
    server = lab({"loop": True, "steps": [says("Answer {{n}}.")]})
    talk = terminals()
    talk.type("first" + ENTER)
    talk.wait_for("Answer 1.")
    talk.type("second" + ENTER)
    talk.wait_for("Answer 2.")
    talk.type("/name A larder" + ENTER)
    talk.wait_for("this session is called 'A larder' now")
    talk.type("/tree" + ENTER)
    talk.wait_for("you: second", "time", "label")
    talk.type("second" + ENTER)
    talk.wait_for("no summary")
    talk.type(ENTER)
    talk.wait_for("the conversation goes on from here:")
    talk.type(" again" + ENTER)
    talk.wait_for("› second again", "Answer 3.")
    sent = last(server)
    assert "first" in sent and "second again" in sent and "Answer 2." not in sent
    talk.type("/clone" + ENTER)
    talk.wait_for("› second again", times=2)
    assert len(codi.sessions()) == 2
    talk.type("/exit" + ENTER)
    assert talk.end() == 0
    assert len(server.requests) == 3


def test_the_working_directory_of_a_fork_is_that_of_its_source(talked: Codi, tmp_path):
    run = talked("sessions", "clone", str(talked.sessions()[0]), "--json", cwd=tmp_path)
    assert lines_of(run.result["path"])[0]["cwd"] == str(talked.cwd)
    assert os.path.dirname(run.result["path"]) == str(talked.sessions()[0].parent)
