"""A directory that is to be looked through, and the facts of the files below it, read folder by folder."""

from collections.abc import Mapping

from codi.tools.lookup import kind_of
from codi.tools.tool import ToolFailed
from codi.workspace.workspace import FileFacts, Kind, Workspace

_ABSENT = FileFacts(kind="absent")


def kind_found(workspace: Workspace, path: str) -> Kind:
    """What is there. Raises ToolFailed when nothing is, a link that leads nowhere included."""
    kind = kind_of(workspace, path)
    if kind in ("absent", "link"):
        raise ToolFailed(f"Path not found: {workspace.resolve(path)}")
    return kind


def check_directory(workspace: Workspace, path: str) -> None:
    """Raises ToolFailed in words for a model where there is no directory."""
    if kind_found(workspace, path) != "directory":
        raise ToolFailed(f"Not a directory: {workspace.resolve(path)}")


def cannot_list(workspace: Workspace, path: str, error: OSError) -> ToolFailed:
    return ToolFailed(f"Cannot list {workspace.resolve(path)}: {error.strerror}")


def prefix_of(workspace: Workspace, path: str) -> str:
    """What results show before the relative path of a file below a directory."""
    shown = workspace.shown(path)
    return "" if shown == "." else shown.rstrip("/") + "/"


def readable(name: str) -> str:
    """A name as a line of a result: bytes that are no UTF-8 become U+FFFD, and a line break is spelled out."""
    return name.encode(errors="surrogateescape").decode(errors="replace").replace("\n", "\\n")


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
