"""Every command of the registry is typed in a real terminal: by its name, by each alias, and as each of its examples."""

import json
import os

import pytest

from codi.commands.command import Command
from codi.commands.kit import commands
from conftest import call, says
from eye import Terminal

ENTER, ESC = "\r", "\x1b"
GROUPS = 6
GOES = {"/exit", "/new", "/clone", "/login anthropic"}
"""These leave the conversation, or hand the terminal over, so they have tests of their own."""
ASKS = {"/memories consolidate"}
"""Local, and yet the model is asked: for facts, as /compact asks it for a summary."""
MOVES = {"clear", "undo", "rewind", "compact", "import", "resume", "tree", "fork", "snapshot"}
LOCAL = [each for each in commands().commands if each.kind == "local"]
PROMPTS = [each for each in commands().commands if each.kind == "prompt" and each.name not in ("retry", "pipeline")]


class Typist:
    """Types commands, leaves what they open, and knows when each has been answered: by the answer to one that nobody knows."""

    def __init__(self, talk: Terminal) -> None:
        self.talk = talk
        self._typed = 0

    def type(self, line: str) -> str:
        """What was shown of it."""
        self._typed += 1
        end = f"/zzzzzz{self._typed:03}"
        begin = f"/zzzzzz{self._typed - 1:03}"
        opened: list[tuple[str, bytes]] = []
        before = self._beside()
        self.talk.type(line + ENTER + end + ENTER)

        def is_answered() -> bool:
            key = self._key_to_leave()
            if key and (not opened or opened[-1][1] != self.talk.raw[-40:]):
                rows = [row for row in self.talk.rows if "/zzzzzz" not in row]
                opened.append(("\n".join(rows), self.talk.raw[-40:]))
                self.talk.type(key)
            return f"unknown command {end}" in self.talk.shown

        self.talk._until(is_answered, f"no answer to {line}")
        shown = self.talk.shown.rpartition(f"✗ unknown command {end}")[0]
        told = shown.rpartition(f"unknown command {begin}")[2].partition("\n")[2]
        told = told.replace("  hint: /help lists the commands.\n", "", 1)
        if not told.strip(" \n─") and not opened:  # it asked for something that is told when it is done

            def is_told() -> bool:
                late = self.talk.shown.rpartition(f"✗ unknown command {end}")[2].partition("commands.\n")[2]
                return bool(late.partition("──")[0].strip()) or self._beside() != before

            self.talk._until(is_told, f"{line} shows nothing")
            return "told late"
        return told + "".join(screen for screen, _ in opened)

    def _beside(self) -> str:
        """What stands around the editor: the mode, and the line of status."""
        return "\n".join(row for row in self.talk.rows[-6:] if "─ " in row or row[:1] in "/~").strip()

    def _key_to_leave(self) -> str:
        rows = self.talk.rows
        if any("q leave" in row for row in rows):
            return "q"
        if any("[y]es, [N]o" in row for row in rows):
            return "n"
        return ESC if any(row.startswith(">") or "› n no" in row for row in rows) else ""


def lines_of(command: Command) -> list[str]:
    named = [f"/{name} -h" for name in (command.name, *command.aliases)]
    return [*named, *(form.example for form in command.forms if form.example not in GOES | ASKS)]


def texts_of(request) -> list[str]:
    return [json.dumps(message["content"]) for message in request.json["messages"]]


@pytest.mark.parametrize("group", range(GROUPS))
def test_each_local_command_is_answered_without_the_model(codi, lab, terminals, repository, group):
    repository("bug-fix")
    server = lab({"loop": True, "steps": [says("Understood.")]})
    talk = terminals(rows=30, columns=100)
    talk.type("hello" + ENTER)
    talk.wait_for("Understood.", "1 step,")
    typist = Typist(talk)
    typist.type("/version")
    for command in LOCAL[group::GROUPS]:
        for line in lines_of(command):
            leaf = codi.sessions()[0].read_text().count('"type":"message"')
            shown = typist.type(line)
            assert shown.strip(" \n─"), f"{line} shows nothing:\n{talk.shown[-2000:]}"
            assert "unknown command" not in shown, f"{line}: {shown}"
            if line.endswith("-h"):
                assert f"/{command.name}" in shown and command.summary[:40] in shown, f"{line}: {shown}"
            assert codi.sessions()[0].read_text().count('"type":"message"') == leaf, line
    assert len(server.requests) == 1
    if not MOVES & {command.name for command in LOCAL[group::GROUPS]}:
        for line in ("/model anthropic/x", "/mode default"):
            typist.type(line)
        talk.type("and now?" + ENTER)
        talk.wait_for("Understood.", times=2)
        first, last = texts_of(server.requests[0]), texts_of(server.requests[-1])
        assert len(last) == 3 and last[0].partition("hello")[1], (first, last)


