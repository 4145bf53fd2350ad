"""The gate before the end of a turn: what must pass is run, and what the answer claims is held against what was done."""

import re
from collections.abc import Sequence
from uuid import uuid4

from codi.agent.calls import Calls
from codi.agent.evidence.backing import Present, checked
from codi.agent.evidence.claim import Claim
from codi.agent.evidence.deeds import Deeds, deeds, outcome_of
from codi.agent.limits import AgentSettings
from codi.agent.record import Record
from codi.protocol.errors import CodiError
from codi.protocol.events import (
    ApprovalGiven,
    ClaimChecked,
    Entry,
    EvidenceGathered,
    MessageAdded,
    StatusDelta,
    TurnStarted,
)
from codi.protocol.messages import ToolCall, ToolResult
from codi.workspace import git
from codi.workspace.digest import Tree

MUST_PASS = "`{}` must pass before the task is done. It failed:\n\n{}\n\nMend the cause, then say again what you did."
MISSING = (
    "Your answer claims what nothing backs:\n{}\n\n{}Run now what shows it, or say plainly what was not run, failed or was not "
    "done. Then give your whole answer again; a claim may cite its run by a last line `Evidence: ID`."
)
MAY_CLAIM = re.compile(
    r"pass|green|succe|clean|\bok(?:ay)?\b|fine|buil[dt]|compil|lint|type|happy|error|warning|problem|issue|fail|broke|broken|fix"
    r"|creat|wrot|writt|generat|scaffold|delet|remov|eras|add|updat|modif|chang|edit|refactor|patch|adjust|exten|replac|tweak"
    r"|correct|simplif|improv|rework|bump|rename|moved|implement|resolv|repair|introduc|extract|convert|migrat|made|new file"
    r"|commit|exit|finish|ended|complete|return|evidence|\bran\b|\brun|execut|works?\b|✅|✔|✓|→",
    re.IGNORECASE,
)
"""Without one of these words there is no claim in an answer."""

_MOST_OUTPUT = 10_000
_MOST_ANSWER = 50_000


class NotVerified(CodiError):
    """What must pass does not."""

    code = "verify"


class Unbacked(CodiError):
    """The answer claims what nothing backs."""

    code = "unbacked"
    exit_status = 4


