"""What became of a demo."""

from msgspec import Struct


class Check(Struct, frozen=True):
    name: str
    passed: bool
    detail: str


class Report(Struct, frozen=True, rename="camel", kw_only=True):
    """What became of a demo. `diff` is git's; `repository` is gone by now unless it was kept."""

    scenario: str
    passed: bool
    checks: tuple[Check, ...]
    requests: int
    session_id: str
    session_file: str
    repository: str
    diff: str
    seconds: float
