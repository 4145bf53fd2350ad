"""Text that attacks a terminal, and a reader of bytes that finds every sequence by which a terminal could be moved."""

import re

ATTACKS = [
    "\x1b]0;OWNED\x07", "\x1b]2;OWNED\x1b\\", "\x1b]52;c;T1dORUQ=\x07", "\x1b]8;;http://evil.example\x07link\x1b]8;;\x07",
    "\x1b]1337;File=:AA==\x07", "\x1b]7;file://OWNED/\x07", "\x1b]133;A\x07", "\x1b]9;OWNED\x07", "\x1b]777;notify;a;OWNED\x07",
    "\x1b]4;1;#000000\x07", "\x1b[2J\x1b[H", "\x1b[10A", "\x1b[3;3H", "\x1b[s\x1b[u", "\x1b7\x1b8", "\x1b[1;2r", "\x1b[?6h",
    "\x1b[?1049h", "\x1b[?25l", "\x1b[?1000h", "\x1b[?2004l", "\x1b[>4;2m", "\x1b[>1u", "\x1b[6n", "\x1b[c", "\x1b[21t",
    "\x1b[5i", "\x1b[4h", "\x1b[38;5;1mred", "\x1b[201~", "\x1bPq#0;2;0;0;0#0~~\x1b\\", "\x1bP+q544e\x1b\\", "\x1b_Gi=1;AA\x1b\\",
    "\x1b^OWNED\x1b\\", "\x1bXOWNED\x1b\\", "\x1bc", "\x1b(0", "\x1b#8", "\x9b2J", "\x9d0;OWNED\x9c", "\x90q\x9c", "\x84\x85\x8d",
    "\x7f\x08\x08\x08", "abc\rOWNED", "\x0b\x0c", "\x0e\x0f", "\x05", "\x00nul", "\x07", "\u202eevil", "\u2066x\u2069", "\u200e\u200f",
    "a\u200bb\u2060c", "\U000e0041\U000e0042\U000e007f", "\u2028\u2029", "\ufeff", "\x1b", "\x1b[", "\x1b]", "\x1b[3", "\x1b]0;half",
]  # fmt: skip
CORPUS = " | ".join(ATTACKS)
IN_NAMES = "\x1b]0;OWNED\x07\x1b[2J\x9b1A\u202e\u200b\U000e0041"
"""As much of it as a name of a file may hold."""

_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[P_^X][^\x1b]*\x1b\\|[ -/]*[0-~])")
_OURS = re.compile(
    rb"""\x1b(?:
      \[[0-9;:]*m | \[[0-9]*[ABCDGKJ] | \[[0-9]*;?[0-9]*H | \[[0-9]*[LMPST@X]     # colours, moves and erasing in what is drawn
    | \[\?(?:2026|25|2004|1004|1049)[hl] | \[>4;[0-9]*m | \[>[0-9]*u | \[<[0-9]*u | \[=[0-9;]*u | \[\?u | \[c | \[>c   # modes and questions
    | \[2[23];[0-9]t | \[>q | \[14t | \[16t | \[18t | \[6n
    | [78] | \]0;[^\x00-\x1f\x7f]*\x07 | \]133;[ACD]\x07 | \]11;\?(?:\x07|\x1b\\) | \]8;;(?:https?://(?!evil)[^\x00-\x20]*)?(?:\x07|\x1b\\)
    )""",
    re.VERBOSE,
)


def foreign(raw: bytes) -> list[bytes]:
    """The sequences and signs in what a terminal was sent that are not codi's own."""
    found = [each[0] for each in _SEQUENCE.finditer(raw) if not _OURS.fullmatch(each[0]) or b"OWNED" in each[0][:12]]
    left = _SEQUENCE.sub(b"", raw).decode(errors="replace")
    signs = {sign for sign in left if (ord(sign) < 32 and sign not in "\n\r\t\x07") or 127 <= ord(sign) < 160}
    signs |= set(left) & set("\u202e\u2066\u2069\u200e\u200f\u200b\u2060\u2028\u2029\ufeff\U000e0041\U000e007f")
    bells = left.count("\x07")
    return [*found, *(sign.encode() for sign in sorted(signs)), *([b"\x07"] if bells > 2 else [])]
