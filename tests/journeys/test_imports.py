"""Sessions of other agents come in, as they were, once; and their files stay as they are."""

import json
from hashlib import sha256
from pathlib import Path

import foreign_sessions as foreign
import pytest

from conftest import Codi, says

AGENTS = {
    "claude-code": foreign.claude,
    "codex": foreign.codex,
    "gemini": foreign.gemini,
    "opencode": foreign.opencode_database,
    "nanocoder": foreign.nanocoder,
    "codi-ts": foreign.codi_ts,
    "codi-rust": foreign.codi_rust,
    "pi": foreign.pi,
    "cursor": foreign.cursor,
}


@pytest.fixture
def person(codi: Codi) -> Path:
    return Path(codi.env["HOME"])


def digests(folder: Path) -> dict[str, str]:
    return {str(path): sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()}


def bring(codi: Codi, *words: str) -> list[dict]:
    run = codi("import", *words, "--json")
    assert run.status == 0, run
    return run.lines


def lines_of(path: str) -> list[dict]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def story(path: str) -> list[str]:
    """A session in short."""
    told = []
    for line in lines_of(path):
        message = line.get("message", {})
        content = message.get("content", "")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for block in blocks if line["type"] == "message" else []:
            what = block.get("text") or block.get("thinking") or block.get("name")
            error = "!" if message.get("isError") else ""
            told.append(f"{message['role']}{error}: {block['type']} {what}")
        if line["type"] == "compaction":
            told.append(f"compaction: {line['summary']}")
    return told


STORIES = {
    "claude-code": [
        "user: text Fill the larder", "assistant: thinking Hm.", "assistant: toolCall Read", "toolResult: text seven",
        "assistant: text Filled.", "assistant: text Another way.", "compaction: All was filled.",
    ],
    "codex": [
        "user: text Count the jars", "assistant: thinking Counting.", "assistant: toolCall shell", "toolResult!: text no jars",
        "assistant: toolCall apply_patch", "toolResult: text patched", "assistant: text None.",
    ],
    "gemini": [
        "user: text Shelves?", "assistant: thinking Looking\nat shelves", "assistant: text Two shelves.",
        "assistant: toolCall list_directory", "toolResult: text a b",
    ],
    "opencode": [
        "user: text Read a", "assistant: thinking Thinking.", "assistant: toolCall read", "toolResult: text A", "assistant: text It says A.",
    ],
    "nanocoder": ["user: text List", "assistant: toolCall list_directory", "toolResult: text a b", "assistant: text Two."],
    "codi-ts": [
        "compaction: Earlier we spoke.", "user: text Go on", "assistant: toolCall read_file", "toolResult!: text A", "assistant: text Gone on.",
    ],
    "codi-rust": ["user: text Hello", "assistant: text Hi."],
    "pi": ["user: text From pi"],
    "cursor": ["user: text Cursor asks", "assistant: toolCall Read", "toolResult: text A", "assistant: text It is A."],
}  # fmt: skip


@pytest.mark.parametrize("agent", AGENTS)
def test_a_session_comes_in_as_it_was_and_once(codi: Codi, person: Path, agent: str):
    source = str(AGENTS[agent](person))
    before = digests(person)
    (dry,) = [row for row in bring(codi, agent, "--dry-run") if row["source"] == source][:1]
    assert dry["state"] == "new" and not codi.sessions()
    brought = bring(codi, agent)
    mine = next(row for row in brought if row["source"] == source)
    assert mine["state"] == "new" and mine["agent"] == agent
    assert story(mine["path"]) == STORIES[agent]
    if agent != "pi":
        (told,) = [line["data"] for line in lines_of(mine["path"]) if line.get("customType") == "codi/import"]
        assert told["agent"] == agent and told["source"] == source and told["sha256"] == before[source]
        assert told["observedVersion"]
    header = lines_of(mine["path"])[0]
    assert header["version"] == 3 and header["cwd"] == (foreign.CWD if agent not in ("gemini", "cursor") else "")
    again = bring(codi, agent)
    assert sum(row["added"] for row in again) == 0 and {row["state"] for row in again} <= {"known"}
    assert digests(person) == before
    assert codi("sessions", "verify", "--all").status == 0
    if agent != "pi":
        assert codi("sessions", "search", "--all", STORIES[agent][-1].split()[-1]).out


