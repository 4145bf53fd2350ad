"""A regular expression over many texts, in a process of its own that can be stopped."""

import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from marshal import loads
from subprocess import DEVNULL, PIPE

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from codi.tools import search_worker
from codi.tools.search_worker import LIMIT_S, Found
from codi.tools.substitution import Wanted
from codi.tools.text_files import Splice
from codi.tools.tool import ToolFailed


@asynccontextmanager
async def regex_search(what: Wanted) -> AsyncIterator["_RegexSearch"]:
    """Nothing of it lives on afterwards."""
    words = [sys.executable, "-I", "-S", "-W", "ignore", search_worker.__file__]
    process = await anyio.open_process(words, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
    async with process:
        try:
            yield await _RegexSearch.begun(process, what)
        finally:
            if process.returncode is None:
                process.kill()


class _RegexSearch:
    def __init__(self, process: Process, what: Wanted) -> None:
        assert process.stdin and process.stdout
        self._what = what
        self._to = process.stdin
        self._answers = BufferedByteReceiveStream(process.stdout)

    @classmethod
    async def begun(cls, process: Process, what: Wanted) -> "_RegexSearch":
        search = cls(process, what)
        await search._to.send(search_worker.framed((what.expression.pattern, int(what.expression.flags & ~re.UNICODE))))
        return search

    async def splices(self, text: str, shown: str) -> list[Splice]:
        try:
            await self._to.send(search_worker.framed(text))
            size = int.from_bytes(await self._answers.receive_exactly(4), "little")
            found: Found = loads(await self._answers.receive_exactly(size))
        except (anyio.IncompleteRead, anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise ToolFailed(
                f"The search took more than {LIMIT_S:.0f} s in {shown}. Nothing was written. Make the pattern simpler: "
                "avoid a repeat within a repeat, such as (a+)+."
            ) from error
        # After the newline that ends a text there is no further line, though Python's engine finds an empty one.
        past = len(text) if text.endswith("\n") else -1
        return [self._what.splice(start, end, groups) for start, end, groups in found if start != past]