def test_each_prompt_asks_once_and_keeps_what_was_said(lab, terminals, repository):
    repository("bug-fix")
    server = lab({"loop": True, "steps": [says("Understood.")]})
    talk = terminals(rows=30, columns=100)
    talk.type("the first words" + ENTER)
    talk.wait_for("Understood.", "1 step,")
    typist = Typist(talk)
    asked = 1
    for command in PROMPTS:
        for name in (command.name, *command.aliases):
            assert command.summary[:40] in typist.type(f"/{name} -h")
        for form in command.forms:
            if form.example in ("/init --config", "/init --modelmap", "/plan approve"):
                continue
            asked += 1
            talk.type(form.example + ENTER)
            talk._until(lambda: talk.shown.count("1 step,") >= asked, f"no answer to {form.example}")  # noqa: B023
            assert len(server.requests) == asked, form.example
            assert "the first words" in texts_of(server.requests[-1])[0], form.example
    talk.type("/retry" + ENTER)
    talk._until(lambda: len(server.requests) == asked + 1, "nothing was asked again")


def test_what_leaves_the_conversation(codi, lab, terminals):
    server = lab({"loop": True, "steps": [says("Understood.")]})
    for name in ("exit", "quit", "q"):
        talk = terminals()
        talk.wait_for("codi 0")
        talk.type(f"/{name}" + ENTER)
        assert talk.end() == 0
    talk = terminals()
    talk.type("hello" + ENTER)
    talk.wait_for("1 step,")
    talk.type("/clone" + ENTER)
    talk.wait_for("codi 0", times=2)
    talk.type("/new" + ENTER)
    talk.wait_for("codi 0", times=3)
    talk.type("fresh" + ENTER)
    talk._until(lambda: len(server.requests) == 2, "nothing was asked in the new session")
    assert len(codi.sessions()) == 3 and len(texts_of(server.requests[-1])) == 1


def test_clear_moves_the_leaf_and_the_rest_is_kept(codi, lab, terminals):
    server = lab({"loop": True, "steps": [says("Understood.")]})
    talk = terminals()
    talk.type("hello" + ENTER)
    talk.wait_for("1 step,")
    talk.type("/clear" + ENTER)
    talk.wait_for("2 messages left the conversation")
    talk.type("anew" + ENTER)
    talk.wait_for("1 step,", times=2)
    assert len(texts_of(server.requests[-1])) == 1 and "hello" in codi.sessions()[0].read_text()


@pytest.mark.parametrize("line", ["/reveiw", "/reveiw x"])
def test_what_is_nearly_a_command_is_asked_about(lab, terminals, line):
    server = lab([says("never")])
    talk = terminals()
    talk.type(line + ENTER)
    talk.wait_for("unknown command /reveiw - did you mean /review?")
    assert not server.requests


def test_what_destroys_names_how_much_and_waits_for_a_yes(codi, lab, terminals):
    lab([says("One."), says("Two."), says("", call("write", path="a.txt", content="one\n")), says("Done.")])
    for _ in range(2):
        codi.json("hello", "-y")
    talk = terminals()
    talk.type("go" + ENTER)
    talk.wait_for("› n no")
    talk.type("y")
    talk.wait_for("Done.")
    talk.wait_for("2 steps,")
    typist = Typist(talk)
    assert "2 sessions" in typist.type("/sessions clear") and len(codi.sessions()) == 3
    assert "a.txt" in typist.type("/undo") and (codi.cwd / "a.txt").exists()
    talk.type("/sessions clear" + ENTER)
    talk.wait_for("[y]es, [N]o")
    talk.type("y")
    talk._until(lambda: len(codi.sessions()) == 1, "they are still there")


def test_a_slow_command_leaves_the_editor_free_and_ends_by_esc(codi, lab, terminals):
    server = lab([says("Heard.")])
    talk = terminals()
    talk.wait_for("codi 0")
    codi.home.mkdir(exist_ok=True)
    os.mkfifo(codi.home / "config.toml")  # what runs beside the program waits for somebody who writes into it
    talk.type("/config show" + ENTER + "typed meanwhile")
    talk.wait_for("typed meanwhile")
    talk.type(ESC)
    talk.watch(0.3)  # else it would be a key with alt
    talk.type("\x15/queue" + ENTER)
    talk.wait_for("nothing waits")
    assert not server.requests
    talk.type("hello" + ENTER)
    talk.wait_for("Heard.")
