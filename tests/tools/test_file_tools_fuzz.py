"""Whatever a model sends: an answer or a refusal in words, never another exception, and patches do what they say."""

import difflib
import itertools

import pytest
from file_desk import Desk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codi.tools.patches import PatchError, parsed
from codi.tools.patching import Placed, placed, spliced_by
from codi.tools.text_files import TextFile

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
PATHS = st.sampled_from(
    ["a.txt", "b.bin", "c.py", "folder", "folder/x", "", ".", "..", "~", "@a.txt", "a\0", "\ud800", "a.txt/b"]
)
WORDS = st.sampled_from(["x = 1", "x", "", "\n", "two\n", "(", "é", "\r\n", "1→x", "```", "@@ -1 +1 @@\n-x\n+y"])
BLOCKS = st.lists(
    st.fixed_dictionaries({"old_text": WORDS, "new_text": WORDS}, optional={"replace_all": st.booleans()})
)
ARGUMENTS = {
    "read": {
        "path": PATHS,
        "offset": JSON | st.integers(-1, 5),
        "limit": JSON,
        "line_numbers": JSON,
        "info_only": JSON,
    },
    "write": {"path": PATHS, "content": JSON | WORDS},
    "edit": {"path": PATHS, "edits": JSON | BLOCKS, "old_text": WORDS, "new_text": WORDS | JSON, "replace_all": JSON},
    "apply_patch": {"patch": JSON | WORDS | st.lists(WORDS).map("".join), "path": PATHS | JSON},
}
COUNTER = itertools.count()


@pytest.mark.parametrize("tool", list(ARGUMENTS))
@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_arguments(tmp_path, tool, data):
    arguments = data.draw(st.fixed_dictionaries({}, optional={**ARGUMENTS[tool], "odd": JSON}))
    place = tmp_path / str(next(COUNTER))
    place.mkdir()
    desk = Desk(place)
    desk.put("a.txt", "x = 1\ntwo\n")
    desk.put("b.bin", b"\x00x")
    desk.put("c.py", "x = 1\n")
    (desk.root / "folder").mkdir()
    outside = sorted(path.name for path in place.iterdir())
    assert desk.call(tool, **arguments).text
    assert {path.name for path in place.iterdir()} <= {*outside, "results"}


PIECES = st.sampled_from(
    [
        "--- a/x\n",
        "+++ b/x\n",
        "@@ -1,2 +1 @@\n",
        "@@\n",
        "-a\n",
        "+b\n",
        " c\n",
        "\n",
        "\\ No newline at end of file\n",
        "diff --git a/x b/x\n",
        "new file mode 100644\n",
        "rename from x\n",
        "rename to y\n",
        "--- /dev/null\n",
        "-- \n",
        "*** Begin Patch\n",
        "*** Update File: x\n",
        "*** Add File: y\n",
        "*** Delete File: z\n",
        "*** Move to: w\n",
        "*** End of File\n",
        "*** End Patch\n",
        "<<<<<<< SEARCH\n",
        "=======\n",
        ">>>>>>> REPLACE\n",
        "x.py\n",
        "```\n",
    ]
)


@given(st.lists(PIECES, max_size=14).map("".join), st.sampled_from([None, "p"]))
@settings(max_examples=400, deadline=None)
def test_any_pieces_of_patches_are_taken_apart_or_refused(patch, path):
    try:
        files = parsed(patch, path)
    except PatchError:
        return
    assert files
    for file in files:
        for hunk in placed("a\nc\n", file.hunks):
            if isinstance(hunk, Placed):
                TextFile("a\nc\n", "a\nc\n").spliced(spliced_by("a\nc\n", [hunk]))


TEXTS = st.lists(st.sampled_from(["a", "b", "", "  c", "\td"]), max_size=12)


@given(TEXTS, TEXTS, st.booleans(), st.booleans(), st.integers(0, 4))
@settings(max_examples=400, deadline=None)
def test_what_diff_says_leads_from_the_old_text_to_the_new(old, new, old_cut, new_cut, context):
    before = "\n".join(old) + ("" if old_cut or not old else "\n")
    after = "\n".join(new) + ("" if new_cut or not new else "\n")
    if before == after or "" in (before, after):
        return
    patch = _diff(before, after, context)
    (file,) = parsed(patch)
    hunks = placed(before, file.hunks)
    if not all(isinstance(hunk, Placed) for hunk in hunks):
        # Only where the numbers point at a place is one of two equal places taken; they do, so this cannot be.
        raise AssertionError(patch)
    assert TextFile(before, before).spliced(spliced_by(before, hunks)).text == after


def _diff(before: str, after: str, context: int) -> str:
    lines = []
    for line in difflib.unified_diff(_lines(before), _lines(after), "a/x", "b/x", n=context):
        lines.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(lines)


def _lines(text: str) -> list[str]:
    *whole, last = text.split("\n")
    return [f"{line}\n" for line in whole] + ([last] if last else [])
