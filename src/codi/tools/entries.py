"""Facts of the files below a directory, read folder by folder."""

from collections.abc import Mapping

from codi.workspace.workspace import FileFacts, Workspace

_ABSENT = FileFacts(kind="absent")


class Entries:
    """Of a link only its own folder is asked, so that one which leads out of the workspace needs no permission."""

    def __init__(self, workspace: Workspace, path: str) -> None:
        self._workspace = workspace
        self._path = path
        self._folders: dict[str, Mapping[str, FileFacts]] = {}

    def facts(self, path: str) -> FileFacts:
        """Of a path relative to the directory; absent when it went meanwhile."""
        folder, _, name = path.rpartition("/")
        if folder not in self._folders:
            self._folders[folder] = self._listed(folder)
        return self._folders[folder].get(name, _ABSENT)

    def _listed(self, folder: str) -> Mapping[str, FileFacts]:
        try:
            return dict(self._workspace.entries(f"{self._path}/{folder}" if folder else self._path))
        except OSError:
            return {}
