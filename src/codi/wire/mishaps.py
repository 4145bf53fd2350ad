"""How a request can fail on its way, whichever library carries it."""


class NotSent(Exception):
    """No answer began: what stands behind it is its cause."""


class NotConnected(NotSent):
    """No connection came about; `was_late` where the time for it ran out."""

    def __init__(self, text: str, *, was_late: bool = False) -> None:
        super().__init__(text)
        self.was_late = was_late


class ProxyRefused(NotSent):
    """The proxy did not lead on."""


class NoUrl(Exception):
    """An address that cannot be asked."""


class CutOff(Exception):
    """An answer that began and did not end."""


class Late(Exception):
    """Nothing more of an answer came in the time that there was for it."""


class NotUnpacked(Exception):
    """A compressed answer that does not unpack."""
