"""What happened and what is happening.

An event is either an `Entry`, a fact that the session keeps for ever, or a delta, shown once and forgotten.
Facts are in the past tense. An entry is on disk before anybody hears of it, so what a frontend is told and
what the file keeps are the same object.
"""

from typing import Any, Literal

from msgspec import Raw, Struct

from codi.protocol.effects import By, Effect
from codi.protocol.messages import Image, Level, Message, ToolResult, Usage

Stop = Literal["stop", "length", "toolUse", "error", "aborted"]
Check = Literal["test", "build", "lint", "types"]
Occasion = Literal["manual", "threshold", "overflow"]
Reason = Literal["done", "error", "limit", "interrupted", "permission", "unbacked"]


class ReplyFacts(Struct, frozen=True, kw_only=True):
    """How a reply came to be. `raw_stop` is the service's own word for `stop`."""

    stop: Stop
    usage: Usage
    raw_stop: str | None = None
    response_id: str | None = None
    response_model: str | None = None
    error: str | None = None


class MessageAdded(Struct, frozen=True, tag="message"):
    """One side spoke. A result is a fact of its own: a user message with that one block. `reply` goes with assistant messages."""

    message: Message
    reply: ReplyFacts | None = None


class CommandShown(Struct, frozen=True, tag="command", kw_only=True):
    """The person ran a command; unless `excluded`, the model reads it with the next prompt."""

    command: str
    output: str
    exit_code: int | None = None
    cancelled: bool = False
    truncated: bool = False
    full_output_path: str | None = None
    excluded: bool = False


class ContextAdded(Struct, frozen=True, tag="context", kw_only=True):
    """A program put something into the conversation; the model reads it as the person's words."""

    kind: str
    message: Message
    display: bool = True
    details: Any = None


class ModelChosen(Struct, frozen=True, tag="model", rename="camel"):
    """From here on this model answers."""

    provider: str
    model_id: str


class ModelDescribed(
    Struct,
    frozen=True,
    tag="model_described",
    rename={"model_id": "modelId", "max_output": "maxOutput", "came_from": "from"},
    kw_only=True,
):
    """What was known of the model when it was chosen, and why it was. `prices` in USD per million tokens; None is unknown.
    `came_from` is the model that answered before, where this one stands in for it."""

    provider: str
    model_id: str
    api: str
    thinking: Level
    window: int
    max_output: int
    why: Literal["chosen", "fallback", "route"] = "chosen"
    prices: dict[str, float] | None = None
    came_from: str | None = None


class ThinkingChosen(Struct, frozen=True, tag="thinking_level"):
    level: Level


class ContextCompacted(Struct, frozen=True, tag="compaction", kw_only=True):
    """From here on the model sees `summary` in place of what came before `first_kept`."""

    summary: str
    first_kept: str
    tokens_before: int
    details: Any = None
    from_hook: bool | None = None


class BranchSummarised(Struct, frozen=True, tag="branch_summary", kw_only=True):
    """The conversation came back from another branch, of which the model is told this much."""

    from_id: str
    summary: str
    details: Any = None
    from_hook: bool | None = None


class Labelled(Struct, frozen=True, tag="label"):
    """An entry was given a label; None takes it away."""

    target: str
    label: str | None = None


class TitleGiven(Struct, frozen=True, tag="title", omit_defaults=True):
    """The newest name of the session counts; an empty one takes it away. `model` is who found it, where a model did."""

    name: str
    by: Literal["person", "model", "first-words"] = "person"
    model: str | None = None


class SessionOpened(Struct, frozen=True, tag="session", omit_defaults=True):
    """Codi opened the session, with this version of itself and this state of git."""

    codi: str
    schema: int = 1
    git: dict[str, Any] | None = None
    flags: tuple[str, ...] = ()


class TurnStarted(Struct, frozen=True, tag="turn_start"):
    turn: int


class TurnStats(Struct, frozen=True, rename="camel", kw_only=True):
    """Numbers of one turn; an unknown cost is None. `cache_hit` is the share of input that came from the cache."""

    steps: int = 0
    tool_calls: int = 0
    tool_errors: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    thinking_tokens: int = 0
    total_tokens: int = 0
    cost: float | None = None
    duration_ms: int = 0
    provider_ms: int = 0
    tool_ms: int = 0
    wait_ms: int = 0
    retries: int = 0
    model: str = ""
    cache_hit: float = 0.0


