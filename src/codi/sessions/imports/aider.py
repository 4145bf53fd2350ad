"""What aider keeps in a repository: `.aider.chat.history.md`. It tells times of chats, and none of messages."""

import os
import re
from collections.abc import Iterable

from codi.protocol.messages import Text
from codi.sessions.imports.found import FoundSession, Surroundings, seconds

_NAME = ".aider.chat.history.md"
_STARTED = re.compile(r"^# aider chat started at (.+)$")
_MODEL = re.compile(r"^> (?:Main model|Model|Models): (\S+)")


class Aider:
    agent = "aider"
    observed_version = "0.86"

    def sources(self, around: Surroundings) -> Iterable[str]:
        folders = dict.fromkeys((around.cwd, *around.known))
        return [path for folder in folders if os.path.isfile(path := os.path.join(folder, _NAME))]

    def recognises(self, path: str, head: bytes) -> bool:
        return os.path.basename(path) == _NAME or b"\n# aider chat started at " in b"\n" + head

    def read(self, path: str, around: Surroundings) -> Iterable[FoundSession]:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().split("\n")
        found: list[FoundSession] = []
        chat: _Chat | None = None
        for line in lines:
            if started := _STARTED.match(line):
                if chat:
                    found.append(chat.ended())
                chat = self._chat(path, started[1], len(found))
            elif chat:
                chat.line(line)
            elif line.strip():
                chat = self._chat(path, "", 0)
                chat.line(line)
        return [*found, *([chat.ended()] if chat else [])]

    def _chat(self, path: str, started: str, number: int) -> "_Chat":
        """One that begins. Of the end of a file that was cut nobody knows when it was."""
        key = f"{os.path.realpath(path)} {started} {number}"
        session = FoundSession(self.agent, key, cwd=os.path.dirname(os.path.abspath(path)))
        session.created = seconds(started.strip()) or os.path.getmtime(path)
        session.observed_version = self.observed_version
        session.lossy["times of messages"] += 1
        return _Chat(session)


class _Chat:
    def __init__(self, session: FoundSession) -> None:
        self._session = session
        self._kind = ""
        self._lines: list[str] = []
        self._model = ""

    def line(self, line: str) -> None:
        self._session.records += 1
        if model := _MODEL.match(line):
            self._model = model[1]
        if line.startswith("#### "):
            self._add("person", line[5:])
        elif line.startswith("> ") or line == ">":
            self._add("tool", line[2:])
        elif line.strip() or self._kind == "reply":
            self._add("reply", line)

    def _add(self, kind: str, line: str) -> None:
        if kind != self._kind:
            self._flush()
            self._kind = kind
        self._lines.append(line)

    def ended(self) -> FoundSession:
        self._flush()
        return self._session

    def _flush(self) -> None:
        said = "\n".join(line.rstrip() for line in self._lines).strip()
        self._lines = []
        if not said:
            return
        match self._kind:
            case "person":
                self._session.add_person(said, self._session.created)
            case "reply":
                provider, _, model = self._model.rpartition("/")
                self._session.add_reply([Text(said)], self._session.created, provider=provider, model=model)
            case "tool":
                self._session.add_raw("tool output", said, self._session.created)