def test_a_tree_and_side_chains_of_claude_code(codi: Codi, person: Path):
    foreign.claude(person)
    rows = bring(codi, "claude")
    main = next(row for row in rows if row["session"] == "11111111-2222-4333-8444-555555555555")
    lines = lines_of(main["path"])
    by_text = {json.dumps(line.get("message", {}).get("content")): line for line in lines}
    filled = next(line for text, line in by_text.items() if "Filled." in text)
    other = next(line for text, line in by_text.items() if "Another way." in text)
    assert filled["parentId"] == other["parentId"]
    assert next(line["name"] for line in lines if line["type"] == "session_info") == "Filling the larder"
    counted = [
        line["message"]["usage"]["totalTokens"] for line in lines if line.get("message", {}).get("role") == "assistant"
    ]
    assert counted == [20, 0, 20, 20]
    raw = [line["data"]["type"] for line in lines if line.get("customType") == "codi/raw"]
    assert raw == ["user", "progress"] and main["bad"] == 1 and main["lossy"] == ["progress", "user"]
    sides = [row for row in rows if row is not main]
    assert len(sides) == 2
    for row in sides:
        assert lines_of(row["path"])[0]["parentSession"] == main["path"]


def test_nothing_that_stands_in_a_source_is_dropped_unsaid(codi: Codi, person: Path):
    base = {"sessionId": "s", "cwd": foreign.CWD, "isSidechain": False}
    at = {"timestamp": "2026-03-01T10:00:00.000Z"}

    def claude(kind: str, record: str, parent: str | None, content: object, **more: object) -> dict:
        message = {"role": kind, "content": content}
        return base | at | {"type": kind, "uuid": record, "parentUuid": parent, "message": message} | more

    strange = {"type": "server_tool_use", "id": "z"}
    source = foreign.write_lines(
        person / ".claude/projects/-w/s.jsonl",
        {"type": "file-history-snapshot", "snapshot": {}},
        claude("user", "u", None, "Go"),
        claude("assistant", "a", "u", [{"type": "text", "text": "Gone."}, strange]),
        claude("user", "x1", None, "One task", isSidechain=True),
        claude("user", "y1", None, "Another task", isSidechain=True),
        claude("assistant", "x2", "x1", [{"type": "text", "text": "One done."}], isSidechain=True),
    )
    rows = bring(codi, str(source))
    assert [story(row["path"]) for row in rows] == [
        ["user: text Go", "assistant: text Gone."],
        ["user: text One task", "assistant: text One done."],
        ["user: text Another task"],
    ]
    main, *sides = rows
    assert {lines_of(row["path"])[0]["parentSession"] for row in sides} == {main["path"]}
    raw = [line for line in lines_of(main["path"]) if line.get("customType") == "codi/raw"]
    assert [line["data"]["value"] for line in raw] == [{"type": "file-history-snapshot", "snapshot": {}}, strange]
    assert {line["timestamp"] for line in raw} == {at["timestamp"]}

    png = "iVBORw0KGgo="
    said = [{"type": "input_text", "text": "See"}, {"type": "input_image", "image_url": f"data:image/png;base64,{png}"}]
    source = foreign.write_lines(
        person / ".codex/sessions/2026/01/01/rollout-1.jsonl",
        at | {"type": "session_meta", "payload": {"id": "c-1", "cwd": foreign.CWD}},
        at | {"type": "response_item", "payload": {"type": "message", "role": "user", "content": said}},
        at | {"type": "event_msg", "payload": {"type": "never_seen", "x": 1}},
    )
    (row,) = bring(codi, str(source))
    asked, event = lines_of(row["path"])[-2:]
    assert asked["message"]["content"][1] == {"type": "image", "data": png, "mimeType": "image/png"}
    assert event["data"]["value"] == {"type": "never_seen", "x": 1}

    (cut := codi.cwd / ".aider.chat.history.md").write_text("Of an answer.\n\n#### And then?\n")
    (row,) = bring(codi, str(cut))
    assert story(row["path"]) == ["assistant: text Of an answer.", "user: text And then?"]


