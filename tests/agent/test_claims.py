"""What an answer claims, held against what was done: a corpus of lies of twelve kinds, of honest answers, and of no claims."""

import subprocess
import time
import tomllib
from collections import Counter
from pathlib import Path

import anyio
import pytest

from codi.agent.evidence.backing import Present, checked
from codi.agent.evidence.claims import claims_in
from codi.agent.evidence.deeds import Deeds, deeds
from codi.agent.evidence.witness import Witness
from codi.agent.gate import MAY_CLAIM
from codi.protocol.effects import Runs
from codi.protocol.events import CallIntended, Entry, Fact, FileChange, FilesChanged, MessageAdded
from codi.protocol.messages import Message, Text, ToolResult
from codi.tools.tool import ToolOutput
from codi.workspace import git
from codi.workspace.local import LocalWorkspace

CORPUS = tomllib.loads((Path(__file__).parent / "claims.toml").read_text())
FILES = {
    "src/app.py": "x = 1\n",
    "src/util.py": "y = 1\n",
    "src/lib.rs": "",
    "src/app.c": "",
    "src/index.ts": "",
    "web/app.js": "",
    "main.go": "",
    "Makefile": "",
    "README.md": "# It\n",
    "tests/test_app.py": "",
    "tests/test_util.py": "",
    "tests/unit/test_a.py": "",
    "tests/other/test_b.py": "",
    "pkg/add_test.go": "",
    "pkg/sub_test.go": "",
}
KINDS = ("never run", "elsewhere", "failed", "skipped", "subset", "exit code", "made-up output", "wrong count", "no change", "no commit", "lint clean")  # fmt: skip


class Story:
    """A session in which things are done to a real folder; only the commands are not run, their output is given."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.workspace = LocalWorkspace(str(root))
        self._witness = Witness(self.workspace)
        self._facts: list[Fact] = []
        self.began = 0.0

    async def do(self, step: dict) -> None:
        match step:
            case {"run": command}:
                await self._run(command, step.get("exit", 0), step.get("output", ""))
            case {"touch": path}:
                self._change(path)
                await self._run(f"sed -i s/1/2/ {path}", 0, "")
            case {"create": path} | {"edit": path}:
                self._change(path)
                kind = "created" if "create" in step else "modified"
                self._facts.append(FilesChanged("c", (FileChange(path, kind),)))
            case {"delete": path}:
                (self.root / path).unlink()
                self._facts.append(FilesChanged("c", (FileChange(path, "deleted"),)))
            case {"commit": message}:
                self._git("add", "-A")
                self._git("commit", "-qm", message)
                await self._run("git commit -qm x", 0, "")

    def _change(self, path: str) -> None:
        file = self.root / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{file.read_text() if file.exists() else ''}# {len(self._facts)}\n")

    def _git(self, *words: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=self.root, check=True)

    async def _run(self, command: str, status: int, output: str) -> None:
        id = f"call_{len(self._facts)}"
        runs = Runs(command, str(self.workspace.root))
        self._facts.append(CallIntended(id, "shell", {"command": command}, (runs,)))
        told = ToolOutput(text=output, details={"exitCode": status} if status else None, is_error=status != 0)
        self._facts += await self._witness.of([runs], told, 10)
        result = ToolResult(id, (Text(output),), status != 0, "shell", told.details)
        self._facts.append(MessageAdded(Message("user", (result,))))

    @property
    def deeds(self) -> Deeds:
        entries = [Entry(f"{number:08x}", None, self.began, fact) for number, fact in enumerate(self._facts)]
        return deeds([Entry("first", None, self.began, FilesChanged("", ())), *entries])

    async def states(self, answer: str) -> list[tuple[str, str]]:
        made = await git.commits_since(str(self.root), self.began)
        state = await git.state(str(self.root)) if made else None
        present = Present(self.workspace, await self._witness.tree(), made, state.dirty if state else None)
        verdicts = checked(claims_in(answer), self.deeds, present)
        return [(verdict.text, verdict.state) for verdict in verdicts]


@pytest.fixture
def story(tmp_path: Path) -> Story:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    made = Story(tmp_path)
    made._git("init", "-q")
    past = time.time() - 3600
    made._git("add", "-A")
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "first"],
        cwd=tmp_path,
        check=True,
        env={"PATH": "/usr/bin:/bin", "GIT_COMMITTER_DATE": f"{int(past)} +0000"},
    )
    made.began = time.time()
    return made


def play(story: Story, case: dict) -> list[tuple[str, str]]:
    async def through() -> list[tuple[str, str]]:
        for step in case.get("did", []):
            await story.do(step)
        return await story.states(case["says"])

    return anyio.run(through)


def named(cases: list[dict]):
    return [pytest.param(case, id=f"{at}: {case['says'][:40]!r}") for at, case in enumerate(cases)]


def is_as_told(found: list[tuple[str, str]], states: str | list[str]) -> bool:
    seen = [state for _, state in found]
    return seen == states if isinstance(states, list) else bool(seen) and set(seen) == {states}


@pytest.mark.parametrize("case", named(CORPUS["false"]))
def test_a_lie_is_flagged(story, case):
    found = play(story, case)
    if "states" in case:
        assert is_as_told(found, case["states"]), found
    assert any(state != "backed" for _, state in found), found
    assert case["kind"] in KINDS


@pytest.mark.parametrize("case", named(CORPUS["stale"]))
def test_what_was_seen_before_the_last_change_is_stale(story, case):
    assert is_as_told(play(story, case), case.get("states", "stale")), play(story, {"says": case["says"]})


@pytest.mark.parametrize("case", named(CORPUS["honest"]))
def test_an_honest_answer_is_backed(story, case):
    found = play(story, case)
    assert is_as_told(found, "backed"), found


@pytest.mark.parametrize("sentence", CORPUS["none"]["sentences"])
def test_no_claim_is_found_where_none_is_made(sentence):
    assert claims_in(sentence) == []
    assert (
        claims_in(f"I looked at the code. {sentence}" if not sentence.startswith((">", "`", "-")) else sentence) == []
    )


@pytest.mark.parametrize("sentence", CORPUS["some"]["sentences"])
def test_a_claim_is_found_where_one_is_made(sentence):
    assert claims_in(sentence)


@pytest.mark.parametrize(
    "text",
    [
        "all the tests and the linter and " * 2000,
        "all tests in " * 5000,
        "⟦0⟧ `a.py`, " * 5000,
        "I created `a`, and `b` and " * 3000,
        "a " * 50_000,
        "passed 1/1/1/1 " * 4000,
        "**" * 20_000,
        "no errors and no warnings. " * 2000,
        "`" * 10_000,
        "a/" * 20_000,
    ],
)
def test_strange_text_takes_no_long_time(text):
    began = time.process_time()
    claims_in(text[:50_000])
    assert time.process_time() - began < 2


def test_every_claim_has_a_word_by_which_it_is_looked_for():
    answers = [case["says"] for kind in ("false", "stale", "honest") for case in CORPUS[kind]]
    for answer in [*answers, *CORPUS["some"]["sentences"]]:
        assert all(MAY_CLAIM.search(claim.text) for claim in claims_in(answer))


def test_the_corpus_is_large_and_of_all_kinds():
    kinds = Counter(case["kind"] for case in CORPUS["false"])
    assert set(kinds) == set(KINDS) and min(kinds.values()) >= 5
    assert len(CORPUS["false"]) >= 60 and len(CORPUS["honest"]) >= 40
    assert len(CORPUS["stale"]) >= 20 and len(CORPUS["none"]["sentences"]) >= 60
