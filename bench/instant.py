"""A model that answers at once: canned bytes in Anthropic's format, and the moments at which requests came and answers went."""

import json
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n"


class InstantModel:
    """Answers request N with the Nth reply, the last one again and again. `came` and `went` are seconds."""

    def __init__(self, replies: Sequence[bytes]) -> None:
        self.came: list[float] = []
        self.went: list[float] = []
        self.connections = 0
        self.on_request: Callable[[], None] = lambda: None
        """Called when a request has come whole, before it is answered."""
        self._replies = replies
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._heard, args=(peer,), daemon=True).start()

    def _heard(self, peer: socket.socket) -> None:
        with suppress(OSError):  # who asks may be killed
            self._talk(peer)

    def _talk(self, peer: socket.socket) -> None:
        rest = b""
        while True:
            piece = rest or peer.recv(1 << 20)
            if not piece:
                return
            came, rest = time.perf_counter(), piece
            while b"\r\n\r\n" not in rest:
                rest += peer.recv(1 << 20)
            head, _, rest = rest.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            while len(rest) < length:
                rest += peer.recv(1 << 20)
            rest = rest[length:]
            reply = self._replies[min(len(self.came), len(self._replies) - 1)]
            self.came.append(came)
            self.on_request()
            peer.sendall(_HEAD % len(reply) + reply)
            self.went.append(time.perf_counter())


def says(text: str) -> bytes:
    return _reply([{"type": "text", "text": ""}], [{"type": "text_delta", "text": text}], "end_turn")


def calls(number: int, name: str, arguments: dict[str, object]) -> bytes:
    block = {"type": "tool_use", "id": f"toolu_{number:08}", "name": name, "input": {}}
    return _reply([block], [{"type": "input_json_delta", "partial_json": json.dumps(arguments)}], "tool_use")


def _reply(blocks: list[dict[str, object]], deltas: list[dict[str, object]], stop: str) -> bytes:
    usage = {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": usage}
    events: list[dict[str, object]] = [{"type": "message_start", "message": message}]
    for index, (block, delta) in enumerate(zip(blocks, deltas)):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 20}})
    events.append({"type": "message_stop"})
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)
