"""Two texts are cut into runs of lines that are the same or not."""

from hypothesis import given
from hypothesis import strategies as st

from codi.tools.alignment import Run, aligned

LINES = st.lists(st.sampled_from("abc"), max_size=12)


@given(LINES, LINES)
def test_the_runs_cover_both_texts_and_say_the_truth(old, new):
    runs = aligned(old, new)
    assert [line for run in runs for line in old[run.old_from : run.old_to]] == old
    assert [line for run in runs for line in new[run.new_from : run.new_to]] == new
    for run in runs:
        if run.same:
            assert old[run.old_from : run.old_to] == new[run.new_from : run.new_to]


def test_what_differs_in_a_great_many_lines_is_replaced_as_a_whole():
    old = ["first", *(f"a{number}" for number in range(1001)), "last"]
    new = ["first", *(f"b{number}" for number in range(1001)), "last"]
    assert aligned(old, new) == [Run(True, 0, 1, 0, 1), Run(False, 1, 1002, 1, 1002), Run(True, 1002, 1003, 1002, 1003)]
