"""A configuration file is taken apart without a byte being lost, and no change of it goes unnoticed."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from codi.engine.config_files import parsed
from codi.engine.trust.manifest import items_of, items_of_bytes

TEXT = """\
# what the project wants
policy.allow = ["run(make)"]
verify = ["make test"] # all of it
[mcp.servers.a]
command = "a"
[mcp.servers.b]
url = "https://b"
[tools]
profile = "nano"
[[hooks.start]]
command = "x"
"""


def items(content: bytes):
    return {item.id: item for item in items_of_bytes("/p/.codi/config.toml", content, "/p")}


def test_each_byte_belongs_to_one_item():
    found = items_of(parsed("/p/.codi/config.toml", TEXT.encode()), "/p")
    assert [item.id for item in found] == ["verify", "mcp.servers.a", "mcp.servers.b", "hooks.start", "config"]
    assert sorted("".join(item.text for item in found)) == sorted(TEXT)
    assert [(item.id, item.line) for item in found if item.line > 1] == [
        ("verify", 3),
        ("mcp.servers.a", 4),
        ("mcp.servers.b", 6),
        ("hooks.start", 10),
    ]


@given(st.integers(0, len(TEXT)), st.sampled_from(list('#a"\n =[]x1')), st.booleans())
def test_no_change_goes_unnoticed(at, sign, replaces):
    changed = TEXT[:at] + sign + TEXT[at + replaces :]
    before, after = items(TEXT.encode()), items(changed.encode())
    same = {item.hash for item in before.values()} >= {item.hash for item in after.values()}
    assert not same or changed == TEXT or _is_only_a_move(changed)


def _is_only_a_move(changed: str) -> bool:
    """A blank at a border may stand on either side of it; then nothing that is obeyed is another."""
    return tomllib.loads(changed) == tomllib.loads(TEXT)