class TurnEnded(Struct, frozen=True, tag="turn_end", omit_defaults=True, kw_only=True):
    """A turn came to its end, whatever the end was. `message` is one line, `hint` what the person may do, `code` for programs.
    `tree` is the digest of the workspace at that point, where it was asked for."""

    turn: int
    reason: Reason
    message: str | None = None
    hint: str | None = None
    code: str | None = None
    stats: TurnStats = TurnStats()
    tree: str | None = None


class CallIntended(Struct, frozen=True, tag="intent", rename="camel"):
    """A call with effects is about to start. Without a result after it, nobody knows how far it came."""

    tool_call_id: str
    tool_name: str
    arguments: dict[str, Any]
    effects: tuple[Effect, ...]


class FileChange(Struct, frozen=True, omit_defaults=True, rename={"moved_from": "from"}):
    """`before` and `after` are content ids (sha256), absent where there was or is no file."""

    path: str
    kind: Literal["created", "modified", "deleted", "moved", "mode"]
    before: str | None = None
    after: str | None = None
    moved_from: str | None = None


class FilesChanged(Struct, frozen=True, tag="effect", rename="camel"):
    """What a call did to files; `truncated` is how many more there are than are named."""

    tool_call_id: str
    changes: tuple[FileChange, ...]
    truncated: int | None = None


class Skipped(Struct, frozen=True):
    """Something that a snapshot does not hold, and why."""

    path: str
    why: str


class SnapshotTaken(Struct, frozen=True, tag="snapshot", kw_only=True, omit_defaults=True):
    """The tree as it stands can be restored by this id. Equal trees have the same `tree`, whatever led to them."""

    id: str
    tree: str
    turn: int
    when: Literal["before", "after"]
    skipped: tuple[Skipped, ...] = ()


class ChangesUndone(Struct, frozen=True, tag="undo", rename="camel", kw_only=True, omit_defaults=True):
    """Changes were taken back, to before the steps `to` (the oldest of them); with `redo_of` they were put back instead.
    `conflicts` are paths that stayed, because others changed them too."""

    to: str
    paths: tuple[str, ...]
    tree: str = ""
    redo_of: str | None = None
    conflicts: tuple[str, ...] = ()


class ApprovalAsked(Struct, frozen=True, tag="approval_asked", rename="camel", kw_only=True, omit_defaults=True):
    """A call waits for an `Answer`. `offers` are rules that would allow its like; `suggested` is the one of them that the
    person is asked to take, for they allowed the same several times. `binding` stands for all that is about to happen. `to_come` is
    how many other calls of the step will be asked about after this one."""

    tool_call_id: str
    tool_name: str
    arguments: dict[str, Any]
    effects: tuple[Effect, ...]
    risk: int
    reasons: tuple[str, ...] = ()
    sandbox_level: int = 1
    undo_cover: str = ""
    preview: str | None = None
    offers: tuple[str, ...] = ()
    mapped_from: str | None = None
    suggested: str | None = None
    binding: str = ""
    to_come: int = 0


class ApprovalGiven(Struct, frozen=True, tag="approval_given", rename="camel", kw_only=True, omit_defaults=True):
    """A call was allowed, denied, or ended its turn; kept also where a rule or the mode denied without asking."""

    tool_call_id: str
    decision: Literal["allow", "deny", "abort"]
    by: By
    tool_name: str = ""
    effects: tuple[Effect, ...] = ()
    who: str | None = None
    rule_id: str | None = None
    remember: Literal["session", "project", "user"] | None = None
    changed: dict[str, Any] | None = None
    text: str | None = None


class QuestionAsked(Struct, frozen=True, tag="question", rename="camel", kw_only=True):
    """A model wants to know something of the person. `multiple`: several `options` may be chosen; `free_text`: an answer
    may be words of their own. The op `Reply` answers it by its id."""

    id: str
    question: str
    options: tuple[str, ...] = ()
    multiple: bool = False
    free_text: bool = True


class TodoItem(Struct, frozen=True, omit_defaults=True):
    content: str
    status: Literal["pending", "in_progress", "completed"]
    active_form: str | None = None


