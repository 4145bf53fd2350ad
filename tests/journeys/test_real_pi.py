"""The program whose file format this is reads what codi wrote, and understands the same.

It is an npm package, which these tests do not fetch: `CODI_PI` names a folder with `node_modules/@mariozechner/pi-coding-agent` in it.
"""

import json
import os
import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from codi.agent.context import standing
from codi.sessions.files import reading_of
from codi.sessions.tree import labels, path_to
from conftest import SHARED, Codi, call, says

PI = os.environ.get("CODI_PI", "")
pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(
        not PI or not shutil.which("node"), reason="the real pi is not here (npm install, then CODI_PI=FOLDER)"
    ),
]
DOWN, ENTER = "\x1b[B", "\r"
READ = """
import { SessionManager } from "@mariozechner/pi-coding-agent";
const session = SessionManager.open(process.argv[2]);
const { messages, model, thinkingLevel } = session.buildSessionContext();
const shape = (nodes) => nodes.map((node) => [node.entry.type, node.label ?? null, shape(node.children)]);
console.log(JSON.stringify({ messages, model, thinkingLevel, name: session.getSessionName() ?? null, tree: shape(session.getTree()) }));
"""


def pi(script: str, *words: str) -> Any:
    """What a script told that has pi's own modules at hand."""
    place = Path(PI) / f"codi-{os.getpid()}.mjs"
    place.write_text(script)
    try:
        done = subprocess.run(["node", place, *words], cwd=PI, capture_output=True, text=True, timeout=60)
    finally:
        place.unlink()
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def rich(codi: Codi, lab, terminals) -> Path:
    """A session with all that codi writes: calls, a branch that was left with a summary, labels, a name, a compaction, a command of the
    person's own, a turn that was stopped."""
    (codi.cwd / "a.txt").write_text("one\n")
    lab(
        [
            says(
                "I look.",
                call("read", path="a.txt"),
                call("todo", items=[{"content": "x", "status": "pending"}]),
                thinking="Hm.",
            ),
            says("It says one."),
            says("", call("write", path="b.txt", content="b\n"), call("shell", command="echo hi")),
            says("Written."),
            says("A summary of the branch."),
            says("Another way."),
            says("And on."),
        ]
    )
    assert codi("-p", "--permission-mode", "full-access", "--name", "All of it", "look at it", "write it").status == 0
    (path,) = codi.sessions()
    users = [line["id"] for line in codi.session() if line.get("message", {}).get("role") == "user"]
    assert codi("sessions", "label", str(path), users[0], "the beginning").status == 0
    talk = terminals("-c", "--permission-mode", "full-access")
    talk.wait_for("Written.")
    talk.type("!echo mine" + ENTER)
    talk.wait_for("✓ ! echo mine")
    talk.type("/tree" + ENTER)
    talk.wait_for("you: write it")
    talk.type("write it" + ENTER)
    talk.wait_for("summarise it")
    talk.type(DOWN + ENTER)
    talk.wait_for("the conversation goes on from here:")
    talk.type("\x15another way" + ENTER)
    talk.wait_for("Another way.")
    talk.type("/compact --mechanical --force" + ENTER)
    talk.wait_for("became a summary")
    talk.type("and on" + ENTER)
    talk.wait_for("And on.")
    talk.type("/exit" + ENTER)
    assert talk.end() == 0
    return path


def understood(path: Path) -> tuple[list[dict], list]:
    """The messages that codi takes from the file in the shapes of `get_messages`, and the tree of the entries."""
    reading = reading_of(str(path))
    lines = {entry.id: json.loads(line) for entry, line in zip(reading.entries, reading.lines, strict=True)}
    messages = []
    for entry in standing(path_to(reading.entries[-1].id, reading.entries)):
        line = lines[entry.id]
        at = datetime.fromisoformat(line["timestamp"]).timestamp() * 1000
        match line["type"]:
            case "message":
                messages.append(line["message"])
            case "compaction":
                told = {"summary": line["summary"], "tokensBefore": line["tokensBefore"]}
                messages.append({"role": "compactionSummary", "timestamp": round(at)} | told)
            case "branch_summary":
                told = {"summary": line["summary"], "fromId": line["fromId"]}
                messages.append({"role": "branchSummary", "timestamp": round(at)} | told)
    names = labels(reading.entries)

    def shape(parent: str | None) -> list:
        return [
            [lines[entry.id]["type"], names.get(entry.id), shape(entry.id)]
            for entry in reading.entries
            if entry.parent == parent
        ]

    return messages, shape(None)


