"""What an approval is bound to: one value for all that is about to happen, so that a yes to one thing is no yes to another."""

from collections.abc import Iterable, Mapping
from hashlib import sha256

import msgspec

from codi.protocol.effects import Effect
from codi.protocol.messages import ToolCall

MISFIT = "approval does not fit the call"


def binding_of(
    call: ToolCall, effects: Iterable[Effect], cwd: str, environment: Mapping[str, str], sandbox_level: int
) -> str:
    """The digest of the call in its canonical form, where and with which variables it runs, what it is granted, and how far
    it is confined."""
    parts = ([call.name, call.arguments], cwd, environment, list(effects), sandbox_level)
    encoded = (msgspec.json.encode(part, order="deterministic") for part in parts)
    return sha256(b"|".join(encoded)).hexdigest()
