"""Instruction files beyond those of the start: of folders into which a tool comes, and those that change meanwhile.

What the model was told already is read off the session's path, so it is told again exactly where that is no longer part of
the conversation: on another branch, or after a compaction.
"""

import os
from collections.abc import Iterable, Iterator, Sequence

from codi.agent.context import standing
from codi.agent.context_files import ContextFile, ContextFiles, Ground, context_files, files_of_folder, folders_between
from codi.protocol.effects import Effect, Reads, Runs, Writes
from codi.protocol.events import ContextAdded, Entry
from codi.protocol.messages import user

KIND = "codi/context-file"
CHANGED = "This file has changed; it now says:\n"


class Nearby:
    """`start` are the files that the system prompt holds. `notices` are for the person, who takes them away."""

    def __init__(self, ground: Ground, start: ContextFiles) -> None:
        self.notices: list[str] = []
        self._ground = ground
        self._start = start

    def touched(self, effects: Iterable[Effect], path: Sequence[Entry]) -> Iterator[ContextAdded]:
        """The files of folders in the project that these effects, on real paths, are the first to touch."""
        for folder in self._folders(effects):
            told = self._told(path)
            given = [*self._start.files, *(file for file in told.values() if file not in self._start.files)]
            found = files_of_folder(folder, self._ground, given)
            self.notices += found.notices
            for file in found.files:
                yield _fact(file, file.tagged)

    def changed(self, path: Sequence[Entry]) -> Iterator[ContextAdded]:
        """The files of the start that say something else now."""
        told = {**{file.path: file.tagged for file in self._start.files}, **_said(path)}
        for file in context_files(self._ground).files:
            if told.get(file.path) not in (file.tagged, CHANGED + file.tagged):
                yield _fact(file, (CHANGED if file.path in told else "") + file.tagged)

    def _folders(self, effects: Iterable[Effect]) -> list[str]:
        folders: dict[str, None] = {}
        known = {*folders_between(self._ground.root, self._ground.cwd), self._ground.home}
        for effect in effects:
            match effect:
                case Reads(place) | Writes(place) | Runs(cwd=place):
                    folder = place if os.path.isdir(place) else os.path.dirname(place)
                    folders.update(dict.fromkeys(folders_between(self._ground.root, folder)))
        return [folder for folder in folders if folder not in known]

    def _told(self, path: Sequence[Entry]) -> dict[str, ContextFile]:
        return {name: ContextFile(name, text) for name, text in _said(path).items()}


def _said(path: Sequence[Entry]) -> dict[str, str]:
    """What the conversation last said of each file."""
    return {
        str(entry.fact.details.get("path")): entry.fact.message.text
        for entry in standing(path)
        if isinstance(entry.fact, ContextAdded) and entry.fact.kind == KIND and isinstance(entry.fact.details, dict)
    }


def _fact(file: ContextFile, text: str) -> ContextAdded:
    return ContextAdded(kind=KIND, message=user(text), display=False, details={"path": file.path})
