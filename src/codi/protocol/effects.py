"""What a tool call is about to touch, said before it runs, and what is thought of it.

Effects are the one description from which the policy judges, the workspace grants,
calls are scheduled, and the frontend explains itself to the person. A tool names paths
as the model typed them; before anybody judges, the workspace makes them absolute and real.
"""

from typing import Literal

from msgspec import Struct


class Reads(Struct, frozen=True, tag="reads", tag_field="effect"):
    path: str


class Writes(Struct, frozen=True, tag="writes", tag_field="effect"):
    path: str
    kind: Literal["create", "modify", "delete", "move"] = "modify"


class Runs(Struct, frozen=True, tag="runs", tag_field="effect"):
    """`command` is a line for the shell, or the words of a program that runs without one."""

    command: str | tuple[str, ...]
    cwd: str = "."

    @property
    def line(self) -> str:
        if isinstance(self.command, str):
            return self.command
        from shlex import join  # only for those who print a list of words

        return join(self.command)


class Reaches(Struct, frozen=True, tag="reaches", tag_field="effect"):
    host: str
    port: int = 443
    purpose: str = ""


Effect = Reads | Writes | Runs | Reaches

By = Literal["person", "rule", "hook", "mode", "nobody"]
"""Who decided: a person, a rule, a hook, the mode's own table, or nobody because no one could be asked."""


class Allow(Struct, frozen=True, tag="allow", tag_field="verdict"):
    by: By = "mode"
    rule: str | None = None


class Ask(Struct, frozen=True, tag="ask", tag_field="verdict"):
    """`risk` is 0 (harmless) to 10 (destructive); from 8 on only a person may say yes, never a flag."""

    reasons: tuple[str, ...] = ()
    risk: int = 3


class Deny(Struct, frozen=True, tag="deny", tag_field="verdict"):
    reason: str = ""
    by: By = "mode"
    rule: str | None = None


Verdict = Allow | Ask | Deny
