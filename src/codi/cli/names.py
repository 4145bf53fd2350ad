"""The names that can be completed in a conversation, made beside it and handed to the interface when they are there."""

import os
from collections.abc import Sequence
from itertools import islice

import anyio
from anyio import to_thread

from codi.engine.places import Places
from codi.engine.reception import Reception
from codi.workspace.ignoring import files_below

_MOST_FILES = 100_000


class KnownNames:
    """`of` says what is known of a kind by now; `learn` finds it out, and again whenever `refresh` was called."""

    def __init__(self, reception: Reception, places: Places) -> None:
        self._reception = reception
        self._places = places
        self._names: dict[str, Sequence[str]] = {}
        self._wanted = anyio.Event()

    def of(self, kind: str) -> Sequence[str]:
        return self._names.get(kind, ())

    def refresh(self) -> None:
        self._wanted.set()

    async def learn(self) -> None:
        """Until it is cancelled. Nothing before the engine is there: a prompt may be waiting for it."""
        await self._reception.arrived.wait()
        engine = await self._reception.loaded()
        while True:
            self._names["file"] = await to_thread.run_sync(self._files, abandon_on_cancel=True)
            self._names["session"] = await to_thread.run_sync(self._sessions, abandon_on_cancel=True)
            self._names["branch"] = await to_thread.run_sync(self._branches, abandon_on_cancel=True)
            if "model" not in self._names:
                self._names["model"] = [row.model for row in await engine.models.rows()]
            self._wanted = anyio.Event()
            await self._wanted.wait()

    def _sessions(self) -> list[str]:
        return [session.name or session.id[:8] for session in self._reception.shelf.sessions()]

    def _branches(self) -> list[str]:
        from codi.workspace.git import branches  # a git of codi's own needs much that no start does

        return branches(self._places.root)

    def _files(self) -> list[str]:
        """Those of the working directory that nothing ignores; none of a home, which is no project."""
        cwd = self._places.cwd
        if cwd in ("/", os.path.expanduser("~")):
            return []
        try:
            found = files_below(cwd, self._places.root, hidden=False, include_ignored=False, folders=True)
            return list(islice(found, _MOST_FILES))
        except OSError:
            return []