def test_it_has_the_same_messages_and_the_same_tree(rich: Path):
    messages, tree = understood(rich)
    before = rich.read_bytes()
    theirs = pi(READ, str(rich))
    assert theirs["messages"] == messages and theirs["tree"] == tree
    assert {"compactionSummary", "branchSummary", "user", "assistant"} == {message["role"] for message in messages}
    assert theirs["name"] == "All of it" and theirs["model"] == {"provider": "anthropic", "modelId": "x"}
    assert theirs["thinkingLevel"] == "off" and rich.read_bytes() == before


FORK = """
import { SessionManager } from "@mariozechner/pi-coding-agent";
const [path, folder, entry] = process.argv.slice(2);
const session = SessionManager.open(path, folder);
const made = session.createBranchedSession(entry);
console.log(JSON.stringify(made));
"""


def test_every_leaf_forks_into_the_same_session(codi: Codi, rich: Path, tmp_path: Path):
    """A fork of codi's and one of pi's, of the same file at the same place, mean the same to both."""
    leaves = [line["id"] for line in codi.session() if line.get("message", {}).get("role") == "assistant"]
    for leaf in leaves:
        run = codi("sessions", "fork", str(rich), "--at", leaf, "--json")
        assert run.status == 0, run
        own, other = Path(run.result["path"]), Path(pi(FORK, str(rich), str(tmp_path), leaf))
        assert (
            understood(own)[0]
            == understood(other)[0]
            == pi(READ, str(own))["messages"]
            == pi(READ, str(other))["messages"]
        )
        names = [
            [line.get("label") for line in map(json.loads, path.read_text().splitlines()) if line["type"] == "label"]
            for path in (own, other)
        ]
        assert names[0] == names[1] == ["the beginning"]


def test_its_own_files_mean_the_same_here():
    files = sorted((SHARED / "fixtures" / "v3-sessions").glob("*.jsonl"))
    if not files:
        pytest.skip("no recorded sessions beside the project")
    for file in files:
        if "v1" in file.name:
            continue  # migrated in place by both
        theirs = pi(READ, str(file))
        messages, tree = understood(file)
        assert theirs["messages"] == messages and theirs["tree"] == tree, file


def test_its_page_shows_what_a_page_of_ours_holds(rich: Path, codi: Codi):
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("no chromium here: tools/system tests installs it")
    assert codi("export", str(rich), "--all", "--no-redact", "--yes", "--out", "ours.html").status == 0
    ours = (codi.cwd / "ours.html").read_text()
    data = re.search(r'<script id="session-data" type="application/json">([^<]*)</script>', ours)
    assert data
    theirs = Path(PI) / "node_modules/@mariozechner/pi-coding-agent/dist/core/export-html"
    page = (theirs / "template.html").read_text()
    for name, content in {
        "CSS": "",
        "SESSION_DATA": data[1],
        "MARKED_JS": (theirs / "vendor/marked.min.js").read_text(),
        "HIGHLIGHT_JS": (theirs / "vendor/highlight.min.js").read_text(),
        "JS": (theirs / "template.js").read_text(),
    }.items():
        page = page.replace("{{" + name + "}}", content)
    (codi.cwd / "theirs.html").write_text(page)
    done = subprocess.run(
        [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000",
            f"--user-data-dir={codi.cwd / 'profile'}", "--dump-dom", f"file://{codi.cwd}/theirs.html",
        ],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    shown = re.sub(r"<script.*?</script>", "", done.stdout, flags=re.DOTALL)
    tree, _, messages = shown.partition('id="messages"')
    assert "Another way." in tree and "It says one." in tree and "the beginning" in tree, done.stderr
    assert "look at it" in messages and "And on." in messages
