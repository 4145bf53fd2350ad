"""Whatever a session file holds: it opens, no byte of it changes, and what follows from it every service takes."""

import hashlib
import json
import time
from pathlib import Path

from random_sessions import RandomSession

from codi.sessions.migration import migrated
from codi.sessions.reading import read
from codi.sessions.tree import path_to
from conftest import SOAK, Codi, says
from stage import next_messages, refusals

HISTORIES = 10_000 if SOAK else 150
FUZZED_S = 60.0 if SOAK else 3.0


def test_every_history_that_a_file_can_hold_is_acceptable():
    said = 0
    for seed in range(HISTORIES):
        content = RandomSession(seed).content("/tmp")
        reading = read(content)
        assert reading is not None
        if reading.header.version < 3:
            reading = read(migrated(content))
        for entry in reading.entries[-2:]:
            messages = next_messages(path_to(entry.id, reading.entries))
            assert refusals(messages, ()) == {}, seed
            said += len(messages)
    assert said > HISTORIES


ASKED = (
    ("sessions", "list", "--json"),
    ("sessions", "verify", "--all"),
    ("sessions", "search", "words", "--json"),
    ("sessions", "show", "{}"),
    ("sessions", "tree", "{}"),
    ("sessions", "stats", "{}", "--json"),
    ("sessions", "compactions", "{}"),
    ("export", "{}", "--format", "json", "--out", "out.json"),
    ("export", "{}", "--format", "md", "--out", "out.md"),
    ("export", "{}", "--all", "--format", "html", "--out", "out.html"),
    ("share", "{}", "--yes", "--out", "out.codi.json"),
    ("-p", "on", "--session", "{}"),
    ("sessions", "fork", "{}"),
    ("sessions", "repair", "{}"),
    ("replay", "{}", "--tools=recorded"),
)


def test_random_files_are_never_a_traceback_nor_a_changed_byte(codi: Codi, lab):
    lab({"loop": True, "steps": [says("Yes.")]})
    folder = codi.home / "sessions" / f"-{str(codi.cwd).replace('/', '-')}--"
    folder.mkdir(parents=True)
    seed, end = 0, time.monotonic() + FUZZED_S
    while time.monotonic() < end:
        path = folder / f"2026-01-01T00-00-00-000Z_fuzz{seed}.jsonl"
        content = RandomSession(1_000_000 + seed).content(str(codi.cwd))
        path.write_bytes(content)
        words = [word.format(path) for word in ASKED[seed % len(ASKED)]]
        run = codi(*words)  # a traceback fails in there
        assert run.status in (0, 1, 2), (seed, run)
        now = path.read_bytes()
        if (
            words[0] == "-p"
            and run.status == 0
            and json.loads(content.split(b"\n")[0].removeprefix(b"\xef\xbb\xbf"))["version"] == 3
        ):
            assert now.startswith(content), seed
        elif words[0] != "-p":
            assert hashlib.sha256(now).digest() == hashlib.sha256(content).digest(), seed
        for made in codi.cwd.glob("out.*"):
            assert made.stat().st_size
            made.unlink()
        seed += 1
    print(f"\n{seed} files in {FUZZED_S:g} s")
    assert seed >= 3
    assert not list(Path(folder).glob("*.new"))
