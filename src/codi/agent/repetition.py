"""Noticing that the model goes in circles: the same call with the same result, again and again.

A call whose result changes, such as looking at something that moves, is no circle.
"""

import json
from collections import Counter, deque
from hashlib import sha256

from codi.protocol.messages import ToolCall, ToolResult

_WINDOW = 10
_NOTICE_AT = 5
_END_AT = 8
_FAILED_NOTICE_AT = 3
_FAILED_END_AT = 5


class Repetition:
    """One turn's memory of its calls. `ended` is the reason to stop once there is one."""

    def __init__(self) -> None:
        self._recent: deque[str] = deque(maxlen=_WINDOW)
        self._seen: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._told: set[str] = set()
        self.ended: str | None = None

    def remark(self, call: ToolCall, result: ToolResult, *, failed: bool) -> str | None:
        """What to add to this result, if anything."""
        of_call = json.dumps([call.name, call.arguments], sort_keys=True, default=str)
        if failed:
            self._failed[of_call] += 1
            if self._failed[of_call] >= _FAILED_END_AT:
                self.ended = f"the same call of {call.name} failed {_FAILED_END_AT} times"
            if self._failed[of_call] == _FAILED_NOTICE_AT:
                return f"This exact call failed {_FAILED_NOTICE_AT} times."
        fingerprint = sha256(f"{of_call}\n{' '.join(result.text.split())}".encode(errors="replace")).hexdigest()
        if self._recent and fingerprint not in self._recent:
            self._seen[fingerprint] = 0
        self._recent.append(fingerprint)
        self._seen[fingerprint] += 1
        if self._seen[fingerprint] >= _END_AT:
            self.ended = f"the same call of {call.name} gave the same result {_END_AT} times"
        repeated = self._recent.count(fingerprint) >= _NOTICE_AT or self._in_cycle()
        if repeated and fingerprint not in self._told:
            self._told.add(fingerprint)
            return f"You repeated {call.name} with the same result; change the approach or stop."
        return None

    def _in_cycle(self) -> bool:
        recent = list(self._recent)
        for length in (2, 3):
            tail = recent[-3 * length :]
            if len(tail) == 3 * length and tail[:length] * 3 == tail and len(set(tail)) > 1:
                return True
        return False