class TodoWritten(Struct, frozen=True, tag="todo"):
    """The newest list counts."""

    items: tuple[TodoItem, ...]


class PolicyChosen(Struct, frozen=True, tag="policy", rename="camel", omit_defaults=True):
    """The mode from here on, or a rule that the person added for this session."""

    mode: str
    rule_added: str | None = None
    by: By = "person"


class Retried(Struct, frozen=True, tag="retry", rename="camel", omit_defaults=True):
    """A request failed and was sent again."""

    attempt: int
    error: str
    delay_ms: int


class EvidenceGathered(Struct, frozen=True, tag="evidence", rename="camel", omit_defaults=True, kw_only=True):
    """A command that tests, builds or checks was run. It speaks for the workspace as it then was: `tree` is the digest after it.

    Numbers are None where they could not be read, `exit_code` where a signal or the timeout ended it. `outcome` is told where
    the exit status does not tell it; `partial` where only some of the tests were asked for."""

    id: str
    command: str
    cwd: str
    kind: Check
    tree: str
    duration_ms: int
    exit_code: int | None = None
    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None
    outcome: Literal["passed", "failed", "unclear"] | None = None
    partial: bool = False


class ClaimChecked(Struct, frozen=True, tag="claim", omit_defaults=True):
    """The model's final answer claimed something. `evidence` is the run by which it was judged, `why` what is wrong with it."""

    text: str
    state: Literal["backed", "stale", "contradicted", "unbacked"]
    evidence: str | None = None
    why: str | None = None


class Waiting(Struct, frozen=True, omit_defaults=True):
    """Something that was said and not yet taken up."""

    text: str
    images: tuple[Image, ...] = ()


class QueueKept(Struct, frozen=True, tag="queue", rename="camel"):
    """The conversation ended while this still waited; it is offered again when it goes on. The newest counts."""

    steering: tuple[Waiting, ...] = ()
    follow_up: tuple[Waiting, ...] = ()


class LeafMoved(Struct, frozen=True, tag="leaf", rename={"left": "from"}):
    """Work goes on from `to`; what came after it stays in the tree."""

    left: str | None
    to: str | None


class Segment(Struct, frozen=True):
    """A part of a request, in the order in which it is sent. `tokens` is an estimate."""

    name: str
    sha256: str
    tokens: int


class CacheMiss(Struct, frozen=True):
    """Why a request was not read from the service's cache as far as it could have been: the first segment that differs, what
    changed it, and how many tokens had to be read anew."""

    segment: str
    cause: str
    tokens: int


class RequestSent(Struct, frozen=True, tag="request", rename="camel", omit_defaults=True, kw_only=True):
    """A model was asked and has answered. What came before in the same words stands in one segment. `tokens` is the estimate
    before calibration. One whose `purpose` is no turn is answered by no message, so its `usage` is told here."""

    step: int
    segments: tuple[Segment, ...]
    tokens: int
    model: str = ""
    cache_read: int | None = None
    miss: CacheMiss | None = None
    purpose: Literal["turn", "title", "summary", "review"] = "turn"
    usage: Usage | None = None


