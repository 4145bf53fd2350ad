"""The texts that Claude Code's `/export` writes: `YYYY-MM-DD-*.txt`. A text says neither times nor ids, so it is linked to the
session that it shows by day, directory and first prompt."""

import os
import re
from collections.abc import Iterable, Iterator
from glob import glob

from codi.protocol.messages import Text, ToolCall
from codi.sessions.imports.claude_code import ClaudeCode
from codi.sessions.imports.found import FoundSession, Surroundings, seconds

_NAME = re.compile(r"\d{4}-\d{2}-\d{2}-.*\.txt")
_PROMPT = re.compile(r"^[>❯] (.*)")
_SAID = re.compile(r"^[⏺●] ?(.*)")
_RESULT = re.compile(r"^\s{1,4}⎿\s?(.*)")
_CALL = re.compile(r"^([A-Z]\w*|mcp__\w+)\((.*)\)\s*$", re.DOTALL)


class ClaudeExport:
    agent = "claude-export"
    observed_version = "2.0"

    def sources(self, around: Surroundings) -> Iterable[str]:
        for path in sorted(glob(os.path.join(glob_safe(around.cwd), "*.txt"))):
            if _NAME.fullmatch(os.path.basename(path)) and self._is_export(path):
                yield path

    def recognises(self, path: str, head: bytes) -> bool:
        return _NAME.fullmatch(os.path.basename(path)) is not None and self._is_export(path)

    def _is_export(self, path: str) -> bool:
        """An empty one is one that failed; else somebody asks and somebody answers."""
        try:
            if os.path.getsize(path) == 0:
                return True
            with open(path, encoding="utf-8", errors="replace") as file:
                lines = file.read(200_000).splitlines()
        except OSError:
            return False
        return any(map(_PROMPT.match, lines)) and any(map(_SAID.match, lines))

    def read(self, path: str, around: Surroundings) -> Iterable[FoundSession]:
        session = FoundSession(self.agent, os.path.basename(path), cwd=around.cwd)
        session.observed_version = self.observed_version
        with open(path, encoding="utf-8", errors="replace") as file:
            content = file.read()
        if not content.strip():
            session.lossy["an empty export: it was not written"] += 1
            return [session]
        session.created = seconds(os.path.basename(path)[:10])
        session.lossy["times"] += 1
        for kind, said in _parts(content):
            session.records += 1
            if kind == "prompt":
                session.add_person(said, session.created)
            elif kind == "result":
                call_id = next(reversed(session.tools), "")
                session.add_result(call_id, said, session.created)
            elif call := _CALL.match(said):
                call_id = f"call_{session.records}"
                session.add_reply(
                    [ToolCall(call_id, call[1], {"input": call[2]})], session.created, provider="anthropic"
                )
            else:
                session.add_reply([Text(said)], session.created, provider="anthropic")
        self._link(session, path, around)
        return [session]

    def _link(self, session: FoundSession, path: str, around: Surroundings) -> None:
        """The session that it shows, if there is one alone; several are named, and none is guessed."""
        said, day = first_prompt(session), os.path.basename(path)[:10]
        candidates: list[str] = []
        reader = ClaudeCode()
        for source in reader.sources(around):
            try:
                found = next(iter(reader.read(source, around)))
            except OSError:
                continue
            same = first_prompt(found)
            if not said or not same or not (same.startswith(said[:60]) or said.startswith(same[:60])):
                continue
            if (
                found.cwd == session.cwd
                and seconds(day) <= found.modified + 86_400
                and found.created <= seconds(day) + 2 * 86_400
            ):
                candidates.append(found.key)
        if len(candidates) == 1:
            session.parent = candidates[0]
        elif candidates:
            session.lossy[f"candidates: {', '.join(candidates)}"] += 1


def first_prompt(session: FoundSession) -> str:
    """The first words that the person said."""
    for entry in session.entries:
        message = getattr(entry.fact, "message", None)
        if message is not None and message.role == "user" and message.text.strip():
            return " ".join(message.text.split())
    return ""


def _parts(content: str) -> Iterator[tuple[str, str]]:
    kind, lines = "", list[str]()
    for line in content.splitlines():
        begun = None
        for name, pattern in (("prompt", _PROMPT), ("said", _SAID), ("result", _RESULT)):
            if found := pattern.match(line):
                begun = (name, found[1])
                break
        if begun is None:
            lines.append(line[2:] if line.startswith("  ") else line)
            continue
        if kind and (said := "\n".join(lines).strip()):
            yield kind, said
        kind, lines = begun[0], [begun[1]]
    if kind and (said := "\n".join(lines).strip()):
        yield kind, said


def glob_safe(folder: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", folder)
