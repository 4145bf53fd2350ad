"""A model that says numbered words at a steady pace, and knows when it said each: what a screen's delay is measured against."""

import socket
import threading
import time
from io import BufferedReader

from msgspec.json import encode

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class Speaker:
    """Speaks Anthropic's format on loopback. Each answer is the next of `answers`: texts, said at once, or a number of words and
    how many a second."""

    def __init__(self, *answers: str | tuple[int, int]) -> None:
        self.said: dict[bytes, float] = {}
        """When each word went out."""
        self._answers = list(answers)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._converse, args=(line,), daemon=True).start()

    def _converse(self, line: socket.socket) -> None:
        with line, line.makefile("rb") as said:
            while (asked := self._request(said))[0]:
                try:
                    self._answer(line, *asked)
                except OSError:
                    return

    def _request(self, said: BufferedReader) -> tuple[str, bytes]:
        length, first = 0, ""
        while row := said.readline().strip():
            first = first or row.decode()
            name, _, value = row.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return first, said.read(length)

    def _answer(self, line: socket.socket, head: str, body: bytes) -> None:
        if not head.startswith("POST /v1/messages "):
            line.sendall(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
            return
        is_turn = b'"tools"' in body  # the other requests are for a title
        answer = self._answers.pop(0) if self._answers and is_turn else "Yes."
        usage = {"input_tokens": 1, "output_tokens": 1}
        start = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": usage}
        block = {"type": "text", "text": ""}
        line.sendall(_HEAD + _event(type="message_start", message=start))
        line.sendall(_event(type="content_block_start", index=0, content_block=block))
        if isinstance(answer, str):
            for at in range(0, len(answer), 4000):
                line.sendall(_delta(answer[at : at + 4000]))
        else:
            self._speak(line, *answer)
        line.sendall(
            _event(type="content_block_stop", index=0)
            + _event(type="message_delta", delta={"stop_reason": "end_turn"}, usage=usage)
            + _event(type="message_stop")
            + b"0\r\n\r\n"
        )

    def _speak(self, line: socket.socket, words: int, rate: int) -> None:
        began = time.perf_counter()
        for number in range(words):
            time.sleep(max(began + number / rate - time.perf_counter(), 0))
            word = f"w{number:05}"
            self.said[word.encode()] = time.perf_counter()
            line.sendall(_delta(word + (" " if number % 100 != 99 else "\n\n")))


def _delta(text: str) -> bytes:
    return _event(type="content_block_delta", index=0, delta={"type": "text_delta", "text": text})


def _event(**fields: object) -> bytes:
    data = b"event: %b\ndata: %b\n\n" % (str(fields["type"]).encode(), encode(fields))
    return b"%x\r\n%b\r\n" % (len(data), data)
