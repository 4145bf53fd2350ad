"""The event loop under the program."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from threading import Thread
from typing import Any, TypeVar

import anyio

T = TypeVar("T")


def run(function: Callable[..., Awaitable[T]], *args: Any) -> T:
    """What `anyio.run` does, without ever waiting for the name of a host at the end."""
    return anyio.run(function, *args, backend_options={"loop_factory": _Loop})


class _Loop(asyncio.SelectorEventLoop):
    """Names are looked up in threads that need not come to an end: a resolver that hangs may take minutes, and cannot be stopped.
    Those of asyncio itself are waited for before a program may leave."""

    async def getaddrinfo(self, host: Any, port: Any, **how: int) -> Any:
        found = self.create_future()

        def tell(answer: Any, failure: Exception | None) -> None:
            if not found.done():
                found.set_exception(failure) if failure else found.set_result(answer)

        def look_up() -> None:
            answer: Any = None
            failure: Exception | None = None
            try:
                answer = socket.getaddrinfo(host, port, **how)
            except (OSError, ValueError, OverflowError) as error:
                failure = error
            with suppress(RuntimeError):  # nobody is there any more
                self.call_soon_threadsafe(tell, answer, failure)

        Thread(target=look_up, daemon=True).start()
        return await found
