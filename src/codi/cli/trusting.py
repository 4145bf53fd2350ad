"""Asking about a project before a conversation begins: what is not trusted, once for each content."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from codi.cli.printing import shown_path
from codi.cli.trust import states, told_in_full
from codi.engine.layers import load
from codi.engine.places import Places
from codi.engine.trust.store import is_open_to_all
from codi.engine.trust.trust import Trust
from codi.protocol.trusting import ProjectItem, TrustAsked


def ask_about(
    places: Places, flags: Mapping[str, Any], pairs: Sequence[str], ask: Callable[[TrustAsked], Sequence[int]]
) -> None:
    """Have the person asked, and keep what they say. In a folder that is nobody's project nobody is asked."""
    if is_open_to_all(places.root):
        return
    said = load(places, os.environ, flags, pairs).settings.trust
    trust = Trust(places, inherit=said.inherit)
    if not said.ask or not trust.pending:
        return
    refused = trust.store.refused(places.root)
    open_items = [each for each in states(trust) if each[1] != "trusted" and each[0].hash not in refused]
    if not open_items:
        return
    chosen = ask(
        TrustAsked(
            project=shown_path(places.root),
            items=tuple(
                ProjectItem(
                    id=item.id,
                    kind=item.kind,
                    place=item.place,
                    summary=item.summary,
                    told=told_in_full(item, state, old),
                    changed=state == "changed",
                )
                for item, state, old in open_items
            ),
        )
    )
    trusted = [item for at, (item, _, _) in enumerate(open_items) if at in chosen]
    left = [item for item, _, _ in open_items if item not in trusted]
    trust.store.accept(places.root, trusted, refused=left)
