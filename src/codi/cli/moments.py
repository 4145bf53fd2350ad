"""Times as people say them, and as they read them."""

import re
import time

from codi.protocol.errors import UsageError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGO = re.compile(r"(\d{1,9})([smhdw])")


def moment(text: str) -> float:
    """Seconds since 1970 of a date or time (`2026-11-20`, `2026-11-20T08:30`; local unless it names a zone), or of so long
    ago (`90m`, `12h`, `7d`, `2w`). Raises UsageError."""
    if ago := _AGO.fullmatch(text):
        return time.time() - int(ago[1]) * _SECONDS[ago[2]]
    from datetime import datetime  # for those who name a day

    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{text!r} is no time",
            hint="Give a date (2026-11-20), a time (2026-11-20T08:30), or so long ago (12h, 7d).",
        ) from error


def age(seconds: float) -> str:
    """How long ago, in the largest unit that fits."""
    for unit in ("w", "d", "h", "m"):
        if seconds >= _SECONDS[unit]:
            return f"{seconds / _SECONDS[unit]:.0f}{unit}"
    return f"{max(0, seconds):.0f}s"
