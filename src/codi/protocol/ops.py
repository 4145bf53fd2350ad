"""What a frontend tells an agent, in the imperative."""

from typing import Any, Literal

from msgspec import Struct

from codi.protocol.effects import Allow, Deny
from codi.protocol.messages import Image, Level, ToolCall


class Prompt(Struct, frozen=True, tag="prompt"):
    """Begin a turn; while one runs, wait and begin when it would end."""

    text: str
    images: tuple[Image, ...] = ()


class Steer(Struct, frozen=True, tag="steer"):
    """Say something to a running turn: the model reads it after the results of the present step."""

    text: str
    images: tuple[Image, ...] = ()


Line = Literal["steering", "follow_up"]
"""What waits: to be said to the running turn, or after it."""


class Withdraw(Struct, frozen=True, tag="withdraw"):
    """Take back what waits in a line at the place `at`, from 0; None takes all of it."""

    line: Line
    at: int | None = None


class Revise(Struct, frozen=True, tag="revise"):
    """Say it in other words while it waits. With `to` it changes its place in its line."""

    line: Line
    at: int
    text: str | None = None
    to: int | None = None


class RunCommand(Struct, frozen=True, tag="run_command"):
    """Run a command line of the person's, through the policy and in the sandbox. What it printed is given to the model with the
    next prompt, unless it is `excluded`."""

    command: str
    excluded: bool = False


class Retry(Struct, frozen=True, tag="retry"):
    """Ask the last prompt again, on a new branch beside the first answer."""


class Answer(Struct, frozen=True, tag="answer"):
    """Answer an approval. `changed` replaces the arguments, which are judged anew; `rule` allows its like from now on, and
    is kept as long as `remember` says; `refused` says that the rule which was suggested is never to be offered again; with
    `abort` nothing more of this turn runs. Where `binding` is given, it must be the question's; `who` names the person."""

    call_id: str
    verdict: Allow | Deny
    abort: bool = False
    changed: dict[str, Any] | None = None
    rule: str | None = None
    remember: Literal["session", "project", "user"] = "session"
    refused: bool = False
    binding: str | None = None
    who: str | None = None


class TryRule(Struct, frozen=True, tag="try_rule"):
    """Tell what a rule would allow, were it given with the answer to the open question."""

    rule: str


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


class ChooseThinking(Struct, frozen=True, tag="choose_thinking"):
    """From the next request on, think for so long."""

    level: Level


class ChooseBudget(Struct, frozen=True, tag="choose_budget"):
    """Other limits of this run: US dollars, steps and seconds of a turn. None leaves one as it is; `off` lifts all that were set
    here. With nothing said the limits are only told."""

    cost: float | None = None
    steps: int | None = None
    time_s: float | None = None
    off: bool = False


Mode = Literal["default", "accept-edits", "plan", "read-only", "full-access"]


class ChoosePolicy(Struct, frozen=True, tag="choose_policy"):
    mode: Mode


class ChooseSandbox(Struct, frozen=True, tag="choose_sandbox"):
    """Confine commands as well as this machine can, only if it holds, or not at all. With nothing said it is only told."""

    mode: Literal["off", "auto", "require"] | None = None


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
    """Tell what became of each file since this session began, and by whom; with `patches`, what changed within. With a `path`, tell
    of each step that changed this file."""

    patches: bool = False
    path: str = ""


class ShowDiff(Struct, frozen=True, tag="show_diff"):
    """Tell what a `turn` of this session changed, or how the working tree differs from `ref` of git (its last commit, where none
    is said); of `path` alone, where one is."""

    turn: int | None = None
    ref: str = ""
    path: str = ""


class ConsultPolicy(Struct, frozen=True, tag="consult_policy"):
    """Look at the rules, or change them: the words of `codi policy`."""

    words: tuple[str, ...]


class Compact(Struct, frozen=True, tag="compact"):
    """Say the earlier part of the conversation shorter. `how` is who does: a model, codi by itself, or as it is set. With
    `preview` it is only told what would happen; `force` also compacts what is short."""

    instructions: str = ""
    how: Literal["auto", "llm", "mechanical"] = "auto"
    force: bool = False
    preview: bool = False


class Uncompact(Struct, frozen=True, tag="uncompact"):
    """Go on as if the last compaction were absent; with `entry` bring back that one dropped entry alone."""

    entry: str = ""


class ShowCompaction(Struct, frozen=True, tag="show_compaction"):
    """Tell what the last compaction kept and dropped."""


class SetCompaction(Struct, frozen=True, tag="set_compaction"):
    """Whether room is made by itself, and whether long values are shortened; None leaves it as it is."""

    auto: bool | None = None
    compress: bool | None = None


class ClearContext(Struct, frozen=True, tag="clear_context"):
    """Let the model forget what was said, but for what is held."""


class ShowContext(Struct, frozen=True, tag="show_context"):
    """Tell what fills the context."""


class Pin(Struct, frozen=True, tag="pin"):
    """Hold an entry (by its id) or a file (by its path) in the context, or let it go."""

    target: str
    pinned: bool = True


class ShowFiles(Struct, frozen=True, tag="show_files"):
    """Tell which files are pinned, and which were used lately."""


class ChooseWindow(Struct, frozen=True, tag="choose_window"):
    """Take the model's window to be so many tokens."""

    tokens: int


class Remember(Struct, frozen=True, tag="remember"):
    """Keep one fact for later sessions."""

    fact: str
    category: str = ""
    scope: Literal["user", "project"] = "project"


class Forget(Struct, frozen=True, tag="forget"):
    """Forget the memories of this id, or with this text; unless `sure` it is only told which they are."""

    pattern: str
    sure: bool = False


class ShowMemories(Struct, frozen=True, tag="show_memories"):
    """Tell what is remembered, or what of it has this text."""

    query: str = ""


class ProposeMemories(Struct, frozen=True, tag="propose_memories"):
    """Tell what of this conversation may be worth to be remembered, a line each; nothing is kept."""


class EditMemory(Struct, frozen=True, tag="edit_memory"):
    id: str
    fact: str


class SetProfile(Struct, frozen=True, tag="set_profile"):
    """Set a key of the person's profile, take it away (None), or tell the profile (no key)."""

    key: str = ""
    value: str | None = None


ContextOp = (
    Compact | Uncompact | ShowCompaction | SetCompaction | ClearContext | ShowContext | Pin | ShowFiles | ChooseWindow
)
MemoryOp = Remember | Forget | ShowMemories | ProposeMemories | EditMemory | SetProfile


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


class KeepPlan(Struct, frozen=True, tag="keep_plan"):
    """The person approves the plan that was made: keep it as a file, and let the mode before planning hold again."""


class ShowPlans(Struct, frozen=True, tag="show_plans"):
    """Tell of the plans that were kept, or of the one with this id, or delete it."""

    id: str = ""
    delete: bool = False


class SettleTodo(Struct, frozen=True, tag="settle_todo"):
    """The item of the list at this place, from 1, is done; without one nothing is to be done any more."""

    number: int | None = None


PlanOp = KeepPlan | ShowPlans | SettleTodo

Op = (
    Prompt
    | Steer
    | Withdraw
    | Revise
    | RunCommand
    | Retry
    | Answer
    | TryRule
    | Reply
    | Interrupt
    | UseTool
    | ChooseModel
    | ChooseThinking
    | ChooseBudget
    | ChoosePolicy
    | ChooseSandbox
    | ConsultPolicy
    | Undo
    | Redo
    | ShowChanges
    | ShowDiff
    | ContextOp
    | MemoryOp
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
    | PlanOp
)