class Gate:
    """`verify` are commands that must pass before a turn that changed files ends. With `required`, `unbacked` is what is
    wrong with the last answer; `tree` is the digest of the workspace when it was last looked at in this turn."""

    def __init__(
        self,
        calls: Calls,
        record: Record,
        settings: AgentSettings,
        verify: Sequence[str] = (),
        *,
        required: bool = False,
    ) -> None:
        self.unbacked: Unbacked | None = None
        self.tree: str | None = None
        self._calls = calls
        self._record = record
        self._settings = settings
        self._verify = verify
        self._required = required
        self._verified = ""
        self._failures = self._asked = 0

    async def begin(self) -> None:
        """A turn begins."""
        self.unbacked = self.tree = None
        self._failures = self._asked = 0
        if self._verify:
            self._verified = (await self._calls.witness.tree()).digest

    async def objection(self, answer: str) -> str | None:
        """What is to be said to the model so that it goes on; None where the turn may end with this answer. Raises
        NotVerified when it was said often enough."""
        return await self._verification() or await self._check(answer[-_MOST_ANSWER:])

    async def _verification(self) -> str | None:
        if not self._verify or not await self._is_changed():
            return None
        if all(spec.name != "shell" for spec in self._calls.toolbox.specs):
            self._record.tell(StatusDelta(kind="warning", text="nothing can be verified without the tool shell"))
            return None
        for command in self._verify:
            result = await self._run(command)
            if result is None:
                return None
            if result.is_error:
                return self._failed(command, result)
        self._verified = (await self._calls.witness.tree()).digest
        return None

    async def _is_changed(self) -> bool:
        """Whether files were changed since the turn began or since all was verified."""
        if (await self._calls.witness.tree()).digest != self._verified:
            return True
        return not self._failures and bool(deeds(self._entries_of_turn()).changes)

    def _entries_of_turn(self) -> list[Entry]:
        path = self._record.session.path()
        began = next((at for at in range(len(path) - 1, -1, -1) if isinstance(path[at].fact, TurnStarted)), 0)
        return path[began:]

    async def _run(self, command: str) -> ToolResult | None:
        """Run a command as a call that is judged and kept like every other. None where it was not allowed."""
        call = ToolCall(f"verify_{uuid4().hex[:8]}", "shell", {"command": command, "cwd": "."})
        await self._calls.run([call])
        result = None
        for entry in self._entries_of_turn():
            match entry.fact:
                case ApprovalGiven(tool_call_id=id, decision="deny" | "abort") if id == call.id:
                    self._record.tell(
                        StatusDelta(kind="warning", text=f"not verified: `{command}` was not allowed to run")
                    )
                    return None
                case MessageAdded(message):
                    result = next((each for each in message.tool_results if each.call_id == call.id), result)
        return result

    def _failed(self, command: str, result: ToolResult) -> str:
        self._failures += 1
        if self._failures > self._settings.evidence_retries:
            raise NotVerified(
                f"`{command}` must pass and still fails",
                hint="Look at its output, then go on with `codi -c`, or change what --verify or `verify` asks for.",
            )
        return MUST_PASS.format(command, result.text[-_MOST_OUTPUT:])

    async def _check(self, answer: str) -> str | None:
        entries = self._record.session.entries
        is_wanted = self._required or self._settings.evidence != "off"
        claims = _claims_in(answer) if is_wanted else []
        if not claims and not any(isinstance(entry.fact, EvidenceGathered) for entry in entries):
            self.unbacked = None
            return None
        tree = await self._calls.witness.tree()
        self.tree = tree.digest
        done = deeds(entries)
        present = await self._present(tree, done, commits=any(claim.about in ("commit", "change") for claim in claims))
        verdicts = checked(claims, done, present)
        wanting = [verdict for verdict in verdicts if verdict.state != "backed"]
        asks = self._required or self._settings.evidence == "prompt"
        if wanting and asks and self._asked < self._settings.evidence_retries:
            self._asked += 1
            return MISSING.format("\n".join(map(_said, wanting)), _known(done, tree))
        for verdict in verdicts:
            self._record.keep(verdict)
        self.unbacked = _unbacked(wanting) if wanting and self._required else None
        return None

    async def _present(self, tree: Tree, done: Deeds, *, commits: bool) -> Present:
        root = self._calls.workspace.root
        made = await git.commits_since(root, done.began) if commits else ()
        state = await git.state(root) if made else None
        return Present(self._calls.workspace, tree, made, state.dirty if state else None)


def _claims_in(answer: str) -> Sequence[Claim]:
    if not MAY_CLAIM.search(answer):
        return ()
    from codi.agent.evidence.claims import (
        claims_in,  # its patterns take 20 ms, which an answer that claims nothing saves
    )

    return claims_in(answer)


def _unbacked(verdicts: Sequence[ClaimChecked]) -> Unbacked:
    number = f"{len(verdicts)} claims are" if len(verdicts) > 1 else "a claim is"
    return Unbacked(
        f"{number} not backed by evidence: {'; '.join(verdict.text for verdict in verdicts)}",
        hint="Look at `claims` in the result, or ask for the checks to be run; without --require-evidence they are only marked.",
    )


def _said(verdict: ClaimChecked) -> str:
    return f"- {verdict.text} [{verdict.state}{f': {verdict.why}' if verdict.why else ''}]"


def _known(done: Deeds, tree: Tree) -> str:
    if not done.evidence:
        return ""
    lines = (
        f"- {run.id}: `{run.command}` {outcome_of(run)}{'' if run.tree == tree.digest else ', before later changes'}"
        for run in done.evidence[-10:]
    )
    return "Runs so far:\n" + "\n".join(lines) + "\n\n"
