"""What a frontend tells an agent, in the imperative."""

from typing import Any, Literal

from msgspec import Struct

from codi.protocol.effects import Allow, Deny
from codi.protocol.messages import Image, ToolCall


class Prompt(Struct, frozen=True, tag="prompt"):
    """Begin a turn; while one runs, wait and begin when it would end."""

    text: str
    images: tuple[Image, ...] = ()


class Steer(Struct, frozen=True, tag="steer"):
    """Say something to a running turn: the model reads it after the results of the present step."""

    text: str
    images: tuple[Image, ...] = ()


class Answer(Struct, frozen=True, tag="answer"):
    """Answer an approval. `changed` replaces the arguments, which are judged anew; `rule` is kept for the session
    and allows its like from now on; with `abort` nothing more of this turn runs."""

    call_id: str
    verdict: Allow | Deny
    abort: bool = False
    changed: dict[str, Any] | None = None
    rule: str | None = None


class Reply(Struct, frozen=True, tag="reply"):
    """Answer a model's question: `chosen` are places in its options, from 0. Nothing at all declines to answer."""

    question: str
    chosen: tuple[int, ...] = ()
    text: str = ""


class Interrupt(Struct, frozen=True, tag="interrupt"):
    """Stop the turn now; what was kept stays."""


class UseTool(Struct, frozen=True, tag="use_tool"):
    """Run one call through the same judgement as the model's, outside of any turn. Its result is told as an event."""

    call: ToolCall


class ChooseModel(Struct, frozen=True, tag="choose_model"):
    """From the next request on, ask this model: `[provider/]id[:thinking]`."""

    model: str


Mode = Literal["default", "accept-edits", "plan", "read-only", "full-access"]


class ChoosePolicy(Struct, frozen=True, tag="choose_policy"):
    mode: Mode


class Undo(Struct, frozen=True, tag="undo"):
    """Take back what this session changed: the last `steps`, what came after the step `to`, `all` of it, what was done to
    `paths`, or, when nothing is said, the last `turn` that changed files. With `conversation` the session goes on from where it
    stood then, which is refused while a turn runs; with `dry_run` it is only told what would happen."""

    steps: int | None = None
    to: int | None = None
    paths: tuple[str, ...] = ()
    dry_run: bool = False
    turn: bool = False
    all: bool = False
    conversation: bool = False


class Redo(Struct, frozen=True, tag="redo"):
    """Put back what the last `steps` undos took."""

    steps: int = 1
    dry_run: bool = False


class ShowChanges(Struct, frozen=True, tag="show_changes"):
    """Tell what became of each file since this session began, and by whom."""


class Blame(Struct, frozen=True, tag="blame"):
    """Tell who wrote the lines of a file; of all of it, or from line `first` to line `last`, counted from 1."""

    path: str
    first: int | None = None
    last: int | None = None


class Bisect(Struct, frozen=True, tag="bisect"):
    """Find the first step after which a line for the shell fails, of those after step `begin` up to step `end`. The command is
    judged as any other."""

    command: str
    begin: int | None = None
    end: int | None = None


class ShowSnapshots(Struct, frozen=True, tag="show_snapshots"):
    """Tell the trees that can be brought back."""


class CreateSnapshot(Struct, frozen=True, tag="create_snapshot"):
    """Give the tree as it is a name; the time, where none is said."""

    name: str = ""


class CompareSnapshots(Struct, frozen=True, tag="compare_snapshots"):
    """Tell what became different from the tree `a` to the newer `b`, or to what is there now."""

    a: str
    b: str | None = None


class RestoreSnapshot(Struct, frozen=True, tag="restore_snapshot"):
    """Bring a tree back, or `paths` of it. With `conversation` the session goes on from where it stood then, which is refused
    while a turn runs."""

    id: str
    paths: tuple[str, ...] = ()
    conversation: bool = False


class Navigate(Struct, frozen=True, tag="navigate"):
    """Go on from another entry of the tree, named by its id or a beginning of 4 characters or more; "" is the very beginning. What
    a person said there is told as a `NavigatedDelta`, to be said anew. With `summary` the model sums up the branch that is left,
    minding `instructions`. Refused while a turn runs."""

    entry: str
    summary: bool = False
    instructions: str = ""
    label: str = ""


class Rewind(Struct, frozen=True, tag="rewind"):
    """Bring back how it was at an entry: the conversation, the files, or both. Refused while a turn runs."""

    entry: str
    conversation: bool = True
    files: bool = True


class ForkAt(Struct, frozen=True, tag="fork_at"):
    """A new session that goes as far as an entry: up to what the person said there, which is told as a `ForkedDelta` with the new
    file. Without an entry all of the present path is copied. Refused while a turn runs."""

    entry: str = ""


class LabelEntry(Struct, frozen=True, tag="label_entry"):
    """Give an entry a label; an empty one takes it away."""

    entry: str
    label: str


class Rename(Struct, frozen=True, tag="rename"):
    """Give the session a name; an empty one takes it away."""

    name: str


Op = (
    Prompt
    | Steer
    | Answer
    | Reply
    | Interrupt
    | UseTool
    | ChooseModel
    | ChoosePolicy
    | Undo
    | Redo
    | ShowChanges
    | Blame
    | Bisect
    | ShowSnapshots
    | CreateSnapshot
    | CompareSnapshots
    | RestoreSnapshot
    | Navigate
    | Rewind
    | ForkAt
    | LabelEntry
    | Rename
)
