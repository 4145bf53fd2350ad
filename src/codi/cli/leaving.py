"""Which signals end codi, and what they do before there is anything to keep."""

import signal
import sys
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGHUP)


def leave_when_ended() -> None:
    """Before there is anything to keep: SIGTERM and SIGHUP end codi with their own status."""
    for number in heeded(*ENDING):
        signal.signal(number, _leave)


def heeded(*numbers: signal.Signals) -> list[signal.Signals]:
    """Those that whoever started codi did not have ignored, as nohup does."""
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
