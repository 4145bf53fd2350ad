"""What of an answer is proven: the claims that were checked, and the runs that back them, folded from events."""

from codi.protocol.events import ClaimChecked, Entry, Event, EvidenceGathered, FilesChanged, TurnEnded, TurnStarted

_MARKS = {"stale": "[stale evidence]", "contradicted": "[contradicted]", "unbacked": "[no evidence]"}


class Proof:
    """`claims` are those of all turns, `newest` those of the turn that was heard last."""

    def __init__(self) -> None:
        self.evidence: list[EvidenceGathered] = []
        self.claims: list[ClaimChecked] = []
        self.newest: list[ClaimChecked] = []
        self._tree: str | None = None

    def hear(self, event: Event) -> None:
        match event:
            case Entry(fact=TurnStarted()):
                self.newest = []
            case Entry(fact=EvidenceGathered() as gathered):
                self.evidence.append(gathered)
                self._tree = gathered.tree
            case Entry(fact=ClaimChecked() as claim):
                self.claims.append(claim)
                self.newest.append(claim)
            case Entry(fact=FilesChanged()):
                self._tree = None
            case Entry(fact=TurnEnded(tree=str() as tree)):
                self._tree = tree

    def is_stale(self, evidence: EvidenceGathered) -> bool:
        """Whether files were changed since that run."""
        return evidence.tree != self._tree

    def run_of(self, claim: ClaimChecked) -> EvidenceGathered | None:
        return next((run for run in self.evidence if run.id == claim.evidence), None)

    def marks(self) -> list[str]:
        """A line for each claim of the newest answer that nothing backs."""
        return [f"{claim.text} {mark_of(claim)}" for claim in self.newest if claim.state != "backed"]


def mark_of(claim: ClaimChecked) -> str:
    """What is shown behind a claim; "" where it is backed."""
    return _MARKS.get(claim.state, "")
