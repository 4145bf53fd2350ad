"""What a command did on an overlay, before any of it is true, and who decides whether it becomes so."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct

Kind = Literal["created", "changed", "deleted"]
State = tuple[int, ...] | None


class Change(Struct, frozen=True):
    """One path that would change; `new` is where its new state lies, nowhere for what is deleted. `is_folder` is of the one that
    comes, or goes; `before` is what is there now."""

    path: str
    kind: Kind
    new: str | None
    is_folder: bool
    before: State


class Trial(Struct, frozen=True, kw_only=True):
    """`changes` come in the order in which they would be made. `contacted` are hosts with what came of it; None where nobody could
    see that. `exit_code` is None after a signal."""

    changes: tuple[Change, ...]
    contacted: tuple[str, ...] | None
    exit_code: int | None


class Conflict(Exception):
    """Somebody else changed the same meanwhile. The text names what."""


class Overlaid(Protocol):
    """The overlay that a command runs on."""

    mounts: Mapping[str, str]
    """The folders that it lies over, and where their changes are."""

    def changes(self) -> tuple[list[Change], list[str]]:
        """What would change, folders before what lies in them; and the paths of which nothing may."""
        ...

    def commit(self, changes: Sequence[Change]) -> None:
        """Make these true. Raises Conflict before anything is changed, and OSError for what cannot be written."""
        ...

    def drop(self) -> None:
        """Keep nothing of it."""
        ...


class Keeping(Protocol):
    """Who decides what becomes of a command's changes."""

    async def keeps(self, trial: Trial) -> bool:
        """Whether they are to become true."""
        ...

    def lost(self, why: str) -> None:
        """They were to, and could not."""
        ...
