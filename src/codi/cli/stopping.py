"""What the signals mean: the first SIGINT interrupts the turn, a second within two seconds ends codi; SIGTERM and SIGHUP end
it in good order, with all kept and no process left."""

import signal
import sys
from types import FrameType

import anyio
from anyio.abc import TaskStatus

from codi.protocol.conversation import Conversation
from codi.protocol.ops import Interrupt

_TWICE_S = 2.0
_ENDING = (signal.SIGTERM, signal.SIGHUP)


class Stopping:
    """`conversation` is what an interrupt stops, once there is one. `signal` is the one that ended codi, `interrupted` whether
    the person stopped it."""

    def __init__(self) -> None:
        self.conversation: Conversation | None = None
        self.signal: int | None = None
        self.interrupted = False

    async def watch(
        self, everything: anyio.CancelScope, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        """Listen until cancelled; started once no signal can be missed any more."""
        last = -_TWICE_S
        with anyio.open_signal_receiver(*_heeded(signal.SIGINT, *_ENDING)) as signals:
            task_status.started()
            async for number in signals:
                self.interrupted = True
                now = anyio.current_time()
                if number != signal.SIGINT:
                    self.signal = self.signal or int(number)
                if self.conversation is None or now - last < _TWICE_S:
                    everything.cancel()
                else:
                    await self.conversation.send(Interrupt())
                last = now


async def cancel_when_ended(ended: "Ended", everything: anyio.CancelScope) -> None:
    """For a frontend that sees to SIGINT itself: SIGTERM and SIGHUP cancel everything."""
    with anyio.open_signal_receiver(*_heeded(*_ENDING)) as signals:
        async for number in signals:
            ended.signal = int(number)
            everything.cancel()


class Ended:
    """`signal` is the one that ended codi, or None."""

    signal: int | None = None


def leave_when_ended() -> None:
    """Before there is anything to keep: SIGTERM and SIGHUP end codi with their own status."""
    for number in _heeded(*_ENDING):
        signal.signal(number, _leave)


def _heeded(*numbers: signal.Signals) -> list[signal.Signals]:
    """Those that whoever started codi did not have ignored, as nohup does."""
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
