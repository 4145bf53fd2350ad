"""Where the sessions of a place are. Knows settings and files, and nothing of models, so that a list is there at once."""

import os

from codi.engine.places import Places
from codi.engine.settings import SessionSettings
from codi.protocol.conversation import SessionSummary
from codi.protocol.errors import SessionError
from codi.sessions import paths, resume


class Shelf:
    """A folder that was set is that of all sessions; else each working directory has its own in codi's home."""

    def __init__(self, places: Places, settings: SessionSettings) -> None:
        self._places = places
        self._directory = os.path.expanduser(settings.dir)
        self.database = os.path.join(places.home, "catalog.db") if settings.catalog else ":memory:"

    @property
    def folder(self) -> str:
        """Where new sessions of this working directory are kept."""
        return self.folder_for(self._places.cwd)

    @property
    def folders(self) -> list[str]:
        """Where the sessions of all projects are kept."""
        return [self._directory] if self._directory else paths.directories(self._places.home)

    def folder_for(self, cwd: str) -> str:
        """Where sessions that work in `cwd` are kept."""
        return self._directory or paths.directory_of(self._places.home, cwd)

    def sessions(self, *, everywhere: bool = False) -> list[SessionSummary]:
        """Newest first; those of this working directory, or all."""
        from codi.sessions.catalog import Catalog  # SQLite: not for a start that asks for no list

        return Catalog(self.database).sessions(self.folders, None if everywhere else self._places.cwd)

    def newest(self) -> str:
        """The file of the session of this working directory in which was last spoken. Raises SessionError where there is none."""
        summary = resume.newest(self.sessions(), self._places.cwd)
        if summary is None:
            raise SessionError(
                f"there is no session of {self._places.cwd} to continue", hint="Begin one: codi -p 'what to do'."
            )
        return summary.path

    def path_of(self, text: str) -> str:
        """The file of the session that a path, the beginning of an id, or a name means. Raises CodiError."""
        path = os.path.join(self._places.cwd, os.path.expanduser(text))
        if resume.is_path(text) and os.path.exists(path):
            return path
        return resume.path_of(text, self.sessions(everywhere=True), self._places.cwd)
