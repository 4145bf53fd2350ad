"""One thing that an answer claims."""

from typing import Literal

from msgspec import Struct

from codi.protocol.events import Check

About = Literal["test", "build", "lint", "types", "any", "ran", "exit", "command", "change", "commit", "cited"]
"""What is claimed: that checks of a kind, or of any, went well; that something was run, how it exited, that a command of no
kind went well; that files were changed, a commit was made; that a run, named by its id, shows it."""

Change = Literal["created", "changed", "deleted"]


class Claim(Struct, frozen=True, kw_only=True):
    """`text` as it stands in the answer. Of runs: `every` test, or so many that `passed` and `failed`, of a `total`; `exactly`
    where these are the numbers of the whole run; `admits` where the sentence tells of failures too,
    `beside_failures` where the answer does; `command` and `names` of
    what was run or looked at. Of changes: `change` and `path`, "" for some change anywhere. Of commits: the id in `commit`."""

    text: str = ""
    about: About
    kind: Check | None = None
    every: bool = False
    passed: int | None = None
    failed: int | None = None
    total: int | None = None
    exactly: bool = False
    admits: bool = False
    beside_failures: bool = False
    command: str = ""
    names: tuple[str, ...] = ()
    exit_code: int | None = None
    path: str = ""
    change: Change = "changed"
    commit: str = ""


class Found(Struct, frozen=True):
    """Claims, and where in the words of a sentence they stand."""

    begin: int
    end: int
    claims: tuple[Claim, ...]
