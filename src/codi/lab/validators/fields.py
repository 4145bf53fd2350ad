"""Sets of names, written the way the services' references list them."""


def named(names: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(names.split())
