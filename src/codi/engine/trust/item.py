"""One thing that a project brings and that would be obeyed, told so that a person can judge it."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct


class Item(Struct, frozen=True, kw_only=True):
    """`id` names it within the project; trust is given to `hash` alone, which covers its place, its text, what the text means and
    the content of every script that it starts. `env` are names of variables, `scripts` paths with their SHA-256. `key` is
    where it stands in a configuration file."""

    id: str
    kind: str
    file: str
    line: int = 1
    command: str | None = None
    args: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    url: str | None = None
    sha256: str
    scripts: Mapping[str, str] = {}
    hash: str
    text: str = ""
    key: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def summary(self) -> str:
        """What it would do, in one line."""
        if self.command is not None:
            return " ".join((self.command, *self.args))
        return self.url or next((line.strip() for line in self.text.splitlines() if line.strip()), "")


def item_of(
    id: str,
    kind: str,
    file: str,
    content: bytes,
    *,
    meaning: Any = None,
    scripts: Mapping[str, str] = {},
    key: tuple[str, ...] = (),
    line: int = 1,
    **told: Any,
) -> Item:
    """The item of these bytes. `meaning` is what they were read as, so that they can be put to no other use."""
    from hashlib import sha256  # 3 ms, and most projects bring nothing

    configuration = sha256(
        content + b"\0" + msgspec.json.encode(meaning, order="deterministic", enc_hook=str)
    ).hexdigest()
    whole = sha256(msgspec.json.encode([id, kind, file, configuration, sorted(scripts.items())])).hexdigest()
    return Item(
        id=id,
        kind=kind,
        file=file,
        line=line,
        sha256=configuration,
        scripts=scripts,
        hash=whole,
        text=content.decode(errors="replace"),
        key=key,
        **told,
    )
