"""Nothing that a model, a file, a command or a setting says acts on the terminal, by whatever way it gets there."""

import pytest

from conftest import call, says

ATTACKS = [
    "\x1b]0;OWNED\x07", "\x1b]2;OWNED\x1b\\", "\x1b]52;c;T1dORUQ=\x07", "\x1b]8;;http://evil\x07link\x1b]8;;\x07", "\x1b[2J\x1b[H",
    "\x1b[10A", "\x1b[3;3H", "\x1b[?1049h", "\x1b[?25l", "\x1b[6n", "\x1b[c", "\x1b[21t", "\x1bPq#0;2;0;0;0#0~~\x1b\\",
    "\x1b_Gi=1;\x1b\\", "\x1b^pm\x1b\\", "\x1bc", "\x9b2J", "\x9d0;OWNED\x9c", "\x90q\x9c", "\x7f\x08\x08", "a\rb", "\x0e\x0f", "\x05",
    "\u202ereversed", "\u2066isolated", "\u200e", "\U000e0041\U000e007f", "\u2028line", "\x1b[38;5;1mred", "\x1b[?2004h", "\x1b[>4;2m",
    "\x1b]1337;File=:AA==\x07", "\x1b]777;notify;a;b\x07", "\x1b]9;hello\x07", "\x00null", "\x1b", "\x1b[", "\x1b]",
]  # fmt: skip
CORPUS = " | ".join(ATTACKS)
END = "the end"


def is_clean(raw: bytes) -> bool:
    text = raw.decode(errors="replace").replace("\r\n", "\n")
    return not any(
        (ord(sign) < 32 and sign not in "\n\t")
        or 127 <= ord(sign) < 160
        or sign in "\u202e\u2066\u200e\U000e0041\u2028\r"
        for sign in text
    )


@pytest.fixture
def plain(terminals):
    def start(*words, **more):
        return terminals(*words, term="dumb", **more)

    return start


def test_text_of_a_model_in_print_mode(codi, lab, plain):
    lab([says(f"{CORPUS} {END}")])
    shown = plain("-p", "say it")
    shown.wait_for(END)
    assert is_clean(shown.raw) and "^[]0;OWNED^G" in shown.raw.decode()


def test_text_files_and_output_in_a_conversation(codi, lab, plain):
    (codi.cwd / "evil.txt").write_text(CORPUS)
    lab(
        [
            says(
                f"{CORPUS} one",
                call("read", path="evil.txt"),
                call("shell", command="cat evil.txt; printf '\\033[31mred\\033[0m'"),
            ),
            says("", call("write", path=f"b{ATTACKS[0]}.txt", content=CORPUS)),
            says(f"{CORPUS} {END}"),
        ]
    )
    shown = plain("look at it", "--allow", "run(*)", "-y")
    shown.wait_for(END, "[3 steps,")
    assert is_clean(shown.raw)


def test_questions_and_refusals(codi, lab, plain):
    lab([says("", call("shell", command=f"touch '{ATTACKS[0]}'; echo \u202eevil")), says(f"{END}")])
    shown = plain("do it")
    shown.wait_for("say why not:")
    shown.type("n\n")
    shown.wait_for(END)
    assert is_clean(shown.raw)


@pytest.mark.parametrize(
    "words",
    [
        ("config", "get", CORPUS.replace("\0", "")),
        ("-p", "x", "--model", "nobody/" + CORPUS.replace("\0", "")),
        ("sessions", "show", CORPUS.replace("\0", "")),
        ("help", CORPUS.replace("\0", "")),
        ("--allow", CORPUS.replace("\0", ""), "-p", "x"),
        ("trust", "accept", CORPUS.replace("\0", "")),
        ("undo", "--path", CORPUS.replace("\0", "")),
        ("audit", "grep", "(" + CORPUS.replace("\0", "")),
    ],
    ids=lambda words: words[0],
)
def test_errors_of_commands(codi, plain, words):
    shown = plain(*words)
    shown.wait_for("error: ", "hint: ")
    assert is_clean(shown.raw), shown.raw
    assert is_clean(codi(*words).err.encode())


def test_warnings_of_settings(codi, lab, plain):
    lab([says(END)])
    codi.set_up('"strange\\u001B]0;OWNED\\u0007" = 1\n')
    shown = plain("-p", "hello")
    shown.wait_for("warning: ", END)
    assert is_clean(shown.raw) and "OWNED" in shown.raw.decode()


def test_tables_and_names(codi, lab, plain):
    lab([says(END)])
    codi.json("hello", "--name", "a\x1b]0;OWNED\x07\u202eb")
    (codi.cwd / ".codi").mkdir()
    (codi.cwd / ".codi/SYSTEM.md").write_text(CORPUS)
    for words in (("sessions",), ("trust",), ("log", "network")):
        shown = plain(*words)
        shown.wait_for({"sessions": "OWNED", "trust": "SYSTEM.md", "log": "127.0.0.1"}[words[0]])
        assert is_clean(shown.raw), (words, shown.raw)


def test_the_terminal_interface_keeps_title_clipboard_and_screen(codi, lab, terminals):
    lab(
        [
            says(f"{CORPUS} {END}", call("shell", command="printf '\\033]0;OWNED\\007\\033[31mred\\033[0m'")),
            says("Done."),
        ]
    )
    shown = terminals("say it", "--allow", "run(*)")
    shown.wait_for("Done.")
    assert b"\x1b]0;OWNED" not in shown.raw and b"\x1b]52" not in shown.raw and b"\x1b]8;;http://evil" not in shown.raw
    assert shown.screen.title != "OWNED"
