"""When garbage is looked for: not while codi is being loaded, for what a start loads is thousands of objects and none of it is
garbage."""

import gc


def begin_to_collect() -> None:
    """From here on, but not among what is loaded by now, which stays until the end, and not with every few hundred objects."""
    gc.freeze()
    gc.set_threshold(20_000)
    gc.enable()
