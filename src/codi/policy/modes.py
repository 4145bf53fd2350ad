"""The permission modes: what happens to an effect of which no rule speaks.

Plan mode and read-only mode are not flags that somebody must remember to look at; they are tables that allow nothing else.
"""

from collections.abc import Callable

from msgspec.structs import replace

from codi.policy.looking import is_own_git, why_not_looking
from codi.policy.mode import Mode
from codi.policy.policy import Policy
from codi.policy.rules import Rule
from codi.policy.territory import Territory
from codi.protocol.effects import Allow, Ask, Deny, Effect, Reaches, Reads, Runs, Verdict, Writes

_ORDER: dict[str, int] = {"read-only": 0, "plan": 1, "default": 2, "accept-edits": 3, "full-access": 4}
"""From the strictest to the most permissive."""


def policy_of(mode: Mode, territory: Territory, rules: tuple[Rule, ...] = ()) -> Policy:
    return Policy(mode, rules, table_of(mode, territory), real=territory.real)


def on(territory: Territory, policy: Policy) -> Policy:
    """The same rules over the table that holds on this territory."""
    return replace(policy, otherwise=table_of(policy.mode, territory))


def stricter(one: Mode, other: Mode) -> Mode:
    return one if _ORDER[one] <= _ORDER[other] else other


def table_of(mode: Mode, territory: Territory) -> Callable[[Effect], Verdict]:
    """The mode's verdict on each effect. Deny rules and the danger floor hold in every mode."""

    def verdict(effect: Effect) -> Verdict:
        match effect:
            case Reads(path):
                return _on_read(mode, territory, path)
            case Writes(path):
                return _on_write(mode, territory, path)
            case Runs():
                return _on_run(mode, territory, effect)
            case Reaches(host):
                if mode == "read-only":
                    return Deny("read-only mode reaches no network")
                return Allow() if mode == "full-access" else Ask((f"reaches {host}",), 4)

    return verdict


def _on_read(mode: Mode, territory: Territory, path: str) -> Verdict:
    if territory.is_secret(path):
        reason, risk = f"{path} is a place where secrets are kept", 8
    elif not territory.holds(path):
        reason, risk = f"{path} is outside the workspace {territory.root}.", 4
    else:
        return Allow()
    return Deny(reason) if mode == "read-only" else Ask((reason,), risk)


def _on_write(mode: Mode, territory: Territory, path: str) -> Verdict:
    if mode in ("plan", "read-only"):
        return Deny(f"{mode} mode changes no files")
    if territory.is_own(path):
        return Deny(f"{path} is codi's own: only the person changes it")
    if not territory.holds(path):
        reason = f"{path} is outside the workspace {territory.root}."
        return Deny(reason) if mode == "accept-edits" else Ask((reason,), 8)
    if territory.is_protected(path):
        return Ask((f"{path} is protected: what stands there acts later, by itself",), 7)
    if territory.is_secret(path):
        return Ask((f"{path} is a place where secrets are kept",), 7)
    return Ask((f"writes {path}",), 3) if mode == "default" else Allow()


def _on_run(mode: Mode, territory: Territory, command: Runs) -> Verdict:
    from codi.policy.danger import danger_of  # with its patterns, for the first command

    danger = danger_of(command.line, command.cwd, territory)
    if why_not := danger.forbidden:
        return Deny(f"codi never runs this: it {why_not}" if " " in why_not else f"codi never runs this: {why_not}")
    inside = territory.holds(command.cwd)
    if mode in ("plan", "read-only"):
        return (
            _on_run_where_nothing_may_change(mode, territory, command) if inside else Deny(_outside(command, territory))
        )
    why = why_not_looking(command, territory)
    if inside and why is None:
        return Allow()
    if mode == "full-access" and danger.risk < 8:
        return Allow()
    reasons, risk = (*danger.reasons, *(why or ())), danger.risk
    return Ask(reasons, risk) if inside else Ask((*reasons, _outside(command, territory)), max(risk, 4))


def _on_run_where_nothing_may_change(mode: Mode, territory: Territory, command: Runs) -> Verdict:
    if not territory.confined:
        only_git = f"{mode} mode runs no commands but codi's own looks at git"
        return Allow() if is_own_git(command) else Deny(only_git)
    why = why_not_looking(command, territory)
    return Allow() if why is None else Deny(f"{mode} mode runs no command that may do more than look: {'; '.join(why)}")


def _outside(command: Runs, territory: Territory) -> str:
    return f"{command.cwd} is outside the workspace {territory.root}."