def test_calls_of_claude_code_that_ran_at_once_keep_all_their_results(codi: Codi, person: Path):
    """Each block of a reply is a line, and each result hangs on the line of its call."""

    def line(kind: str, record: str, parent: str | None, *blocks: dict, **more: object) -> dict:
        message = {"role": kind, "content": list(blocks)} | more
        told = {"sessionId": "s", "cwd": foreign.CWD, "timestamp": "2026-03-01T10:00:00.000Z", "isSidechain": False}
        return told | {"type": kind, "uuid": record, "parentUuid": parent, "message": message}

    def use(name: str) -> dict:
        return {"type": "tool_use", "id": name, "name": "Read", "input": {}}

    def got(name: str) -> dict:
        return {"type": "tool_result", "tool_use_id": name, "content": f"of {name}"}

    source = foreign.write_lines(
        person / ".claude/projects/-w/s.jsonl",
        line("user", "u", None, {"type": "text", "text": "Read two"}),
        line("assistant", "a", "u", use("c1"), id="m1"),
        line("progress", "p", "a"),
        line("assistant", "b", "a", use("c2"), id="m1"),
        line("user", "r2", "b", got("c2")),
        line("user", "r1", "p", got("c1")),
        line("assistant", "c", "r2", {"type": "text", "text": "Both read."}, id="m2"),
        line("user", "v", "c", {"type": "text", "text": "Again"}),
        line("user", "w", "c", {"type": "text", "text": "Otherwise"}),
    )
    (row,) = bring(codi, str(source))
    lines = {line["id"]: line for line in lines_of(row["path"])[1:]}
    path, at = [], list(lines)[-1]
    while at:
        path.insert(0, lines[at])
        at = lines[at]["parentId"]
    said = [each["message"] for each in path if each["type"] == "message"]
    assert [message.get("toolCallId") for message in said if message["role"] == "toolResult"] == ["c2", "c1"]
    assert [message["content"][-1].get("text") for message in said if message["role"] == "user"] == [
        "Read two",
        "Otherwise",
    ]


def test_what_a_source_has_more_is_added(codi: Codi, person: Path):
    source = foreign.claude(person)
    first = bring(codi, str(source))[0]
    more = foreign.claude_lines()[1] | {
        "uuid": "z9",
        "parentUuid": "c1",
        "message": {"role": "user", "content": "One more"},
    }
    with source.open("a") as file:
        file.write(json.dumps(more) + "\n")
    (grown, *_) = bring(codi, str(source))
    assert (grown["state"], grown["added"], grown["path"]) == ("grown", 1, first["path"])
    assert story(first["path"])[-1] == "user: text One more"


def test_rewinds_and_changes_of_gemini_are_honoured(codi: Codi, person: Path):
    foreign.gemini(person)
    row = next(row for row in bring(codi, "gemini") if row["source"].endswith("session-2.jsonl"))
    assert story(row["path"]) == ["user: text First", "user: text Kept"] and row["title"] == "Renamed"
    folder = person / ".gemini/tmp" / sha256(str(codi.cwd).encode()).hexdigest() / "chats"
    user = {"type": "user", "timestamp": "2026-03-03T11:00:00Z"}
    source = foreign.write_lines(
        folder / "session-9.jsonl",
        {"sessionId": "g9", "projectHash": "another", "startTime": "2026-03-03T11:00:00Z"},
        user | {"id": "a", "content": "Replaced"},
        {"$set": {"messages": [user | {"id": "b", "content": "In its place"}]}},
        user | {"id": "c", "content": [{"text": "See"}, {"inlineData": {"mimeType": "image/png", "data": "eA=="}}]},
    )
    (row,) = bring(codi, str(source))
    assert story(row["path"]) == ["user: text In its place", "user: text See", "user: image None"]
    assert lines_of(row["path"])[0]["cwd"] == str(codi.cwd)
    with source.open("a") as file:
        file.write(json.dumps({"$rewindTo": "never"}) + "\n" + json.dumps(user | {"id": "d", "content": "Anew"}) + "\n")
    (row,) = bring(codi, str(source))
    assert (row["state"], row["added"]) == ("grown", 1)


