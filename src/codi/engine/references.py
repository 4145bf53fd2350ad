"""Names in the settings that mean nothing: tools, services, rules, models. Looked at by who checks; a start finds them when it
uses them."""

import difflib
from collections.abc import Iterator

from codi.credentials.oauth.issuers import issuers
from codi.engine.keys import Path
from codi.engine.places import Places
from codi.engine.settings import Settings
from codi.policy.rules import Decision, parse_rule, regex_rule
from codi.policy.territory import Territory
from codi.protocol.errors import ConfigError, UsageError
from codi.providers.assembly import timeouts_for
from codi.providers.catalog import Catalog
from codi.providers.presets import SERVICE_OF, presets
from codi.tools.kit import built_in
from codi.tools.limiting import Limits
from codi.tools.output import cap_for
from codi.tools.results import Results
from codi.tools.syntax_gate import SyntaxGate
from codi.tools.toolbox import Toolbox


def wrong_references(settings: Settings, places: Places) -> Iterator[tuple[Path, str]]:
    """The keys that hold them, and what is wrong."""
    toolbox = _toolbox()
    for name in settings.tools.disabled:
        if complaint := toolbox.complaint_about(name):
            yield ("tools", "disabled"), complaint
    yield from _in_services(settings)
    territory = Territory(root=places.cwd, home=places.home, codi_home=places.home)
    decisions: tuple[Decision, ...] = ("allow", "ask", "deny")
    for decision in decisions:
        for text in getattr(settings.policy, decision):
            try:
                parse_rule(text, decision, territory)
            except UsageError as error:
                yield ("policy", decision), str(error)
    for pattern in settings.policy.dangerous:
        try:
            regex_rule(pattern, "ask")
        except UsageError as error:
            yield ("policy", "dangerous"), str(error)
    for name, issuer in settings.auth.providers.items():
        try:
            issuers({name: issuer})
        except ConfigError as error:
            where, _, what = str(error).partition(": ")
            yield ("auth", "providers", name, where.rpartition(".")[2]), what
    try:
        Catalog.load(None, settings.models)
    except ConfigError as error:
        yield ("models",), str(error)


def _in_services(settings: Settings) -> Iterator[tuple[Path, str]]:
    for name, own in settings.providers.items():
        try:
            presets({name: own})
            timeouts_for(name, own.timeouts or {})
        except ConfigError as error:
            yield ("providers", name), str(error).removeprefix(f"providers.{name}: ")
    named = settings.model.provider.lower()
    known = [*presets(), *settings.providers, *SERVICE_OF, "scripted"]
    if named and named not in known:
        near = difflib.get_close_matches(named, known, n=1)
        yield ("model", "provider"), f'unknown provider "{named}"' + (f" - did you mean {near[0]}?" if near else "")


def _toolbox() -> Toolbox:
    limits = Limits(Results(None), lambda: cap_for(None))
    return Toolbox(built_in(limits=limits, gate=SyntaxGate("off"), ripgrep=None))