class Pruned(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """What of an entry the model sees no more. `result_id` is where the whole text can be recalled; `keep` characters of its
    beginning and of its end stay."""

    entry_id: str
    result_id: str
    tokens: int
    summary: str
    keep: int = 0
    image: bool = False


class ResultsPruned(Struct, frozen=True, tag="prune"):
    """From here on the model sees stubs in place of these results; the entries themselves are what they were."""

    items: tuple[Pruned, ...]


class ResultsRestored(Struct, frozen=True, tag="restore", rename="camel"):
    """What was pruned of these entries is seen again."""

    entry_ids: tuple[str, ...]


class CompactionUndone(Struct, frozen=True, tag="uncompact", rename="camel", omit_defaults=True):
    """From here on the conversation is what it would be without that compaction."""

    compaction_id: str
    entry_ids: tuple[str, ...] = ()


class EntryPinned(Struct, frozen=True, tag="pin", rename="camel", omit_defaults=True):
    """An entry, or the file that `note` names where `entry_id` is empty, is held in the context, or no more. No more of `*`: the
    files so far are worked on no longer."""

    entry_id: str
    pinned: bool
    note: str | None = None


class SessionImported(Struct, frozen=True, tag="import", rename="camel", kw_only=True, omit_defaults=True):
    """The session was another agent's: what it is made of, and what had no counterpart here. `line` is how far its `source` was
    read, `observed_version` the version of the agent that its reader was made for."""

    agent: str
    source: str
    line: int = 0
    sha256: str = ""
    observed_version: str = ""
    lossy: tuple[str, ...] = ()


class RecordKept(Struct, frozen=True, tag="raw", kw_only=True):
    """A record of another agent that has no counterpart here; `kind` is that agent's word for it."""

    agent: str
    kind: str
    value: Any = None


class Noted(Struct, frozen=True, tag="note"):
    """Room for plugins; never read by the loop."""

    plugin: str
    data: Any = None


class Unknown(Struct, frozen=True, tag="unknown"):
    """A line that this version does not understand. It is kept as it is, stays in the tree, and is skipped."""

    line: Raw


Fact = (
    MessageAdded
    | CommandShown
    | ContextAdded
    | ModelChosen
    | ModelDescribed
    | ThinkingChosen
    | ContextCompacted
    | BranchSummarised
    | Labelled
    | TitleGiven
    | SessionOpened
    | TurnStarted
    | TurnEnded
    | CallIntended
    | FilesChanged
    | SnapshotTaken
    | ChangesUndone
    | ApprovalAsked
    | ApprovalGiven
    | QuestionAsked
    | TodoWritten
    | PolicyChosen
    | Retried
    | EvidenceGathered
    | ClaimChecked
    | QueueKept
    | LeafMoved
    | RequestSent
    | ResultsPruned
    | ResultsRestored
    | CompactionUndone
    | EntryPinned
    | SessionImported
    | RecordKept
    | Noted
    | Unknown
)


class Entry(Struct, frozen=True, tag="entry"):
    """One line of a session: a fact with its place in the tree. `at` is seconds since 1970, to the millisecond."""

    id: str
    parent: str | None
    at: float
    fact: Fact


class TextDelta(Struct, frozen=True, tag="text_delta"):
    """`index` is the block's place in the reply; the texts of an index concatenate exactly to its block."""

    text: str
    index: int = 0


class ThinkingDelta(Struct, frozen=True, tag="thinking_delta"):
    text: str
    index: int = 0


class ToolCallDelta(Struct, frozen=True, tag="tool_call_delta"):
    """A piece of a call's argument text. `id` and `name` stand in the first piece and may be empty in later ones."""

    index: int
    id: str = ""
    name: str = ""
    text: str = ""


class CallStartDelta(Struct, frozen=True, tag="call_start_delta"):
    """A call begins to run, resolved to its canonical name and arguments."""

    call_id: str
    tool: str
    arguments: dict[str, Any]


class CallEndDelta(Struct, frozen=True, tag="call_end_delta"):
    """A call ended; told in order of completion, before the results are kept in the order of the calls."""

    result: ToolResult


class ToolProgress(Struct, frozen=True, tag="tool_progress"):
    """New text of a running call."""

    call_id: str
    text: str


class StatusDelta(Struct, frozen=True, tag="status_delta", kw_only=True, omit_defaults=True):
    """Why it takes time. On `retry` frontends drop what they showed of the broken answer; `retry_end` tells how it went;
    a `warning` is something the person should know once. A `retry` of attempt 0 is a pause until a usage limit is over."""

    kind: Literal["waiting", "retry", "retry_end", "fallback", "warning"]
    text: str
    hint: str | None = None
    attempt: int = 0
    tries: int = 0
    wait_s: float = 0.0
    ok: bool = True


class QueueDelta(Struct, frozen=True, tag="queue_delta"):
    """All that waits now: `steering` to be said to the running turn, `follow_up` after it."""

    steering: tuple[Waiting, ...] = ()
    follow_up: tuple[Waiting, ...] = ()


class CommandDelta(Struct, frozen=True, tag="command_delta"):
    """A command of the person began; what it prints is told as the progress of this id, and its end by `CommandShown`."""

    command: str
    id: str


class BudgetDelta(Struct, frozen=True, tag="budget_delta", kw_only=True):
    """The limits of this run and what of them is used; None is no limit."""

    cost: float | None
    spent: float
    reserved: float
    steps: int
    time_s: float
    tokens: int | None
    tokens_used: int


class PathOutcome(Struct, frozen=True):
    """What becomes of a path when a step is taken back, and why it is not simply what it was."""

    path: str
    what: Literal["restore", "delete", "recreate", "mode", "merge", "keep", "conflict", "lost"]
    why: str = ""


class UndoDelta(Struct, frozen=True, tag="undo_delta", kw_only=True, omit_defaults=True):
    """What an undo, a redo, or bringing back a snapshot did, or (unless `done`) would do. `aside` are files beside those in
    conflict, which hold what they would have become; `taken` is the snapshot of what was there before. `resumed` says where the
    conversation goes on, where it was to be moved too."""

    outcomes: tuple[PathOutcome, ...] = ()
    steps: tuple[int, ...] = ()
    redo: bool = False
    done: bool = False
    aside: tuple[str, ...] = ()
    taken: str | None = None
    resumed: "Resumed | None" = None


class Resumed(Struct, frozen=True, kw_only=True):
    """Where a conversation goes on: on the entry `to`, None at its very beginning. `prompt` is what was said next, where that
    began a turn; `moved` says whether the conversation stood elsewhere."""

    to: str | None
    prompt: str | None = None
    moved: bool = True


class ChangedFileRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`before` and `after` are git's ids of the content; `added` and `removed` are lines, None for what is no text. `by` says whose
    doing it was in words, `at` when the last of it was done; `patch` is the change as a diff, where that was asked for."""

    path: str
    kind: str
    before: str | None
    after: str | None
    added: int | None
    removed: int | None
    owner: str
    steps: tuple[int, ...]
    by: str = ""
    at: float = 0.0
    patch: tuple[str, ...] = ()


class ChangesDelta(Struct, frozen=True, tag="changes_delta"):
    """What became of each file, and by whom."""

    files: tuple[ChangedFileRow, ...]


class RuleTriedDelta(Struct, frozen=True, tag="rule_tried_delta", omit_defaults=True):
    """What a rule would do: `problem` is why it cannot be kept, `matches` what else of this session it would have allowed.
    With `id` it is kept by now."""

    rule: str
    problem: str | None = None
    matches: tuple[str, ...] = ()
    id: str | None = None


class PolicyDelta(Struct, frozen=True, tag="policy_delta"):
    """What `ConsultPolicy` asked for, as a person reads it; `status` is the exit status of the command of that name."""

    text: str
    status: int = 0


class CompactionStartDelta(Struct, frozen=True, tag="compaction_start_delta"):
    """The earlier part of the conversation is about to be said shorter."""

    reason: Occasion


class CompactionEndDelta(Struct, frozen=True, tag="compaction_end_delta", kw_only=True, omit_defaults=True):
    """How that ended: `result` is what was kept, `error` why nothing was; `will_retry`: the request is sent again."""

    reason: Occasion
    result: ContextCompacted | None = None
    aborted: bool = False
    will_retry: bool = False
    error: str = ""


class Share(Struct, frozen=True, omit_defaults=True):
    """A part of the context with its tokens. `note` names the entry, the file or the server it is of."""

    name: str
    tokens: int
    note: str = ""


class ContextDelta(Struct, frozen=True, tag="context_delta", kw_only=True):
    """What the next request is made of: `shares` sum to `used`. `biggest` are the largest single items, `threshold` the tokens
    from which on room is made."""

    model: str
    window: int
    assumed: bool
    used: int
    reserve: int
    threshold: int
    shares: tuple[Share, ...]
    biggest: tuple[Share, ...] = ()
    pruned: int = 0
    pinned: tuple[str, ...] = ()
    compactions: int = 0
    cache: str = ""
    auto_compact: bool = True
    compress: bool = False

    @property
    def status(self) -> str:
        """HEALTHY, MODERATE, HIGH or CRITICAL."""
        percent = 100 * self.used / max(self.window, 1)
        return next((name for below, name in _STATES if percent < below), "CRITICAL")


_STATES = ((50, "HEALTHY"), (75, "MODERATE"), (90, "HIGH"))


class CompactionDelta(Struct, frozen=True, tag="compaction_delta", kw_only=True, omit_defaults=True):
    """What a compaction would do (`id` empty), or did: which entries stay as they are, which are said shorter, and how."""

    id: str = ""
    method: str = ""
    summary: str = ""
    kept: tuple[Share, ...] = ()
    dropped: tuple[Share, ...] = ()
    tokens_before: int = 0
    tokens_after: int = 0
    cost: float | None = None
    savings: int = 0


class AnswerDelta(Struct, frozen=True, tag="answer_delta", omit_defaults=True):
    """What became of an op, in words; not `ok`: nothing was done, and `hint` says what to do."""

    text: str
    ok: bool = True
    hint: str = ""


class SandboxDelta(Struct, frozen=True, tag="sandbox_delta", omit_defaults=True):
    """How far commands are confined from now on: 3 (files, secrets, network, processes), 2 (writes and network), 1 (nothing).
    `text` says it in words, and why it is not better."""

    mode: str
    level: int
    text: str
    hint: str = ""


class BlamedLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of a file and who wrote it: `owner` is None for what was there before codi first saw it, and the rest None where
    it is not known."""

    line: int
    text: str
    owner: str | None
    step: int | None = None
    at: float | None = None
    session: str | None = None
    turn: int | None = None
    prompt: str | None = None
    call: str | None = None
    tool: str | None = None
    what: str | None = None


class BlameDelta(Struct, frozen=True, tag="blame_delta"):
    path: str
    lines: tuple[BlamedLine, ...]


class ToldStep(Struct, frozen=True, kw_only=True):
    """A step: whose it is, and the files that it changed."""

    step: int
    session: str
    turn: int
    prompt: str
    call: str
    tool: str
    what: str
    at: float
    files: tuple[str, ...]


class BisectDelta(Struct, frozen=True, tag="bisect_delta", kw_only=True):
    """One judgement of a bisection, `said` of the tree after the last of `steps`; or, when it is `done`, the first bad step, and
    where some were skipped the few among which it is."""

    steps: tuple[ToldStep, ...]
    said: Literal["good", "bad", "skipped"] | None = None
    runs: int = 0
    done: bool = False


class SnapshotRow(Struct, frozen=True, kw_only=True):
    """A tree that can be brought back. `name` is a person's where it is `named`, else the prompt of the turn that began here."""

    id: str
    step: int
    at: float
    name: str
    named: bool
    session: str | None = None
    turn: int | None = None


class SnapshotsDelta(Struct, frozen=True, tag="snapshots_delta", kw_only=True):
    """The trees that can be brought back, oldest first; or the one that was `created`."""

    snapshots: tuple[SnapshotRow, ...]
    created: bool = False


class ComparisonDelta(Struct, frozen=True, tag="comparison_delta"):
    """What became different, as a unified diff."""

    lines: tuple[str, ...]


class NavigatedDelta(Struct, frozen=True, tag="navigated_delta", kw_only=True, omit_defaults=True):
    """The conversation goes on from the entry `to`, None for the very beginning; `moved` says whether it stood elsewhere. `prompt`
    and `images` were said there and are the person's again."""

    to: str | None
    prompt: str = ""
    images: tuple[Image, ...] = ()
    moved: bool = True


class ForkedDelta(Struct, frozen=True, tag="forked_delta", kw_only=True, omit_defaults=True):
    """A new session was made of a part of this one; `prompt` was said where it ends."""

    session: str
    path: str
    prompt: str = ""


class JobEndedDelta(Struct, frozen=True, tag="job_ended_delta"):
    """A command that ran on in the background has ended, whether or not somebody looked at it."""

    job: str


Delta = (
    TextDelta
    | ThinkingDelta
    | ToolCallDelta
    | CallStartDelta
    | CallEndDelta
    | ToolProgress
    | StatusDelta
    | QueueDelta
    | CommandDelta
    | BudgetDelta
    | UndoDelta
    | ChangesDelta
    | RuleTriedDelta
    | PolicyDelta
    | CompactionStartDelta
    | CompactionEndDelta
    | ContextDelta
    | CompactionDelta
    | AnswerDelta
    | SandboxDelta
    | BlameDelta
    | BisectDelta
    | SnapshotsDelta
    | ComparisonDelta
    | NavigatedDelta
    | ForkedDelta
    | JobEndedDelta
)
Event = Entry | Delta
