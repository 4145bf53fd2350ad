"""What a pipeline said of a file, kept for a week, so that a run that was broken off goes on where it was."""

import os
import time
from hashlib import sha256

import msgspec

from codi.engine.pipeline_runs import Ran

_KEPT_S = 7 * 24 * 3600.0
_MOST = 1000


class PipelineCache:
    """Files in a folder, each named by the content that was looked at and the pipeline that did."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def key(self, *parts: str) -> str:
        return sha256("\0".join(parts).encode(errors="replace")).hexdigest()

    def get(self, key: str) -> Ran | None:
        path = os.path.join(self._folder, f"{key}.json")
        try:
            if time.time() - os.path.getmtime(path) > _KEPT_S:
                return None
            with open(path, "rb") as file:
                return msgspec.json.decode(file.read(), type=Ran)
        except (OSError, msgspec.DecodeError):
            return None

    def put(self, key: str, ran: Ran) -> None:
        """A cache that cannot be written costs a request the next time, and nothing else."""
        path = os.path.join(self._folder, f"{key}.json")
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            with open(os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(msgspec.json.encode(ran))
            os.replace(f"{path}.new", path)
            self._forget()
        except OSError:
            return

    def _forget(self) -> None:
        with os.scandir(self._folder) as entries:
            known = sorted((entry.stat().st_mtime, entry.path) for entry in entries)
        for at, (modified, path) in enumerate(known):
            if at < len(known) - _MOST or time.time() - modified > _KEPT_S:
                os.unlink(path)
