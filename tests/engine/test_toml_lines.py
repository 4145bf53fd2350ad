"""Every key of a TOML text is found on the line on which it stands."""

import tomllib

import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from codi.engine.toml_lines import lines_of

TEXT = '''\
# = a [comment] "
a = 1
b."c.d" = """
[not] = "a table"
x = 3 \\
"""""

[ s . "t u" ] # "[x]"
list = [ # ]
  "]", '"',
  2, # [
]
inline = {x = 1, y = "}"}
'quo"ted' = '[x'

[[many]]
z = 1
[[many]]
z = 2
'''


def test_lines_are_those_that_a_person_would_count():
    tomllib.loads(TEXT)
    assert lines_of(TEXT) == {
        ("a",): 2,
        ("b",): 3,
        ("b", "c.d"): 3,
        ("s", "t u"): 8,
        ("s", "t u", "list"): 9,
        ("s", "t u", "inline"): 13,
        ("s", "t u", 'quo"ted'): 14,
        ("many",): 16,
        ("many", "z"): 17,
    }


KEYS = st.text(st.sampled_from("ab.[]\"'#= é\n"), min_size=1, max_size=5)
VALUES = st.recursive(
    st.integers(-5, 5) | st.booleans() | st.text(st.sampled_from("ab[]{}\"'#=,\\ \n"), max_size=8),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
TREES = st.dictionaries(KEYS, VALUES | st.dictionaries(KEYS, VALUES, max_size=3), max_size=5)


@given(TREES)
def test_the_text_up_to_a_keys_line_does_not_hold_it_and_with_it_does(tree):
    text = tomlkit.dumps(tree)
    lines = lines_of(text)
    for key, value in tree.items():
        for path in [(key, inner) for inner in value] if isinstance(value, dict) else [(key,)]:
            before = "\n".join(text.split("\n")[: lines[path] - 1])
            assert not _holds(tomllib.loads(before), path)


def _holds(tree, path):
    for part in path:
        if not isinstance(tree, dict) or part not in tree:
            return False
        tree = tree[part]
    return True
