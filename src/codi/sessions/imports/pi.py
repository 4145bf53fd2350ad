"""Sessions of pi, whose format is codi's own: copied as they are."""

import os
from collections.abc import Iterable
from glob import glob

from codi.sessions.imports.found import FoundSession, Surroundings
from codi.sessions.version3 import header_of


class Pi:
    agent = "pi"
    observed_version = "0.73"

    def sources(self, around: Surroundings) -> Iterable[str]:
        folder = around.folder("PI_CODING_AGENT_DIR", ".pi", "agent")
        return sorted(glob(os.path.join(folder, "sessions", "**", "*.jsonl"), recursive=True))

    def recognises(self, path: str, head: bytes) -> bool:
        return header_of(head.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0]) is not None

    def read(self, path: str, around: Surroundings) -> Iterable[FoundSession]:
        """Nothing: the file itself is taken."""
        return ()
