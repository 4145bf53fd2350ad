"""What all validators look at alike: names, and the coarse shape of a request before its meaning."""

import re
from typing import Any

import msgspec

from codi.lab.validators.refusal import Refusal

_PLACE = re.compile(r" - at `(?:key in )?\$\.?(.*)`$")


def named(names: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(names.split())


def check_shape(body: dict[str, Any], shape: Any) -> None:
    """Refuse what does not even have the types that `shape` names, so that the rules need not look at every type again.

    A shape is a struct whose fields are optional: what must be there, and what else may be, is for the rules to say."""
    try:
        msgspec.convert(body, shape)
    except msgspec.ValidationError as error:
        said = str(error)
        place = _PLACE.search(said)
        raise Refusal(f"{place[1]}: {said[: place.start()]}" if place else said) from error