def test_a_hash_is_resolved_when_the_directory_is_known(codi: Codi, person: Path, monkeypatch):
    digest = sha256(str(codi.cwd).encode()).hexdigest()
    foreign.write_json(
        person / ".gemini/tmp" / digest / "chats/session-3.json",
        {"sessionId": "g3", "projectHash": digest, "messages": [{"id": "u", "type": "user", "content": "Here"}]},
    )
    (row,) = bring(codi, "gemini")
    assert lines_of(row["path"])[0]["cwd"] == str(codi.cwd)


def test_the_database_of_opencode_goes_before_leftover_files(codi: Codi, person: Path):
    files = foreign.opencode_files(person)
    (row,) = bring(codi, "opencode")
    assert row["source"] == str(files) and story(row["path"]) == ["user: text From files"]
    foreign.opencode_database(person)
    (row,) = bring(codi, "opencode")
    assert row["source"].endswith("opencode.db")
    costs = [
        line["message"]["usage"]["cost"]["total"]
        for line in lines_of(row["path"])
        if line.get("message", {}).get("role") == "assistant"
    ]
    assert costs == [0.25, 0.5]


def test_codex_keeps_older_files_and_prompts_alone(codi: Codi, person: Path):
    foreign.codex(person)
    stories = {tuple(story(row["path"])) for row in bring(codi, "codex")}
    assert ("user: text Legacy", "assistant: text Old.") in stories and ("user: text An old prompt",) in stories
    usage = next(
        line["message"]["usage"]
        for path in codi.home.glob("sessions/*/*22222222*.jsonl")
        for line in lines_of(str(path))
        if line.get("message", {}).get("role") == "assistant"
    )
    assert (usage["input"], usage["cacheRead"], usage["output"]) == (60, 40, 9)


def test_chats_of_aider_are_sessions(codi: Codi):
    source = foreign.aider(codi.cwd)
    rows = bring(codi, "aider")
    assert [row["source"] for row in rows] == [str(source)] * 2
    told = story(rows[0]["path"])
    assert told[0] == "user: text Add a shelf\nplease" and told[1].startswith(
        "assistant: text I add a shelf.\n\n```python"
    )
    assert "times of messages" in rows[0]["lossy"] and lines_of(rows[0]["path"])[0]["cwd"] == str(codi.cwd)


def test_exports_of_claude_are_linked_or_have_candidates_and_decoys_are_not_taken(codi: Codi, person: Path):
    cwd = str(codi.cwd)
    for number in (1, 2):
        lines = [line if isinstance(line, str) else {**line, "cwd": cwd} for line in foreign.claude_lines()]
        foreign.write_lines(person / f".claude/projects/x/{number}1111111-2222-4333-8444-555555555555.jsonl", *lines)
    unique = [{**line, "cwd": cwd} for line in foreign.claude_lines()[1:2]]
    unique[0]["message"] = {"role": "user", "content": "Something else"}
    foreign.write_lines(person / ".claude/projects/x/91111111-2222-4333-8444-555555555555.jsonl", *unique)
    text = "╭────╮\n│ ✻ │\n╰────╯\n\n> {}\n\n⏺ I look.\n\n⏺ Read(a.py)\n  ⎿  seven\n\n⏺ Filled.\n"
    (codi.cwd / "2026-03-01-fill.txt").write_text(text.format("Fill the larder"))
    (codi.cwd / "2026-03-01-else.txt").write_text(text.format("Something else"))
    (codi.cwd / "2026-03-02-empty.txt").write_text("")
    (codi.cwd / "2026-01-02-plan.txt").write_text("> quoted\n\nOnly a note.\n")
    bring(codi, "claude-code")
    rows = {Path(row["source"]).name: row for row in bring(codi, "claude-export")}
    assert rows.keys() == {"2026-03-01-fill.txt", "2026-03-01-else.txt", "2026-03-02-empty.txt"}
    assert (
        rows["2026-03-02-empty.txt"]["state"] == "empty"
        and "an empty export" in rows["2026-03-02-empty.txt"]["lossy"][0]
    )
    assert any(lost.startswith("candidates: ") for lost in rows["2026-03-01-fill.txt"]["lossy"])
    linked = lines_of(rows["2026-03-01-else.txt"]["path"])[0]
    assert "91111111" in linked["parentSession"]
    assert story(rows["2026-03-01-fill.txt"]["path"])[1:4] == [
        "assistant: text I look.",
        "assistant: toolCall Read",
        "toolResult: text seven",
    ]


