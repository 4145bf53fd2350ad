"""Files as other agents write them, made here by the forms that they are known to have."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import apsw

CWD = "/home/anna/larder"


def write_lines(path: Path, *lines: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def write_json(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def claude_lines() -> list[Any]:
    base = {
        "sessionId": "11111111-2222-4333-8444-555555555555",
        "cwd": CWD,
        "version": "2.0.1",
        "gitBranch": "main",
        "isSidechain": False,
    }
    usage = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 2}

    def line(uuid: str, parent: str | None, kind: str, content: Any, second: int, **more: Any) -> dict[str, Any]:
        said = {"role": kind, "content": content}
        if kind == "assistant":
            said |= {"id": "msg_1", "model": "claude-x", "usage": usage}
            more.setdefault("requestId", "req_1")
        return {
            **base, "type": kind, "uuid": uuid, "parentUuid": parent, "message": said,
            "timestamp": f"2026-03-01T10:00:{second:02}.000Z", **more,
        }  # fmt: skip

    return [
        {"type": "summary", "summary": "Filling the larder", "leafUuid": "a2"},
        line("u1", None, "user", "Fill the larder", 0),
        line("a1", "u1", "assistant", [{"type": "thinking", "thinking": "Hm.", "signature": "s"}], 1),
        line(
            "a2",
            "a1",
            "assistant",
            [{"type": "tool_use", "id": "t1", "name": "Read", "input": {"file_path": "a.py"}}],
            2,
        ),
        line(
            "r1", "a2", "user", [{"type": "tool_result", "tool_use_id": "t1", "content": "seven", "is_error": False}], 3
        ),
        line("a3", "r1", "assistant", [{"type": "text", "text": "Filled."}], 4, requestId="req_2"),
        line("m1", "a3", "user", "Caveat: meta", 5, isMeta=True),
        line("b1", "r1", "assistant", [{"type": "text", "text": "Another way."}], 6, requestId="req_3"),
        line("s1", None, "user", "A side task", 7, isSidechain=True),
        line("s2", "s1", "assistant", [{"type": "text", "text": "Side done."}], 8, isSidechain=True, requestId="req_4"),
        line("c1", "b1", "user", "All was filled.", 9, isCompactSummary=True),
        {
            "type": "progress",
            **base,
            "uuid": "p1",
            "parentUuid": "c1",
            "timestamp": "2026-03-01T10:00:10.000Z",
            "data": {"x": 1},
        },
        "no json {",
    ]


def claude(home: Path) -> Path:
    folder = home / ".claude/projects/-home-anna-larder"
    path = write_lines(folder / "11111111-2222-4333-8444-555555555555.jsonl", *claude_lines())
    write_lines(
        folder / "11111111-2222-4333-8444-555555555555/subagents/agent-7.jsonl",
        {
            "type": "user", "uuid": "x1", "parentUuid": None, "sessionId": "11111111-2222-4333-8444-555555555555",
            "isSidechain": True, "cwd": CWD, "timestamp": "2026-03-01T10:01:00.000Z",
            "message": {"role": "user", "content": "Sub task"},
        },
    )  # fmt: skip
    return path


def codex_lines() -> list[Any]:
    def line(second: int, kind: str, **payload: Any) -> dict[str, Any]:
        return {"timestamp": f"2026-03-02T10:00:{second:02}.000Z", "type": kind, "payload": payload}

    return [
        line(0, "session_meta", id="22222222-2222-4333-8444-555555555555", cwd=CWD, cli_version="0.61", model_provider="openai", git={}),
        line(0, "response_item", type="message", role="user", content=[{"type": "input_text", "text": "<environment_context>x"}]),
        line(1, "turn_context", cwd=CWD, model="gpt-x"),
        line(1, "response_item", type="message", role="user", content=[{"type": "input_text", "text": "Count the jars"}]),
        line(1, "event_msg", type="user_message", message="Count the jars"),
        line(2, "response_item", type="reasoning", summary=[{"type": "summary_text", "text": "Counting."}], encrypted_content="e"),
        line(3, "response_item", type="function_call", name="shell", arguments='{"command":["ls"]}', call_id="c1"),
        line(3, "event_msg", type="token_count", info={"last_token_usage": {"input_tokens": 100, "cached_input_tokens": 40, "output_tokens": 9}}),
        line(4, "event_msg", type="exec_command_end", call_id="c1", exit_code=1, aggregated_output="no jars"),
        line(4, "response_item", type="function_call_output", call_id="c1", output="no jars"),
        line(5, "response_item", type="custom_tool_call", name="apply_patch", input="*** Begin", call_id="c2"),
        line(5, "event_msg", type="patch_apply_end", call_id="c2", success=True, stdout="patched"),
        line(6, "event_msg", type="agent_message", message="None."),
        line(6, "response_item", type="message", role="assistant", content=[{"type": "output_text", "text": "None."}]),
        line(7, "strange", what=1),
    ]  # fmt: skip


def codex(home: Path) -> Path:
    folder = home / ".codex"
    write_lines(folder / "history.jsonl", {"session_id": "33333333-0000", "ts": 1770000000, "text": "An old prompt"})
    write_json(
        folder / "sessions/rollout-2025-01-01-44444444-2222-4333-8444-555555555555.json",
        {
            "session": {"id": "44444444-2222-4333-8444-555555555555", "timestamp": "2025-01-01T00:00:00Z"},
            "items": [
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Legacy"}]},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Old."}]},
            ],
        },
    )
    name = "rollout-2026-03-02T10-00-00-22222222-2222-4333-8444-555555555555.jsonl"
    return write_lines(folder / "sessions/2026/03/02" / name, *codex_lines())


def gemini(home: Path) -> Path:
    digest = sha256(CWD.encode()).hexdigest()
    reply = {
        "id": "g1", "timestamp": "2026-03-03T10:00:01Z", "type": "gemini", "content": "Two shelves.", "model": "gemini-x",
        "thoughts": [{"subject": "Looking", "description": "at shelves"}],
        "tokens": {"input": 50, "cached": 20, "output": 7, "thoughts": 3},
        "toolCalls": [{"id": "k1", "name": "list_directory", "args": {"path": "."}, "status": "success",
                       "result": [{"functionResponse": {"response": {"output": "a b"}}}]}],
    }  # fmt: skip
    folder = home / ".gemini/tmp" / digest / "chats"
    write_lines(
        folder / "session-2.jsonl",
        {"sessionId": "gem-2", "projectHash": digest, "startTime": "2026-03-03T11:00:00Z"},
        {"id": "u1", "type": "user", "content": [{"text": "First"}], "timestamp": "2026-03-03T11:00:00Z"},
        {"id": "u2", "type": "user", "content": "Regretted", "timestamp": "2026-03-03T11:00:01Z"},
        {"$rewindTo": "u2"},
        {"$set": {"summary": "Renamed"}},
        {"id": "u3", "type": "user", "content": "Kept", "timestamp": "2026-03-03T11:00:02Z"},
    )
    return write_json(
        folder / "session-1.json",
        {
            "sessionId": "gem-1", "projectHash": digest, "startTime": "2026-03-03T10:00:00Z",
            "messages": [{"id": "u1", "timestamp": "2026-03-03T10:00:00Z", "type": "user", "content": "Shelves?"}, reply,
                         {"id": "i1", "type": "info", "content": "note"}],
        },
    )  # fmt: skip


OPENCODE_PARTS = [
    {"type": "step-start"},
    {"type": "reasoning", "text": "Thinking."},
    {
        "type": "tool",
        "tool": "read",
        "callID": "o1",
        "state": {"status": "completed", "input": {"filePath": "a"}, "output": "A"},
    },
    {
        "type": "step-finish",
        "tokens": {"input": 5, "output": 2, "reasoning": 1, "cache": {"read": 4, "write": 0}},
        "cost": 0.25,
    },
    {"type": "text", "text": "It says A."},
    {"type": "step-finish", "tokens": {"input": 6, "output": 3, "cache": {}}, "cost": 0.5},
    {"type": "patch", "hash": "h", "files": ["a"]},
]


def opencode_database(home: Path) -> Path:
    path = home / ".local/share/opencode/opencode.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    database = apsw.Connection(str(path))
    database.execute(
        "CREATE TABLE session (id, project_id, parent_id, directory, title, version, time_created, time_updated);"
        "CREATE TABLE message (id, session_id, time_created, time_updated, data);"
        "CREATE TABLE part (id, message_id, session_id, time_created, time_updated, data);"
    )
    database.execute("INSERT INTO session VALUES ('ses_1', 'p', NULL, ?, 'Reading A', '1.1', 1772600000000, 0)", (CWD,))
    told = [
        ("msg_1", {"role": "user", "time": {"created": 1772600000000}}, [{"type": "text", "text": "Read a"}]),
        ("msg_2", {"role": "assistant", "time": {"created": 1772600001000}, "providerID": "anthropic", "modelID": "claude-x"}, OPENCODE_PARTS),
    ]  # fmt: skip
    for message, data, parts in told:
        database.execute(
            "INSERT INTO message VALUES (?, 'ses_1', ?, 0, ?)", (message, data["time"]["created"], json.dumps(data))
        )
        for number, part in enumerate(parts):
            database.execute(
                "INSERT INTO part VALUES (?, ?, 'ses_1', 0, 0, ?)",
                (f"prt_{message}_{number}", message, json.dumps(part)),
            )
    database.close()
    return path


def opencode_files(home: Path) -> Path:
    storage = home / ".local/share/opencode/storage"
    write_json(
        storage / "message/ses_2/msg_1.json", {"id": "msg_1", "role": "user", "time": {"created": 1772600000000}}
    )
    write_json(storage / "part/msg_1/prt_1.json", {"id": "prt_1", "type": "text", "text": "From files"})
    return write_json(
        storage / "session/p/ses_2.json",
        {"id": "ses_2", "projectID": "p", "directory": CWD, "title": "Files", "time": {"created": 1772600000000}},
    )


def aider(folder: Path) -> Path:
    return write_lines(
        folder / ".aider.chat.history.md",
        "", "# aider chat started at 2026-03-04 10:00:00", "", "> Main model: gpt-x with diff edit format", "", "#### Add a shelf", "#### please", "",
        "I add a shelf.", "", "```python", "SHELF = 1", "```", "", "> Applied edit to a.py", "",
        "# aider chat started at 2026-03-05 10:00:00", "", "#### Second chat", "", "Yes.",
    )  # fmt: skip


def nanocoder(home: Path) -> Path:
    return write_json(
        home / ".local/share/nanocoder/sessions/n1.json",
        {
            "id": "n1", "title": "Nano", "createdAt": "2026-03-06T10:00:00Z", "provider": "ollama", "model": "tiny", "workingDirectory": CWD,
            "messages": [
                {"role": "user", "content": "List"},
                {"role": "assistant", "content": "", "tool_calls": [{"id": "q1", "function": {"name": "list_directory", "arguments": {"path": "."}}}]},
                {"role": "tool", "content": "a b", "tool_call_id": "q1", "name": "list_directory"},
                {"role": "assistant", "content": "Two."},
            ],
        },
    )  # fmt: skip


def codi_ts(home: Path) -> Path:
    return write_json(
        home / ".codi/sessions/mine.json",
        {
            "name": "mine", "label": "Old codi", "projectPath": CWD, "provider": "anthropic", "model": "claude-x",
            "conversationSummary": "Earlier we spoke.", "createdAt": "2026-03-07T10:00:00Z", "openFilesState": {"files": []},
            "messages": [
                {"role": "user", "content": "Go on"},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "w1", "name": "read_file", "input": {"path": "a"}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "w1", "content": "A", "is_error": True}]},
                {"role": "assistant", "content": "Gone on."},
            ],
        },
    )  # fmt: skip


def codi_rust(home: Path) -> Path:
    path = home / ".codi/sessions.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    database = apsw.Connection(str(path))
    database.execute(
        "CREATE TABLE sessions (id TEXT, title TEXT, project_path TEXT, provider TEXT, model TEXT, parent_id TEXT, created_at TEXT, todos TEXT);"
        "CREATE TABLE session_messages (id INTEGER PRIMARY KEY, session_id TEXT, role TEXT, content TEXT, tool_calls TEXT, tool_call_id TEXT,"
        " created_at TEXT);"
    )
    todos = json.dumps([{"content": "Buy jars", "status": "completed"}])
    database.execute(
        "INSERT INTO sessions VALUES ('r1', 'Rusty', ?, 'anthropic', 'claude-x', NULL, '2026-03-08T10:00:00Z', ?)",
        (CWD, todos),
    )
    database.execute(
        "INSERT INTO sessions VALUES ('r2', 'Child', ?, 'anthropic', 'claude-x', 'r1', '2026-03-08T11:00:00Z', NULL)",
        (CWD,),
    )
    for session, role, content in (
        ("r1", "user", "Hello"),
        ("r1", "assistant", "Hi."),
        ("r2", "user", "From the parent"),
    ):
        database.execute(
            "INSERT INTO session_messages (session_id, role, content, created_at) VALUES (?, ?, ?, '2026-03-08T10:00:01Z')",
            (session, role, content),
        )
    database.close()
    return path


def pi(home: Path) -> Path:
    return write_lines(
        home / ".pi/agent/sessions/--home-anna-larder--/2026-03-09T10-00-00-000Z_55555555-2222-7333-8444-555555555555.jsonl",
        {"type": "session", "version": 3, "id": "55555555-2222-7333-8444-555555555555", "timestamp": "2026-03-09T10:00:00.000Z", "cwd": CWD},
        {"type": "message", "id": "00000001", "parentId": None, "timestamp": "2026-03-09T10:00:00.000Z",
         "message": {"role": "user", "content": "From pi", "timestamp": 0}, "unknown": {"kept": 1}},
    )  # fmt: skip


def cursor(home: Path) -> Path:
    return write_lines(
        home / ".cursor/projects/work-larder/agent-transcripts/k1.jsonl",
        {"role": "user", "message": {"content": [{"type": "text", "text": "Cursor asks"}]}},
        {
            "role": "assistant",
            "message": {"content": [{"type": "tool_use", "id": "z1", "name": "Read", "input": {"path": "a"}}]},
        },
        {"role": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": "z1", "content": "A"}]}},
        {"role": "assistant", "message": {"content": [{"type": "text", "text": "It is A."}]}},
    )
