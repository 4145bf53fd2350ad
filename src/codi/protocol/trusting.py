"""What a frontend must know to ask whether a project is trusted, before a conversation can begin."""

from msgspec import Struct


class ProjectItem(Struct, frozen=True, kw_only=True):
    """One thing that would be obeyed. `told` is all of it, or what changed since it was trusted."""

    id: str
    kind: str
    place: str
    summary: str
    told: str
    changed: bool = False


class TrustAsked(Struct, frozen=True, kw_only=True):
    """The answer is the items, by their places in the list, that are trusted as they now are."""

    project: str
    items: tuple[ProjectItem, ...]