def test_parents_and_todos_of_codi_in_rust(codi: Codi, person: Path):
    foreign.codi_rust(person)
    rows = {row["title"]: row for row in bring(codi, "codi-rust")}
    assert lines_of(rows["Child"]["path"])[0]["parentSession"] == rows["Rusty"]["path"]
    todo = next(line["data"] for line in lines_of(rows["Rusty"]["path"]) if line.get("customType") == "codi/todo")
    assert todo["items"][0]["content"] == "Buy jars"


def test_pi_is_copied_byte_for_byte_and_grows(codi: Codi, person: Path):
    source = foreign.pi(person)
    (row,) = bring(codi, "pi")
    copy = Path(row["path"])
    assert copy.read_bytes() == source.read_bytes() and copy.name == source.name
    with source.open("a") as file:
        file.write(
            json.dumps(
                {
                    "type": "session_info",
                    "id": "00000002",
                    "parentId": "00000001",
                    "timestamp": "2026-03-09T10:00:01.000Z",
                    "name": "n",
                }
            )
            + "\n"
        )
    (row,) = bring(codi, "pi")
    assert (row["state"], row["added"]) == ("grown", 1) and copy.read_bytes() == source.read_bytes()


def test_without_arguments_it_is_listed_what_is_found(codi: Codi, person: Path):
    foreign.claude(person)
    foreign.pi(person)
    assert codi("import").rows == [["pi", "1", "1"], ["claude-code", "2", "2"]]
    bring(codi, "pi")
    assert codi("import").rows[0] == ["pi", "1", "0"]
    assert codi("import", "nobody").status == 2
    (codi.cwd / "x.txt").write_text("nothing")
    assert codi("import", "x.txt").status == 2


def test_a_folder_and_since(codi: Codi, person: Path):
    foreign.claude(person)
    assert bring(codi, str(person / ".claude"), "--since", "2999-01-01") == []
    assert len(bring(codi, str(person / ".claude"))) == 3


def test_an_imported_session_goes_on(codi: Codi, lab, person: Path):
    foreign.codex(person)
    (row, *_) = [row for row in bring(codi, "codex", "--resume") if "22222222" in row["session"]]
    server = lab([says("Going on.")])
    run = codi.json("go on", "--session", row["session"], "--cwd", str(codi.cwd))
    assert run.result["answer"] == "Going on.", run
    sent = json.dumps(server.requests[0].json["messages"])
    assert "Count the jars" in sent and "no jars" in sent


def test_a_damaged_source_is_counted_and_blocks_nothing(codi: Codi, person: Path):
    foreign.write_lines(
        person / ".claude/projects/x/bad.jsonl",
        "{{{",
        '{"type": "user"}',
        '{"type": "user", "sessionId": "s", "uuid": "u", "message": 7}',
    )
    path = person / ".local/share/opencode/opencode.db"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    assert codi("import", "claude-code").status == 0
    run = codi("import", "opencode")
    assert run.status == 1 and "cannot be read as a database" in run.err


def test_settings_of_others_are_shown_before_they_are_written(codi: Codi, person: Path):
    foreign.write_json(
        person / ".claude/settings.json", {"model": "claude-x", "permissions": {"allow": ["Bash"]}, "hooks": {}}
    )
    (person / ".codi_history").write_text("an old line\n")
    shown = codi("import", "config")
    assert ["claude-code", "model.default", "claude-x"] in [row[:3] for row in shown.rows]
    assert "nothing was written" in shown.err and not (codi.home / "config.toml").exists()
    before = digests(person)
    assert codi("import", "config", "--yes").status == 0
    assert codi("config", "get", "model.default").out.strip() == "claude-x"
    assert "Bash" not in (codi.home / "config.toml").read_text()
    assert "an old line" in (codi.home / "history").read_text() and digests(person) == before
