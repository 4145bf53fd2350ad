"""`codi trust`: what a project brings, and which of it is obeyed."""

import sys
from collections.abc import Iterable, Sequence
from difflib import unified_diff
from typing import Any

from codi.cli.flags import Parser, action_of, add_general
from codi.cli.printing import print_json, print_table, shown_path
from codi.engine.places import Places
from codi.engine.trust.item import Item
from codi.engine.trust.store import Trusted
from codi.engine.trust.trust import Trust
from codi.frontends.sanitiser import visible
from codi.protocol.errors import WorkspaceError

_ACTIONS = {
    "show": "each item with its state, and what changed in it",
    "accept": "obey these, as they now are; all without a name",
    "revoke": "obey these no more; nothing of the project without a name",
    "list": "all that is trusted, of every project",
}


def run(words: Sequence[str]) -> int:
    action, left = action_of(words, _ACTIONS, "show")
    told = "\n".join(f"  {name:<8}{help}" for name, help in _ACTIONS.items())
    parser = Parser(
        prog="codi trust",
        usage="codi trust [show] | accept [ITEM...] | revoke [ITEM...] | list",
        description=f"What the project brings, each thing pinned to its content.\n\n{told}",
    )
    if action in ("accept", "revoke"):
        parser.add_argument("items", nargs="*", metavar="ITEM", help="a name or the beginning of a hash")
    add_general(parser)
    args = parser.parse_args(left)
    trust = Trust(Places.at(args.cwd))
    status = {"show": _show, "accept": _accept, "revoke": _revoke, "list": _list}[action](trust, args)
    for warning in trust.store.warnings:
        print(f"warning: {visible(warning)}", file=sys.stderr)
    return status


def states(trust: Trust) -> list[tuple[Item, str, Trusted | None]]:
    """Each item, whether it is trusted, pending or changed, and how it was when it was accepted."""
    before = {old.id: old for old in trust.store.of(trust.places.root).values()}
    return [
        (item, "trusted" if trust.accepts(item) else "changed" if item.id in before else "pending", before.get(item.id))
        for item in trust.items
    ]


def _show(trust: Trust, args: Any) -> int:
    rows = states(trust)
    if args.json:
        for item, state, old in rows:
            print_json(_as_json(item, state) | ({"diff": diff_of(item, old)} if old and state == "changed" else {}))
        return 0
    if not rows and not args.quiet:
        print(f"{shown_path(trust.places.root)} brings nothing that would have to be trusted")
        return 0
    print_table(
        ("state", "item", "kind", "where", "what", "sha256"),
        ((state, item.id, item.kind, item.place, item.summary, item.hash[:12]) for item, state, _ in rows),
    )
    if sys.stdout.isatty():
        for item, state, old in rows:
            print(visible(told_in_full(item, state, old)))
    else:
        for item, state, old in rows:
            if old and state == "changed":
                print(visible(diff_of(item, old)))
    return 0


def told_in_full(item: Item, state: str, old: Trusted | None) -> str:
    """All that a person must know of an item before they trust it."""
    facts = [f"\n{item.id} ({state}), {item.place}"]
    if item.env:
        facts.append(f"  variables: {', '.join(item.env)}")
    facts += (f"  starts {path} (sha256 {hash})" for path, hash in item.scripts.items())
    if old and state == "changed":
        return "\n".join([*facts, diff_of(item, old)])
    return "\n".join([*facts, *(f"  | {line}" for line in item.text.splitlines())])


def diff_of(item: Item, old: Trusted) -> str:
    """What became of an item since it was accepted."""
    lines = list(
        unified_diff(
            old.text.splitlines(), item.text.splitlines(), f"{item.id} (trusted)", f"{item.id} (now)", lineterm=""
        )
    )
    for path in sorted({*old.scripts, *item.scripts}):
        before, now = old.scripts.get(path), item.scripts.get(path)
        if before != now:
            lines.append(f"script {path}: sha256 {before or 'none'} -> {now or 'none'}")
    return "\n".join(lines)


def _accept(trust: Trust, args: Any) -> int:
    chosen = _chosen(trust.items, args.items) if args.items else list(trust.items)
    trust.store.accept(trust.places.root, chosen)
    if args.json:
        for item in chosen:
            print_json(_as_json(item, "trusted"))
    elif not args.quiet:
        for item in chosen:
            print(visible(f"trusted: {item.id} ({item.place}): {item.summary}"))
        if not chosen:
            print("there is nothing to trust")
    return 0


def _revoke(trust: Trust, args: Any) -> int:
    known = trust.store.of(trust.places.root)
    ids = None
    if args.items:
        named = {
            word: [old.id for hash, old in known.items() if word == old.id or hash.startswith(word)]
            for word in args.items
        }
        for word, found in named.items():
            if not found:
                raise _nothing(word, sorted({old.id for old in known.values()}))
        ids = {id for found in named.values() for id in found}
    gone = trust.store.revoke(trust.places.root, ids)
    if args.json:
        for id in gone:
            print_json({"item": id, "state": "revoked"})
    elif not args.quiet:
        print("\n".join(visible(f"no longer trusted: {id}") for id in gone) or "nothing of this project was trusted")
    return 0


def _list(trust: Trust, args: Any) -> int:
    rows = [
        (project, old, hash) for project, items in sorted(trust.store.projects().items()) for hash, old in items.items()
    ]
    if args.json:
        for project, old, hash in rows:
            print_json(
                {
                    "project": project,
                    "item": old.id,
                    "kind": old.kind,
                    "file": old.file,
                    "hash": hash,
                    "accepted": old.accepted.isoformat().replace("+00:00", "Z"),
                }
            )
        return 0
    print_table(
        ("project", "item", "kind", "file", "accepted", "sha256"),
        (
            (shown_path(project), old.id, old.kind, old.file, f"{old.accepted:%Y-%m-%d}", hash[:12])
            for project, old, hash in rows
        ),
    )
    return 0


def _chosen(items: Iterable[Item], words: Sequence[str]) -> list[Item]:
    chosen: dict[str, Item] = {}
    for word in words:
        found = [
            item for item in items if word in (item.id, item.file) or (len(word) > 5 and item.hash.startswith(word))
        ]
        if not found:
            raise _nothing(word, [item.id for item in items])
        chosen |= {item.hash: item for item in found}
    return list(chosen.values())


def _nothing(word: str, known: Sequence[str]) -> WorkspaceError:
    return WorkspaceError(
        f"the project brings nothing called {word!r}",
        hint=f"There is: {', '.join(known)}." if known else "codi trust shows it.",
    )


def _as_json(item: Item, state: str) -> dict[str, Any]:
    return {
        "item": item.id,
        "kind": item.kind,
        "state": state,
        "file": item.file,
        "line": item.line,
        "command": item.command,
        "args": list(item.args),
        "env": list(item.env),
        "url": item.url,
        "sha256": item.sha256,
        "scripts": dict(item.scripts),
        "hash": item.hash,
        "text": item.text,
    }
