"""Bringing written files to the disk: one by one where they are few, the whole file system at once where they are many."""

import os
from collections.abc import Sequence

_MANY = 48


def sync_all(paths: Sequence[str], folder: str) -> None:
    """All of these files, which lie on the file system of `folder`, outlive a crash of the machine from now on."""
    if len(paths) > _MANY:
        sync_file_system(folder)
        return
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)


def sync_file_system(folder: str) -> None:
    import ctypes  # takes as long to load as a small scan, and is wanted for large ones alone

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syncfs(descriptor) != 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error), folder)
    finally:
        os.close(descriptor)
