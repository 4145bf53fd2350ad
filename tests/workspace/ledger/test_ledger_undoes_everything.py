"""Whatever commands and tools did to a tree, undo brings back what was there, byte for byte and mode for mode."""

import os
import random
from pathlib import Path

import pytest

from workspace.ledger.changed_trees import Place, command, content, seed_tree

SESSIONS = 1000 if os.environ.get("CODI_SOAK") else 24
STEPS = 30


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(SESSIONS))
def test_a_random_session_is_taken_back_and_put_back(tmp_path: Path, seed: int):
    rng = random.Random(seed)
    place = Place(tmp_path)
    with_git = seed % 2 == 0
    seed_tree(place.root, rng, with_git=with_git)
    digests = [place.digest()]
    for number in range(rng.randrange(3, STEPS)):
        place.turn = number
        if rng.random() < 0.3:
            place.write(f"{rng.choice(['src', 'w', 'w/x'])}{rng.randrange(3)}/t.txt", content(rng))
        else:
            place.shell(command(rng, with_git=with_git), check=False)
        if rng.random() < 0.1:
            place = Place(tmp_path)  # codi is started anew
        digests.append(place.digest())
    last = digests[-1]

    undone = place.ledger.reversal.undo(place.steps()[len(place.steps()) // 2 :])
    assert not undone.plan.conflicts and not undone.failed
    undone = place.ledger.reversal.undo(place.steps())
    assert not undone.plan.conflicts and not undone.failed
    assert place.digest() == digests[0]
    assert place.steps() == []

    while undos := place.ledger.reversal.redoable(""):
        again = place.ledger.reversal.redo(undos[-1])
        assert not again.plan.conflicts and not again.failed
    assert place.digest() == last
    assert place.ledger.used() < 500 * 1024 * 1024
