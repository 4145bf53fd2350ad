"""Signing in and out from within a conversation."""

import json

from conftest import says

ENTER = "\r"


def kept(codi) -> list[str]:
    return [row["provider"] for row in map(json.loads, codi("auth", "list", "--json").out.splitlines())]


def test_a_key_is_typed_where_nothing_records_it_and_taken_away_again(codi, lab, terminals):
    lab([says("Hello.")])
    talk = terminals("say hello")
    talk.wait_for("Hello.")
    talk.type("/login" + ENTER)
    talk.wait_for("ANTHROPIC_API_KEY", "To sign in: /login NAME")
    talk.type("/login groq" + ENTER)
    talk.wait_for("Key for groq:")
    talk.type("gsk-typed-here-and-nowhere-else" + ENTER)
    talk.wait_for("Choose a passphrase")
    talk.type(ENTER)
    talk.wait_for("codi auth login groq ended with 0")
    assert kept(codi) == ["groq"] and "gsk-typed" not in talk.shown
    talk.type("/login groq" + ENTER)
    talk.wait_for("Key for groq:", times=2)
    talk.type("\x03")
    talk.wait_for("codi auth login groq ended with 130")
    talk.type("/logout" + ENTER)
    talk.wait_for("usage: /logout NAME|--all")
    talk.type("/logout groq" + ENTER)
    talk.wait_for("Remove 1 login or key: groq?")
    talk.type("y")
    talk.wait_for("removed from")
    assert kept(codi) == []
    assert not any(b"gsk-typed" in path.read_bytes() for path in codi.home.rglob("*") if path.is_file())
