"""What the signals mean: the first SIGINT interrupts the turn, a second within two seconds ends codi; SIGTERM and SIGHUP end
it in good order, with all kept and no process left."""

import signal

import anyio
from anyio.abc import TaskStatus

from codi.cli.leaving import ENDING, heeded
from codi.protocol.conversation import Conversation
from codi.protocol.ops import Interrupt

_TWICE_S = 2.0


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
        with anyio.open_signal_receiver(*heeded(signal.SIGINT, *ENDING)) as signals:
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
    with anyio.open_signal_receiver(*heeded(*ENDING)) as signals:
        async for number in signals:
            ended.signal = int(number)
            everything.cancel()


class Ended:
    """`signal` is the one that ended codi, or None."""

    signal: int | None = None
