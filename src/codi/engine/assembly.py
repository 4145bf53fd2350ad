"""From settings to parts: who thinks, what may be done, and where."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from shutil import which

from anyio import from_thread, to_thread
from msgspec import structs, to_builtins

from codi.agent.context_files import ContextFiles, Ground, context_files
from codi.agent.instructions import Part, Surroundings, instructions, prompt_of
from codi.agent.learning import Learning
from codi.agent.memories import Memories
from codi.agent.mind import Mind
from codi.agent.nearby import Nearby
from codi.agent.reviewer import Reviewer
from codi.agent.text_calls import TextCalls, tools_in_words
from codi.agent.veiled import Veiled
from codi.agent.windows import tier_of
from codi.credentials.copilot import CopilotToken
from codi.credentials.login import Login
from codi.credentials.vault import Vault
from codi.credentials.watched import WatchedKey
from codi.engine.choosing import Choosing
from codi.engine.fitting import Fitted, fitted
from codi.engine.habits import Habits
from codi.engine.logins import Logins, is_at_home
from codi.engine.model_list import ModelList
from codi.engine.model_map import ModelMap, NamedModel
from codi.engine.model_map_files import Tables
from codi.engine.options import Options
from codi.engine.places import Places
from codi.engine.prompt_files import prompt_file
from codi.engine.rulebook import RuleBook
from codi.engine.settings import Settings
from codi.engine.trust.manifest import item_of_rules
from codi.engine.trust.trust import Trust
from codi.engine.vaults import vault_for, without_secrets
from codi.engine.version import VERSION
from codi.insights.audit import Audit
from codi.insights.network_log import NetworkLog
from codi.policy.mode import Mode
from codi.policy.modes import policy_of
from codi.policy.policy import Policy
from codi.policy.rules import Decision, parse_rule, regex_rule
from codi.policy.territory import Territory
from codi.protocol.errors import ConfigError
from codi.protocol.events import Entry
from codi.protocol.messages import Level
from codi.protocol.network import Connection
from codi.protocol.tooling import ToolSpec
from codi.providers import catalog as prices
from codi.providers.assembly import Connections, provider_for, timeouts_for
from codi.providers.breaker import Breaker, Broken
from codi.providers.budget import Budget, Budgeted
from codi.providers.choice import Choice, LocalServer
from codi.providers.estimates import CHARACTERS_PER_TOKEN
from codi.providers.logged_in import LoggedIn
from codi.providers.presets import presets
from codi.providers.provider import Credential, ModelEntry, NoKey, Provider
from codi.providers.rate import Bucket, Rated
from codi.providers.resilient import Allowance, Resilient
from codi.providers.timeouts import Timeouts
from codi.tools.deferred import DeferredTool, told
from codi.tools.kit import Live, built_in
from codi.tools.limiting import Limits
from codi.tools.output import LEAST_BYTES, cap_for
from codi.tools.page_cache import PageCache
from codi.tools.recorded import RecordedTool
from codi.tools.results import Results
from codi.tools.syntax_gate import SyntaxGate
from codi.tools.tool import Tool
from codi.tools.toolbox import Profile, Toolbox, profile_for
from codi.tools.web_engines import engines
from codi.workspace import git, paths
from codi.workspace.endpoints import NoEndpoint, endpoint_of
from codi.workspace.git import GitState
from codi.workspace.glance import Glance
from codi.workspace.ledger.ledger import Ledger
from codi.workspace.local import LocalWorkspace
from codi.workspace.sandbox.sandbox import Sandbox


class Assembly:
    """The parts that one start of codi is made of. It chooses and joins, and does nothing itself."""

    def __init__(self, places: Places, settings: Settings, options: Options, env: Mapping[str, str]) -> None:
        self.places = places
        self.settings = settings
        self.options = options
        self.territory = Territory(
            root=places.cwd,
            home=os.path.expanduser("~"),
            codi_home=places.home,
            extra_dirs=tuple(os.path.realpath(os.path.expanduser(folder)) for folder in settings.workspace.extra_dirs),
            protected=settings.workspace.protected,
            real=os.path.realpath,
            git_obeys=git.obeys,
        )
        self.trust = Trust(places, options.trust, inherit=settings.trust.inherit)
        self._ground = Ground(
            home=places.home,
            root=places.root,
            cwd=places.cwd,
            trusts=self.trust.may_reach_out,
            is_secret=self.territory.is_secret,
        )
        self.complaints: list[str] = []
        """What is wrong with the settings and came out when they were used."""
        self._env = env
        self.listening = [NetworkLog(places.home).hear]
        """Who is told of each connection that codi makes."""
        self._logins = Logins(places.home, settings, env, options.ask_secret, self._connected)
        self._connections = Connections(
            offline=settings.network.offline,
            record=options.record,
            replay=options.replay,
            hear=self._connected,
        )
        self._audit: Audit | None = None
        self._without_tools: set[str] = set()
        self._breakers: dict[str, Breaker] = {}
        self._buckets: dict[str, Bucket] = {}
        limits = settings.agent
        self.budget = Budget(limits.max_cost, limits.max_tokens, unknown=limits.max_cost_unknown)
        """One for all conversations of this start."""
        self._choosing = Choosing(places, settings, options, env)
        self._of_files = self._choosing.of_files

    @property
    def map(self) -> ModelMap:
        return self._of_files.map

    @property
    def tables(self) -> Tables:
        """The model map as it is written."""
        return self._of_files.tables

    def read_map_again(self) -> bool:
        """Take up what changed in the files of the model map; False where nothing did. Raises ConfigError, and then it is as it was."""
        return self._of_files.read_again()

    def _connected(self, connection: Connection) -> None:
        for hear in self.listening:
            hear(connection)

    async def choice(self, model: str = "") -> Choice:
        """The model to ask: the one named here, else what flags, environment, settings and surroundings say."""
        # In a thread, for it is a plain function that may have to wait for a local server to answer.
        return await to_thread.run_sync(self._choosing.choice, model, self._probe)

    def _probe(self, servers: Sequence[tuple[str, str]]) -> Sequence[LocalServer]:
        asked = import_module(
            "codi.providers.local_servers"
        ).reachable  # with the HTTP library, for those without a key
        return from_thread.run(partial(asked, offline=self.settings.network.offline, hear=self._connected), servers)

    async def check_key(self, choice: Choice) -> None:
        """Raises CredentialError where there is no key for a model."""
        if choice.service != "scripted":
            await self._logins.credential(choice, self.options.api_key).secret()

    def models(self) -> ModelList:
        known = presets(self.settings.providers)
        return ModelList(
            self._env,
            known,
            self._of_files.catalog,
            logins=self._logins.services(),
            offline=self.settings.network.offline,
            hear=self._connected,
        )

    def entry(self, choice: Choice) -> ModelEntry:
        entry = self._of_files.catalog.entry(choice.service, choice.model_id)
        window = self.settings.model.context_window
        return structs.replace(entry, window=window, assumed=False) if window else entry

    def policy(self, mode: Mode) -> Policy:
        """Rules of the flags and of the settings, over the mode's table."""
        said = self.settings.policy
        texts: dict[Decision, Sequence[str]] = {
            "allow": (*said.allow, *self.options.allow),
            "ask": said.ask,
            "deny": (*said.deny, *self.options.deny),
        }
        rules = [parse_rule(text, decision, self.territory) for decision in texts for text in texts[decision]]
        return policy_of(mode, self.territory, (*rules, *(regex_rule(text, "ask", risk=8) for text in said.dangerous)))

    def rulebook(self) -> RuleBook:
        return RuleBook(self.places, self.territory, trusts=lambda content: self.trust.accepts(item_of_rules(content)))

    def learning(self, book: RuleBook) -> Learning:
        """Rules out of answers. Where nobody sits nobody has habits."""
        habits = Habits(self.places.home, book.project) if self.options.someone_answers else None
        return Learning(self.territory, book, habits)

    def reviewer(self, vault: Vault | None) -> Reviewer | None:
        said = self.settings.policy.reviewer
        if not said.model:
            return None

        async def reviewing() -> Provider:
            return self.provider(await self.choice(said.model), vault)

        return Reviewer(said, reviewing)

    def environment(self) -> dict[str, str]:
        """The variables that every command gets besides those that all see."""
        return dict(self.settings.shell.env)

    def profile(self, entry: ModelEntry | None) -> Profile:
        said = self.settings.tools.profile
        if said != "auto":
            return said
        if entry is None:
            return "full"
        # The scripted model's id is a path, of which no word tells a size; and a window that was only assumed says nothing.
        name = "" if entry.service == "scripted" else entry.id
        return profile_for(name, None if entry.assumed else entry.window)

    def shape(self, entry: ModelEntry | None) -> tuple[object, ...]:
        """What of a model decides which tools and how much of the instructions it is given, and how long a result may be."""
        if entry is None:
            return ()
        tier = tier_of(entry.window, self.settings.context)
        return self.profile(entry), tier.name, tier.system, tier.one_result, entry.abilities.vision

    def toolbox(self, results: Results, live: Live, entry: ModelEntry | None) -> Toolbox:
        """The tools that are offered: what the flags name, else what the profile and the settings leave."""
        cap = cap_for(entry.window if entry else None)
        if entry:
            one = tier_of(entry.window, self.settings.context).one_result
            cap = structs.replace(cap, bytes=max(LEAST_BYTES, one * CHARACTERS_PER_TOKEN))
        limits = Limits(results, lambda: cap)
        tools = built_in(
            limits=limits,
            gate=SyntaxGate(self.settings.tools.syntax_gate),
            live=live,
            ripgrep=which("rg"),
            project=Glance(self.workspace()),
            timeout_s=self.settings.shell.timeout_s,
            search=self._search(limits),
            sees=entry.abilities.vision if entry else True,
            pages=PageCache(self.places.home) if self.settings.web.cache_ttl_s else None,
            own=(self.places.home,),
            guarded=lambda path: self.territory.is_protected(path) or self.territory.is_secret(path),
        )
        if (answers := self.options.recorded_results) is not None:
            tools = [RecordedTool(tool.spec, answers) for tool in tools]
        toolbox = Toolbox(tools)
        wanted = self.options.tools
        if wanted == ():
            return Toolbox([])
        unwanted: list[str] = []
        if wanted is None:
            disabled = self.settings.tools.disabled
            unwanted = [name for name in disabled if toolbox.complaint_about(name) is None]
            self.complaints = [
                f"tools.disabled: {toolbox.complaint_about(name)}" for name in disabled if name not in unwanted
            ]
        offered = toolbox.in_profile(self.profile(entry)) if wanted is None else toolbox.only(wanted)
        left = toolbox.without([*unwanted, *self.options.without_tools]).names
        return offered.only([name for name in offered.names if name in left])

    def _search(self, limits: Limits) -> Tool | None:
        said = self.settings.web
        found = engines(self._env, searxng_url=said.searxng_url, duckduckgo=said.duckduckgo)
        if not found:
            return None

        def made() -> Tool:
            module = import_module("codi.tools.web_search")
            searches = module.Searches(found, ttl_s=said.cache_ttl_s)
            tool: Tool = module.WebSearchTool(searches, limits, preferred=said.engine, limit=said.max_results)
            return tool

        return DeferredTool(told("web_search", limit=said.max_results), made)

    def context_files(self) -> ContextFiles:
        return context_files(self._ground) if self.options.context_files else ContextFiles(())

    def nearby(self, start: ContextFiles) -> Nearby | None:
        return Nearby(self._ground, start) if self.options.context_files else None

    def instructions(
        self,
        tools: Sequence[ToolSpec],
        mode: Mode,
        files: ContextFiles,
        state: GitState | None,
        memories: Memories,
    ) -> list[Part]:
        return instructions(
            tools,
            mode,
            files.files,
            Surroundings(
                root=self.places.cwd,
                shell=self.settings.shell.path or "bash",
                git=to_builtins(state) if state else None,
            ),
            replaced=self._role(),
            appended=self._appended(),
            memory=memories.told() if self.settings.memory.enabled else "",
        )

    def fitted(
        self, toolbox: Toolbox, mode: Mode, state: GitState | None, memories: Memories, entry: ModelEntry | None
    ) -> Fitted:
        """Tools, instruction files and system prompt, as much of them as the model's window has room for."""

        def system_of(toolbox: Toolbox, files: ContextFiles) -> str:
            return prompt_of(self.instructions(toolbox.specs, mode, files, state, memories))

        files = self.context_files()
        if entry is None:
            return Fitted(toolbox, files, system_of(toolbox, files))
        given = self.options.tools is not None
        return fitted(toolbox, files, system_of, entry.window, self.settings.context, tools_are_given=given)

    def memories(self) -> Memories:
        """What is remembered of the person, and of a project that is trusted."""
        return Memories(
            self.places.home,
            self.places.root if self.trust.how == "all" or self.trust.hashes else None,
            is_secret=lambda text: without_secrets(text) != text,
            today=lambda: time.strftime("%Y-%m-%d"),
            max_kb=self.settings.memory.max_kb,
        )

    def _role(self) -> Part | None:
        """What stands in place of role and rules: of the flag, else of the settings, else of a file."""
        if self.options.system_prompt is not None:
            return Part("role", self.options.system_prompt, "--system-prompt")
        if said := self.settings.agent.system_prompt:
            return Part("role", said, "agent.system_prompt")
        return prompt_file("SYSTEM.md", self.places, self.trust)

    def _appended(self) -> list[Part]:
        file = prompt_file("APPEND_SYSTEM.md", self.places, self.trust)
        said = self.settings.agent.append_system_prompt
        return [
            *([file] if file else []),
            *([Part("appended", said, "agent.append_system_prompt")] if said else []),
            *(Part("appended", text, "--append-system-prompt") for text in self.options.append_system_prompt),
        ]

    def vault(self, entries: Sequence[Entry]) -> Vault | None:
        """What veils the secrets of a session with these entries; None where that is switched off."""
        return vault_for(self.places, self.settings, self._env, entries)

    def provider(self, choice: Choice, vault: Vault | None = None, allowance: Allowance | None = None) -> Provider:
        """The model, asked again where that may help, within the budget, and told no secrets."""
        if self.options.stand_in:
            return self.options.stand_in
        retry = self.settings.retry
        adapter = self._adapter(choice, vault)
        rated = Rated(Veiled(adapter, vault) if vault else adapter, self._bucket(choice.service))
        resilient = Resilient(
            Broken(rated, self._breakers.setdefault(choice.model, Breaker())),
            tries=retry.tries,
            base_s=retry.base_s,
            cap_s=retry.cap_s,
            pause_over_s=retry.pause_over_s,
            allowance=allowance,
        )
        return Budgeted(resilient, self.budget)

    def fallbacks(self, choice: Choice) -> Sequence[str]:
        """The models that stand in for this one: those of its name in the model map, else those of every model."""
        return self.map.fallbacks.get(choice.name, ()) or self.settings.model.fallbacks

    def _bucket(self, service: str) -> Bucket:
        if service not in self._buckets:
            own = self.settings.providers.get(service)
            self._buckets[service] = Bucket((own.requests_per_minute or None) if own else None)
        return self._buckets[service]

    def speaking(self, provider: Provider, toolbox: Toolbox) -> Provider:
        """The model as one that can call these tools: by its text, where it has no other way."""
        if self.settings.tools.text_calls == "off":
            return provider
        known = self._of_files.catalog.entry(provider.model.service, provider.model.id)
        return TextCalls(
            provider,
            toolbox,
            self._without_tools,
            native=known.abilities.tools,
            handoff=self.settings.model.handoff_thinking,
        )

    def in_words(self, entry: ModelEntry | None, tools: Sequence[ToolSpec]) -> list[Part]:
        """What the system prompt says of the tools to a model that is known to take none."""
        if entry is None or not tools or self.settings.tools.text_calls == "off":
            return []
        takes_tools = entry.abilities.tools and self._of_files.catalog.entry(entry.service, entry.id).abilities.tools
        return [] if takes_tools else [tools_in_words(tools)]

    def mind(
        self,
        provider: Provider,
        system: str,
        tools: Sequence[ToolSpec],
        thinking: Level,
        session_id: str,
        *,
        name: str = "",
        begin_turn: Callable[[], None] = lambda: None,
    ) -> Mind:
        """Who thinks, with what is the same in each request. A model that cannot think is not asked to. `name` is what the
        model map calls it."""
        of, named = self.settings.model, self.map.models.get(name, NamedModel())
        return Mind(
            provider=provider,
            system=(system,),
            tools=tuple(tools),
            thinking=thinking if provider.model.abilities.thinking else "off",
            price_of=lambda usage: prices.cost(usage, provider.model.prices),
            max_output=named.longest or of.max_output,
            temperature=of.temperature if named.temperature is None else named.temperature,
            top_p=of.top_p,
            cache=of.cache_retention,
            session_id=session_id,
            timeouts=self._timeouts(provider.model.service),
            begin_turn=begin_turn,
        )

    @contextmanager
    def auditing(self, session_id: str, flags: Sequence[str]) -> Iterator[Audit | None]:
        """The record of an opened session, which hears of its connections too; None where none is wanted."""
        if not self.settings.audit.enabled:
            yield None
            return
        self._audit = audit = Audit(self.places.home, session_id)
        audit.write("session_start", {"codi": VERSION, "cwd": self.places.cwd, "flags": list(flags)})
        for item in self.trust.items:
            if self.trust.accepts(item):
                audit.write("trust", {"item": item.id, "file": item.file, "hash": item.hash, "by": self.trust.how})
        self.listening.append(audit.connected)
        try:
            yield audit
        finally:
            self.listening.remove(audit.connected)
            self._audit = None
            audit.close()

    async def aclose(self) -> None:
        """End the connections to models."""
        await self._connections.aclose()

    def _adapter(self, choice: Choice, vault: Vault | None) -> Provider:
        if self.options.replay:  # nobody is asked, so nobody wants a key
            return self._speaker(choice, NoKey(), vault)
        credential = self._logins.credential(choice, self.options.api_key)
        if self._audit and credential.source:
            self._audit.write("credential_used", {"provider": choice.service, "source": credential.source})
        if not isinstance(credential, Login | CopilotToken):
            return self._speaker(choice, credential, vault)

        def at(base_url: str, headers: Mapping[str, str]) -> Provider:
            # Who leads a service elsewhere is not led on by its login; of what else it wants of an account nothing is left out.
            address = base_url if base_url and is_at_home(choice) else choice.base_url
            placed = structs.replace(choice, base_url=address, headers={**choice.headers, **headers})
            return self._speaker(placed, credential, vault)

        return LoggedIn(credential, at)

    def _speaker(self, choice: Choice, credential: Credential, vault: Vault | None) -> Provider:
        watched = (
            WatchedKey(credential, vault, f"{choice.service}_key")
            if vault and not isinstance(credential, NoKey)
            else credential
        )
        return provider_for(
            choice,
            self.entry(choice),
            watched,
            self._connections,
            timeouts=self._timeouts(choice.service),
            handoff=self.settings.model.handoff_thinking,
        )

    def _timeouts(self, service: str) -> Timeouts:
        own = self.settings.providers.get(service)
        return timeouts_for(service, (own.timeouts or {}) if own else {})

    def workspace(self) -> LocalWorkspace:
        shell = self.settings.shell
        return LocalWorkspace(
            self.places.cwd,
            extra_dirs=self.territory.extra_dirs,
            environment=self.environment(),
            shell=shell.path or None,
            offline=self.settings.network.offline,
            hear=self._connected,
            allow_private=self._allowed_hosts(),
            sandbox=self.sandbox(),
        )

    def sandbox(self) -> Sandbox:
        """What confines the commands of this start."""
        territory = self.territory
        return Sandbox(
            self.settings.sandbox,
            roots=(territory.root, *territory.extra_dirs),
            home=territory.home,
            codi_home=territory.codi_home,
            protected=tuple(territory.placed(pattern) for pattern in territory.protected),
            is_secret=territory.is_secret,
            spool=os.environ.get("TMPDIR", "/tmp"),
            offline=self.settings.network.offline,
            hear=self._connected,
        )

    def _allowed_hosts(self) -> tuple[str, ...]:
        """Whoever names a search engine of their own allows its host."""
        said = self.settings.web
        if not said.searxng_url:
            return said.allow_private
        try:
            host, port = endpoint_of(said.searxng_url)
        except NoEndpoint as error:
            raise ConfigError(f"web.searxng_url: {error}", hint="Give it as http://host:port.") from error
        return (*said.allow_private, f"{host}:{port}")

    def ledger(self) -> Ledger | None:
        """What keeps the changes of the project around the working directory; None where that is switched off."""
        undo = self.settings.undo
        return Ledger(self.places.home, self.places.root, undo) if undo.enabled else None

    def ledger_path(self, path: str) -> str:
        """What a path that a person typed is called in the ledger."""
        return paths.located(paths.joined(path, self.places.cwd)).removeprefix(f"{self.places.root.rstrip('/')}/")
