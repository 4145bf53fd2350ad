"""What the tools see of a project before anything runs."""

from typing import Protocol


class Project(Protocol):
    """What can be seen of it without running anything of it."""

    def text(self, path: str) -> str | None: ...
    def names(self, path: str) -> list[str]: ...
    def is_program(self, path: str) -> bool: ...
    def changed(self, cwd: str) -> list[str]: ...
    def known(self, cwd: str) -> list[str]: ...


class Unseen:
    """A project of which nothing can be seen, for those who only want to know the tools."""

    def text(self, path: str) -> str | None:
        return None

    def names(self, path: str) -> list[str]:
        return []

    def is_program(self, path: str) -> bool:
        return False

    def changed(self, cwd: str) -> list[str]:
        return []

    def known(self, cwd: str) -> list[str]:
        return []
