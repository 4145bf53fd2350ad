"""What undo covers: everything in the workspace but what is too big, and the folders whose content can be made again."""

from typing import Annotated

from msgspec import Meta, Struct

EXCLUDED = (
    "node_modules",
    ".venv",
    "venv",
    "target",
    "dist",
    "build",
    "__pycache__",
    ".tox",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
)
CACHES = frozenset({"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"})
"""Of these nobody misses anything: they may go with a folder that is taken back."""


class UndoSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[undo]"""

    enabled: Annotated[bool, Meta(description="keep what every action changed, so that it can be taken back")] = True
    quota_mb: Annotated[int, Meta(ge=1, description="most room for one workspace; the oldest steps go first")] = 500
    max_file_mb: Annotated[int, Meta(ge=0, description="larger files are not covered")] = 100
    exclude: Annotated[
        tuple[str, ...],
        Meta(description="folders that are not covered, unless git tracks something in them", extra={"project": "set"}),
    ] = EXCLUDED
    snapshot_days: Annotated[int, Meta(ge=1, description="how long snapshots are listed")] = 30
    snapshot_count: Annotated[int, Meta(ge=1, description="how many snapshots are listed")] = 200
