"""Whatever is typed, pasted, resized and answered: no traceback, and the terminal as it was found."""

import random
import time

from conftest import SOAK, call, says

KEYS = [
    *"abc /@!?漢🙂", "\r", "\n", "\t", "\x1b[Z", "\x7f", "\x01", "\x05", "\x0b", "\x15", "\x17", "\x19", "\x1by", "\x1f", "\x1b-",
    "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[1;2D", "\x1b[1;2A", "\x1b[5~", "\x1b[6~", "\x0f", "\x14", "\x12", "\x0c",
    "\x1b", "\x1b[M !!", "\x1b[<0;3;4M", "\x1b[I", "\x1b[O", "\x1b[200~pasted\ntext\x1b[201~", "\x1b]11;?\x07",
    "\x1b[200~" + "line\n" * 30 + "\x1b[201~", "/status\r", "/help\r", "go\r", "y", "n", "q", "\x1b[999;999;999u", "\x1b\r",
]  # fmt: skip


def test_anything_typed_while_anything_happens(codi, lab, terminals):
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    step = [says("word " * 50, call("shell", command="printf 'a\\033[2Jb'")), says("# Title\n\n- item\n")]
    lab(step * 2000)
    talk = terminals(rows=24, columns=80)
    talk.wait_for("codi 0")
    end = time.monotonic() + (60 if SOAK else 5)
    while time.monotonic() < end:
        if chance.random() < 0.1:
            talk.resize(chance.choice((1, 2, 5, 24, 60)), chance.choice((1, 2, 9, 80, 200)))
        talk.type("".join(chance.choices(KEYS, k=chance.randint(1, 4))))
        talk.watch(chance.random() * 0.02)
        assert talk.process.poll() is None, f"seed {seed}:\n{talk.shown[-3000:]}"
    talk.process.terminate()
    assert talk.end() == 143, f"seed {seed}"
    assert b"Traceback" not in talk.raw and not (codi.home / "log/failures.log").exists(), f"seed {seed}"
    for begins, ends in ((b"\x1b[?2026h", b"\x1b[?2026l"), (b"\x1b[?1049h", b"\x1b[?1049l")):
        assert talk.raw.rfind(ends) >= talk.raw.rfind(begins), f"seed {seed}"
    assert talk.raw.rfind(b"\x1b[?25h") > talk.raw.rfind(b"\x1b[?25l"), f"seed {seed}"
    assert b"\x1b[3J" not in talk.raw and b"\x1b[?1000h" not in talk.raw


def test_a_storm_of_sizes_and_broken_text(lab, terminals):
    lab([says("Calm.")])
    talk = terminals(rows=24, columns=80)
    talk.wait_for("codi 0")
    before = talk.raw.count(b"\x1b[2J")
    began = time.monotonic()
    while (passed := time.monotonic() - began) < 1:
        talk.resize(chance_rows := 20 + int(passed * 1000) % 9, 60 + chance_rows)
        talk.watch(0.001)
    assert talk.raw.count(b"\x1b[2J") - before <= 25
    talk.type("broken ")
    talk.type_bytes(b"\xff\xfe\x80 end\r")
    talk.wait_for("Calm.")
