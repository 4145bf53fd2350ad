"""Looking for a regular expression in texts, as a program of its own that ends itself when one of them takes too long.

A pattern such as `(a+)+$` can keep Python's engine busy for years, and nothing within the same process can stop it. This file
imports nothing of codi. It reads the pattern and then text after text from standard input, and answers each with its matches:
where they begin and end, and their groups.
"""

import marshal
import re
import signal
import sys
from typing import Any

LIMIT_S = 2.0
"""A text may take so long. Then the alarm ends this process."""
MOST_MATCHES = 100_000

Found = list[tuple[int, int, tuple[str | None, ...]]]


def framed(value: Any) -> bytes:
    message = marshal.dumps(value)
    return len(message).to_bytes(4, "little") + message


def _serve() -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    pattern, flags = _received()
    expression = re.compile(pattern, flags)
    while (text := _received()) is not None:
        signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
        found: Found = []
        for match in expression.finditer(text):
            found.append((match.start(), match.end(), (match[0], *match.groups())))
            if len(found) == MOST_MATCHES:
                break
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.stdout.buffer.write(framed(found))
        sys.stdout.buffer.flush()


def _received() -> Any:
    """The next value, or None when there is none."""
    size = sys.stdin.buffer.read(4)
    return marshal.loads(sys.stdin.buffer.read(int.from_bytes(size, "little"))) if size else None


if __name__ == "__main__":
    _serve()
