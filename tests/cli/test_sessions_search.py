"""`codi sessions search`: what was said somewhere is found, with the entry that opens there."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from codi.protocol.errors import UsageError
from codi.protocol.events import Entry, MessageAdded
from codi.protocol.messages import user
from codi.sessions.search import Search
from codi.sessions.search_query import query_of
from codi.sessions.version3 import Header, header_line, line_of
from conftest import PROGRAM, SOAK, call, says


@pytest.fixture
def talked(codi, lab):
    lab(
        [
            says("A larder keeps food cool.", call("write", path="pantry.py", content="SHELVES = 7\n")),
            says("I wrote the shelves."),
            says("The ledger is elsewhere."),
        ]
    )
    assert codi("-p", "-y", "What is a larder?", "And the ledger?", "--name", "Kitchen words").status == 0
    return codi


def found(codi, *words) -> list[dict]:
    run = codi("sessions", "search", "--json", *words)
    assert run.status == 0, run
    return run.lines


def test_a_word_in_an_old_turn_is_found_and_opens_there(talked):
    hits = found(talked, "larder")
    assert {hit["role"] for hit in hits} == {"user", "assistant"}
    ids = {line["id"]: line for line in talked.session()[1:]}
    for hit in hits:
        assert "larder" in json.dumps(ids[hit["entry"]]).lower() and "**larder**" in hit["highlighted"].lower()
    row = talked("sessions", "search", "larder").out.splitlines()[0]
    assert hits[0]["session"] in row and hits[0]["entry"] in row and "[larder]" in row.lower()
    fork = talked("sessions", "fork", hits[0]["path"], "--at", hits[0]["entry"][:4], "--json")
    assert fork.status == 0


@pytest.mark.parametrize(
    ("query", "roles"),
    [
        ('"food cool"', ["assistant"]),
        ('"cool food"', []),
        ("shel*", ["assistant", "assistant"]),
        ("larder NOT food", ["user"]),
        ("food OR elsewhere", ["assistant", "assistant"]),
        ("(food OR elsewhere) ledger", ["assistant"]),
        ("role:user larder", ["user"]),
        ("tool:write role:assistant", ["assistant"]),
        ("file:pantry.py", ["assistant"]),
        ("model:anthropic larder", ["assistant"]),
        ("model:gpt larder", []),
        ("after:1h role:user", ["user", "user"]),
        ("before:2001-01-01 larder", []),
        ("kitchen", ["title"]),
        ("LÄRDER", ["assistant", "user"]),
    ],
)
def test_what_a_query_means(talked, query, roles):
    assert sorted(hit["role"] for hit in found(talked, query)) == roles


def test_labels_are_found_at_what_they_stand_on(talked):
    path = str(talked.sessions()[0])
    entry = found(talked, "role:user larder")[0]["entry"]
    assert talked("sessions", "label", path, entry, "quintessence").status == 0
    assert [(hit["role"], hit["entry"]) for hit in found(talked, "quintessence")] == [("label", entry)]


@pytest.mark.parametrize("query", ["AND x", "x OR", "(x", "x)", "NOT x", "()", ""])
def test_a_query_that_means_nothing_is_refused(query):
    with pytest.raises(UsageError):
        query_of(query, float)


@pytest.mark.parametrize(
    "query", ['a"b', "a-b.c(d)", 'x "unclosed', "*", "a:b", "-x", "^a", "NEAR(a b)", "'; DROP", "{a}: b"]
)
def test_no_sign_is_taken_for_the_grammar_of_the_database(talked, query):
    run = talked("sessions", "search", "--", query)
    assert run.status in (0, 2) and "error: codi failed" not in run.err, run


def test_the_scope_is_this_project_unless_all_are_asked_for(talked, tmp_path):
    assert talked("sessions", "search", "larder", cwd=tmp_path).out == ""
    assert talked("sessions", "search", "--all", "larder", cwd=tmp_path).out


def test_what_was_appended_is_found_and_what_was_deleted_is_not(talked, lab):
    lab([says("Zebras are striped.")])
    assert found(talked, "zebras") == []
    assert talked("-p", "-c", "more").status == 0
    assert len(found(talked, "zebras")) == 1
    assert talked("sessions", "delete", str(talked.sessions()[0]), "--yes").status == 0
    assert found(talked, "zebras") == []


@pytest.mark.parametrize("damage", [b"", b"no database", None])
def test_a_broken_catalog_is_made_anew_without_a_word(talked, damage):
    before = found(talked, "larder")
    for path in talked.home.glob("catalog.db*"):
        path.unlink() if damage is None else path.write_bytes(damage)
    run = talked("sessions", "search", "--json", "larder")
    assert run.lines == before and run.err == ""


def test_two_processes_search_and_list_at_once(talked):
    (talked.home / "catalog.db").unlink(missing_ok=True)
    words = [["sessions", "search", "--json", "larder"], ["sessions", "list", "--json"]] * 3
    running = [
        subprocess.Popen(
            [PROGRAM, *each], cwd=talked.cwd, env=talked.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for each in words
    ]
    for process in running:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0 and out and err == b""


def test_a_hundred_thousand_messages_are_searched_in_no_time(tmp_path: Path):
    """10,000 in the usual run; the limits are the same share of those for all."""
    count = 100_000 if SOAK else 10_000
    syllables = ["ka", "lo", "mi", "pe", "ru", "sa", "to", "vu", "zi", "na"]
    words = [first + second + third for first in syllables for second in syllables for third in syllables]
    for number in range(count // 500):
        lines = [header_line(Header(3, f"s{number:06}", "2026-01-01T00:00:00.000Z", "/w"))]
        for at in range(500):
            text = " ".join(words[(at * 7 + number * 13 + step * step) % 1000] for step in range(30))
            parent = f"{at - 1:08x}" if at else None
            lines.append(line_of(Entry(f"{at:08x}", parent, 1e9 + at, MessageAdded(user(text)))))
        (tmp_path / f"s{number}.jsonl").write_bytes(b"".join(lines))
    search = Search(str(tmp_path / "catalog.db"))
    began = time.process_time()
    search.update([str(tmp_path)])
    assert time.process_time() - began <= 10 * count / 100_000 + 1
    for text in ("kakaka", "ka*", '"kakaka lololo"', "kakaka OR lololo", "role:user"):
        query = query_of(text, float)
        search.find(query, [str(tmp_path)])
        began = time.process_time()
        assert search.find(query, [str(tmp_path)]) or text.startswith('"')
        assert time.process_time() - began <= 0.05
