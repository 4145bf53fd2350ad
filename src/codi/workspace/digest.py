"""The state of a workspace as one word: two equal digests mean that nothing was changed in between."""

import os
from contextlib import suppress
from hashlib import sha256

from msgspec import Struct

from codi.workspace.workspace import Workspace

_BY_PRODUCTS = frozenset(
    {
        "__pycache__",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".hypothesis",
        ".tox",
        ".nox",
        ".coverage",
        ".eslintcache",
        ".gradle",
        "node_modules",
        "htmlcov",
    }
)
"""What tests and checkers leave behind even where no ignore file names it. Nobody works on it."""


class Tree(Struct, frozen=True):
    """`files` are those that are not ignored, relative to the root, sorted by folder; `newest_ns` is when the last one
    changed."""

    digest: str
    files: tuple[str, ...]
    newest_ns: int


def is_by_product(path: str) -> bool:
    return not _BY_PRODUCTS.isdisjoint(path.split("/")) or path.endswith((".pyc", ".tsbuildinfo"))


def workspace_digest(workspace: Workspace) -> Tree:
    """Look at every file that is not ignored, but into none: names, sizes, modes and times of change make the digest.

    Takes about 10 us a file; call it in a thread."""
    total, files, newest = sha256(), [], 0
    for file in workspace.walk("."):
        if is_by_product(file):
            continue
        with suppress(OSError):  # it went away since it was listed
            status = os.lstat(os.path.join(workspace.root, file))
            files.append(file)
            newest = max(newest, status.st_mtime_ns)
            facts = f"{file}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_mode}\n"
            total.update(facts.encode(errors="surrogateescape"))
    return Tree(total.hexdigest(), tuple(files), newest)
