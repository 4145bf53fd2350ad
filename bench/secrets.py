"""How fast texts are veiled on their way to a model, a session and a screen."""

import glob
import os
import time

from bench.measure import report
from codi.credentials.vault import Vault

_PIECE = 64 * 1024
_MEGABYTES = 8


def run() -> None:
    root = os.path.join(os.path.dirname(__file__), os.pardir)
    code = "".join(_text(path) for path in sorted(glob.glob(os.path.join(root, "src/**/*.py"), recursive=True)))
    locked = _text(os.path.join(root, "uv.lock"))
    output = "".join(
        f"2026-01-0{number % 9} INFO request {number} took {number % 977} ms\n" for number in range(50_000)
    )
    # A lock file is hardly anything but words that might be keys.
    for what, text in (("source code", code), ("a lock file", locked), ("a log", output)):
        text = (text * (1 + (_MEGABYTES << 20) // len(text)))[: _MEGABYTES << 20]
        report(f"veiling {what} as it streams, ms for a megabyte", _ms(text), "ms", 20)


def _ms(text: str) -> float:
    """Of CPU for a megabyte; the best of some, with a hundred known values."""
    best = float("inf")
    for _ in range(3):
        vault = Vault()
        for number in range(100):
            vault.know(f"KEY_{number}", f"{number:03d}{os.urandom(16).hex()}")
        stream = vault.stream()
        began = time.process_time()
        for at in range(0, len(text), _PIECE):
            stream.feed(text[at : at + _PIECE])
        stream.close()
        best = min(best, (time.process_time() - began) * 1000 * 1e6 / len(text.encode()))
    return best


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()
