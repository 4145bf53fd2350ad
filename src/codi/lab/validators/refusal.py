"""How a validator says no."""


class Refusal(Exception):
    """What the service answers in place of a reply. `kind` is its word for the error, where it is not the usual one."""

    def __init__(self, message: str, *, status: int = 400, kind: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
