"""The host in this process: it opens conversations, new ones and old ones, and closes what they used."""

import os
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial

import anyio
from anyio import RunFinishedError, from_thread, to_thread
from anyio.lowlevel import current_token
from msgspec import structs, to_builtins

from codi.agent.agent import Agent
from codi.agent.approvals import Approvals
from codi.agent.calls import Calls
from codi.agent.confining import Confining
from codi.agent.context_facts import context_facts
from codi.agent.cover import Cover
from codi.agent.entities import Compressed
from codi.agent.gate import Gate
from codi.agent.instructions import Part
from codi.agent.mind import Mind
from codi.agent.proposing import Proposing
from codi.agent.questions import Questions
from codi.agent.record import Record
from codi.agent.remembering import Remembering
from codi.agent.room.room import Room
from codi.agent.room.upkeep import Upkeep
from codi.agent.taking_back import TakingBack
from codi.agent.titles import Ask, Titles
from codi.agent.veiling import veiled
from codi.credentials.vault import Vault
from codi.engine.assembly import Assembly
from codi.engine.beginning import Beginning, began, greeting_of, model_of, new_id, new_session, stored_session
from codi.engine.fitting import Fitted
from codi.engine.layers import load
from codi.engine.local import Listeners, LocalConversation
from codi.engine.model_list import ModelList
from codi.engine.model_map_files import Tables
from codi.engine.options import Options
from codi.engine.places import Places
from codi.engine.settings import Settings
from codi.engine.shelf import Shelf
from codi.engine.version import VERSION
from codi.insights.audited import Audited
from codi.policy.mode import MODES, Mode
from codi.policy.modes import on, stricter
from codi.policy.policy import Policy
from codi.protocol.conversation import SessionSummary
from codi.protocol.errors import CodiError, UsageError
from codi.protocol.events import (
    CallIntended,
    Entry,
    Event,
    Fact,
    JobEndedDelta,
    ModelChosen,
    PolicyChosen,
    PolicyDelta,
    SessionImported,
    SessionOpened,
    StatusDelta,
    ThinkingChosen,
    TitleGiven,
)
from codi.protocol.messages import Level
from codi.protocol.tooling import ToolSpec
from codi.providers.choice import Choice
from codi.providers.fallback import Fallback
from codi.providers.knowing import known_model
from codi.providers.nobody import Nobody
from codi.providers.pausing import Pausing
from codi.providers.provider import ModelEntry, Provider
from codi.providers.resilient import Allowance
from codi.sessions import folds, resume
from codi.sessions.files import reading_of
from codi.sessions.forking import fork_at
from codi.sessions.session import Session
from codi.sessions.tree import place_of
from codi.tools.kit import Live
from codi.tools.results import Results, results_directory
from codi.tools.toolbox import CALLS_A_STEP
from codi.workspace import git
from codi.workspace.git import GitState
from codi.workspace.ledger.ledger import Ledger


class Engine:
    """`env` is where keys and addresses are looked for; `warnings` are those of the configuration, told already."""

    def __init__(
        self,
        places: Places,
        settings: Settings = Settings(),
        options: Options = Options(),
        env: Mapping[str, str] = os.environ,
        warnings: Sequence[str] = (),
    ) -> None:
        self._assembly = Assembly(places, settings, options, env)
        self._shelf = Shelf(places, settings.sessions)
        self._places = places
        self._settings = settings
        self._options = options
        self._env = env
        self.warnings = tuple(warnings)
        self._warnings: list[str] = []

    @classmethod
    def at(cls, directory: str, *, model: str = "", mode: Mode | None = None, allow: Sequence[str] = ()) -> "Engine":
        """For programs: a host that works in `directory`, set as `codi` itself would be there. `allow` are rules as `--allow`
        takes them. Raises CodiError as `codi` would say it."""
        places = Places.at(directory)
        flags = {"model.default": model, "permission_mode": mode}
        loaded = load(places, os.environ, {key: value for key, value in flags.items() if value}, ())
        options = Options(
            allow=tuple(allow),
            model_given=bool(model),
            mode_given=mode is not None,
            said_of_model=tuple(loaded.model_layers()),
        )
        return cls(places, loaded.settings, options, warnings=loaded.warnings)

    @asynccontextmanager
    async def open(
        self, session_id: str | None = None, *, thinks: bool = True, beginning: Beginning | None = None
    ) -> AsyncIterator[LocalConversation]:
        """A conversation: a new one, or the session that is meant by a path, the beginning of an id, or a name. Raises
        CodiError before anything is kept when there is no such session or no model to talk to. One that does not think
        needs no model, and can only use tools. `beginning` is what there is already of a new one."""
        parts, listeners = self._assembly, Listeners()
        with (
            self._session(session_id, beginning) as session,
            self._results(session, vault := parts.vault(session.entries)) as results,
            parts.auditing(session.store.session_id, self._options.flags) as audit,
        ):
            path = session.path()
            choice = beginning.choice if beginning else await self._choice_for(path) if thinks else None
            thinking = self._thinking_of(path, choice)
            mode = self._mode_of(path)
            state = await git.state(self._places.cwd)

            def hear(event: Event) -> None:
                listeners.hear(event)
                if audit:
                    audit.hear(event)

            record = Record(session, hear, vault, joins=self._options.someone_answers)
            allowance = Allowance(self._settings.retry.per_turn)
            provider = parts.provider(choice, vault, allowance) if choice else Nobody()
            entry = await known_model(provider) if choice else None
            questions = Questions(record)
            memories = parts.memories()
            small = await self._summarizer()

            def thinkers(mind: Mind) -> list[Mind]:
                if small is None:
                    return [mind]
                provider = parts.provider(small, vault, allowance)
                return [parts.mind(provider, "", (), "off", mind.session_id, name=small.name), mind]

            room = Room(record, self._settings.context, results, thinkers=thinkers)
            room.keep_again()
            proposing = Proposing(memories, record, lambda: thinkers(agent.mind), room.paid)
            remembering = Remembering(memories, record, proposing)
            live = Live(
                todos=lambda: folds.todos(session.path()),
                facts=lambda: context_facts(room, agent.mind, session.path()),
                ask=questions.ask if self._options.someone_answers else None,
                remember=remembering.for_model,
            )

            def fitted_to(entry: ModelEntry | None, mode: Mode) -> Fitted:
                return parts.fitted(parts.toolbox(results, live, entry), mode, state, memories, entry)

            fit, shape = fitted_to(entry, mode), parts.shape(entry)
            first_fit, toolbox, files = fit, fit.toolbox, fit.files
            called = choice.name if choice else ""
            workspace, ledger = parts.workspace(), parts.ledger()
            cover = Cover(ledger, workspace, record, lambda: workspace.jobs.are_running)
            book = parts.rulebook()
            approvals = Approvals(record, parts.territory, parts.learning(book))
            calls = Calls(toolbox, workspace, parts.policy(mode), approvals, record, cover)
            calls.judging.reviewer, calls.judging.environment = parts.reviewer(vault), parts.environment()
            calls.judging.confining = Confining(workspace.sandbox, record)
            calls.parallel = self._settings.agent.parallel
            calls.at_once = CALLS_A_STEP[parts.profile(entry)]

            def speaking(provider: Provider) -> Provider:
                spoken = parts.speaking(Audited(provider, audit.write) if audit else provider, fit.toolbox)
                return Compressed(spoken, lambda: room.settings.compress)

            async def speaker(name: str) -> Provider:
                return speaking(parts.provider(await parts.choice(name), vault, allowance))

            def mind_of(choice: Choice | None, provider: Provider, thinking: Level) -> Mind:
                name, fallbacks = (choice.name, parts.fallbacks(choice)) if choice else ("", ())
                first = speaking(provider)
                chain = Fallback(
                    first,
                    [partial(speaker, name) for name in fallbacks],
                    on_refusal=self._settings.model.fallback_on_refusal,
                )

                def begin_turn() -> None:
                    allowance.renew()
                    chain.rewind()

                answering = chain if fallbacks else first
                return parts.mind(
                    Pausing(answering) if self._options.someone_answers else answering,
                    fit.system,
                    fit.toolbox.specs,
                    thinking,
                    session.store.session_id,
                    name=name,
                    begin_turn=begin_turn,
                )

            async def rethink(name: str) -> Mind:
                nonlocal fit, shape, called
                named = await parts.choice(name)
                thinking = named.thinking or self._thinking_of(session.path(), None)
                provider = parts.provider(named, vault, allowance)
                entry = await known_model(provider)
                if (wanted := parts.shape(entry)) != shape:
                    # Tools, instructions and the size of a result are those of another window now.
                    fit, shape = fitted_to(entry, calls.judging.policy.mode), wanted
                    calls.judging.toolbox, calls.at_once = fit.toolbox, CALLS_A_STEP[parts.profile(entry)]
                    for notice in fit.notices:
                        record.tell(StatusDelta(kind="warning", text=notice))
                called = named.name
                return mind_of(named, provider, thinking)

            async def look_again() -> Mind | None:
                nonlocal small
                before = parts.map.entry(called)
                if not parts.read_map_again():
                    return None
                small = await self._summarizer()
                return await rethink(called) if parts.map.entry(called) != before else None

            def repolicy(mode: Mode) -> Policy:
                return on(calls.approvals.territory, parts.policy(mode))

            mind = mind_of(choice, provider, thinking)
            for fact in self._facts_of_opening(path, mind, mode, state):
                record.keep(fact)
            upkeep = Upkeep(room, record, lambda: agent.mind, workspace.resolve)
            taking_back = TakingBack(ledger, calls, record, parts.ledger_path)
            limits, required = self._settings.agent, self._options.require_evidence
            gate = Gate(calls, record, limits, self._settings.verify, required=required)
            nearby, news = parts.nearby(files), workspace.jobs.news
            here = current_token()

            def job_ended(job: str) -> None:
                with suppress(RunFinishedError):  # the last jobs end when nobody is there any more
                    from_thread.run_sync(record.tell, JobEndedDelta(job), token=here)

            workspace.jobs.heard_end = job_ended
            if reviewer := calls.judging.reviewer:
                reviewer.paid = lambda model, usage: room.paid_beside(model, usage, "review")
            agent = Agent(mind, calls, record, limits, nearby, news, gate, parts.budget, room)

            def consult(words: Sequence[str]) -> PolicyDelta:
                from codi.engine.policy_words import PolicyWords  # for the few who ask

                learning = approvals.learning
                desk = PolicyWords(lambda: learning.applied(calls.judging.policy), book, parts.territory, learning.hold)
                return desk.answer(words)

            conversation = LocalConversation(
                agent,
                record,
                listeners,
                began(session),
                rethink,
                repolicy,
                taking_back,
                questions,
                upkeep,
                remembering,
                results,
                consult,
                self._titles(record, vault),
                look_again,
                is_watched=self._options.someone_answers,
            )
            notices = (
                *self._warnings,
                *parts.complaints,
                *(f"{name} is not read: it is not trusted (codi trust)" for name in parts.tables.untrusted),
                *approvals.learning.begin_turn(),
                *session.store.warnings,
                *files.notices,
                *first_fit.notices,
                choice.warning if choice else "",
                *(_told_of(call) for call in folds.calls_cut_off(path)),
            )
            conversation.warnings = [notice for notice in notices if notice]
            conversation.greeting = greeting_of(choice)
            waited = folds.queue(path)
            if self._options.someone_answers:
                conversation.offer(waited)
                conversation.take_up(folds.calls_left_open(path))
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(conversation.work)
                tasks.start_soon(conversation.name)
                if ledger:
                    tasks.start_soon(_look_first, ledger, conversation.prompted)
                try:
                    yield conversation
                finally:
                    tasks.cancel_scope.cancel()
                    if self._options.someone_answers and (left := conversation.left()) != waited:
                        record.keep(left)
                    listeners.close()
                    with anyio.CancelScope(shield=True):
                        await workspace.aclose()
                        await cover.close()
                        with suppress(CodiError):  # how often a rule was used is not worth a failure
                            book.write_uses()
                        await parts.aclose()

    async def _summarizer(self) -> Choice | None:
        """The model of the task `summarize`, or of `fast`; None where the conversation's own sums up."""
        name = self._assembly.map.for_task("summarize", "fast")
        if not name:
            return None
        try:
            return await self._assembly.choice(name)
        except CodiError as error:
            self._warnings.append(f"tasks: {error}")
            return None

    def _titles(self, record: Record, vault: Vault | None) -> Titles | None:
        """The models of the tasks `title` and `fast`, then the conversation's own where a person watches: programs count on it
        being asked what they ask. A script that plays the model has an answer for every question of the conversation, and none for
        others."""
        parts, tasks = self._assembly, self._assembly.map.tasks
        if not self._settings.sessions.title:
            return None

        async def model(name: str) -> Provider:
            return parts.provider(await parts.choice(name), vault)

        async def own() -> Provider:
            chosen = folds.model(record.session.path())
            if chosen is None or chosen.provider == "scripted":
                raise UsageError("nobody finds titles", hint="Set tasks.title to a model.")
            return await model(f"{chosen.provider}/{chosen.model_id}")

        named = dict.fromkeys(tasks[task] for task in ("title", "fast") if task in tasks)
        models: list[Ask] = [partial(model, name) for name in named]
        if self._options.someone_answers:
            models.append(own)
        return Titles(record, models) if models else None

    def sessions(self, *, everywhere: bool = False) -> list[SessionSummary]:
        """Newest first; those of this working directory, or all."""
        return self._shelf.sessions(everywhere=everywhere)

    def newest(self) -> str:
        """The file of the session of this directory in which was last spoken. Raises SessionError where there is none."""
        return self._shelf.newest()

    def fork(self, text: str) -> str:
        """The file of a new session with all entries of the one that is meant; of `ID@ENTRY` with the path as far as that entry."""
        whole, at, entry = text.rpartition("@")
        if at and whole and not os.path.exists(os.path.expanduser(text)):
            source = self._shelf.path_of(whole)
            place = place_of(entry, reading_of(source).entries)
            made = fork_at(
                source,
                self._shelf.folder,
                place.leaf,
                at=time.time(),
                cwd=self._places.cwd,
                session_id=new_id(self._shelf, self._options),
            )
            return made.path
        source = self._shelf.path_of(text)
        fork = resume.fork(
            source, self._shelf.folder, self._places.cwd, at=time.time(), session_id=new_id(self._shelf, self._options)
        )
        if fork.warning:
            self._warnings.append(fork.warning)
        return fork.path

    @property
    def models(self) -> ModelList:
        return self._assembly.models()

    @property
    def parts(self) -> Assembly:
        """For who works with models and needs no conversation."""
        return self._assembly

    @property
    def favourites(self) -> Sequence[str]:
        """The models that cycling offers, as patterns."""
        return self._settings.model.favourites

    async def described(self, model: str) -> tuple[Choice, ModelEntry]:
        """A model and all that is known of it. Raises CodiError where there is none."""
        choice = await self._assembly.choice(model)
        return choice, self._assembly.entry(choice)

    @property
    def tables(self) -> Tables:
        """The model map as it is written."""
        return self._assembly.tables

    def beside(self, model: str, tools: Sequence[str], *, max_steps: int | None = None) -> "Engine":
        """A host like this one, spending of the same budget, whose conversations have this model and these tools."""
        of, limits = self._settings.model, self._settings.agent
        settings = structs.replace(
            self._settings,
            model=structs.replace(of, default=model),
            agent=structs.replace(limits, max_steps=max_steps or limits.max_steps),
        )
        options = structs.replace(self._options, tools=tuple(tools), model_given=True, said_of_model=(), name=None)
        other = Engine(self._places, settings, options, self._env)
        other._assembly.budget = self._assembly.budget
        return other

    async def choice(self) -> Choice:
        """The model that answers a new conversation. Raises CodiError where there is none."""
        return await self._assembly.choice()

    def tools(self) -> Sequence[ToolSpec]:
        return self._assembly.toolbox(Results(None), Live(), None).specs

    async def prompt_parts(self) -> list[Part]:
        """The system prompt as it would be sent, part by part."""
        parts = self._assembly
        entry = None
        with suppress(CodiError):  # without a model there is still a prompt, though no profile for one that is small
            entry = await known_model(parts.provider(await parts.choice()))
        toolbox = parts.toolbox(Results(None), Live(), entry)
        mode, state = self._settings.permission_mode, await git.state(self._places.cwd)
        await parts.aclose()
        told = parts.instructions(toolbox.specs, mode, parts.context_files(), state, parts.memories())
        return [*told, *parts.in_words(entry, toolbox.specs)]

    @contextmanager
    def _session(self, text: str | None, beginning: Beginning | None) -> Iterator[Session]:
        if beginning:
            session = beginning.session
        elif text is not None:
            session = stored_session(self._places, self._shelf, self._options, text)
        else:
            session = new_session(self._places, self._shelf, self._options)
        try:
            yield session
        finally:
            session.close()

    @contextmanager
    def _results(self, session: Session, vault: Vault | None) -> Iterator[Results]:
        file = session.store.path
        directory = results_directory(file) if file else None
        results = Results(directory, veil=partial(veiled, vault=vault)) if vault else Results(directory)
        try:
            yield results
        finally:
            results.close()

    async def _choice_for(self, path: Sequence[Entry]) -> Choice:
        """The model that the session had; where that cannot answer here any more, the one that answers a new session."""
        before = model_of(path, self._options)
        try:
            choice = await self._assembly.choice(before)
            if before and any(isinstance(entry.fact, SessionImported) for entry in path):
                await self._assembly.check_key(choice)  # another agent had it, perhaps with a login of its own
            return choice
        except CodiError as gone:
            if not before:
                raise
            choice = await self._assembly.choice()
            self._warnings.append(f"{before}, which the session had, cannot be asked ({gone}); {choice.model} answers")
            return choice

    def _thinking_of(self, path: Sequence[Entry], choice: Choice | None) -> Level:
        before = None if self._options.thinking_given else folds.thinking(path)
        return (choice and choice.thinking) or before or self._settings.model.thinking

    def _mode_of(self, path: Sequence[Entry]) -> Mode:
        """The mode that the session had, unless it would allow more than this start."""
        before, now = folds.policy_mode(path), self._settings.permission_mode
        if before not in MODES or self._options.mode_given:
            return now
        held = stricter(before, now)
        if held != before:
            self._warnings.append(f"the session was in mode {before}; this start allows no more than {held}")
        return held

    def _facts_of_opening(
        self, path: Sequence[Entry], mind: Mind, mode: Mode, state: GitState | None
    ) -> Iterator[Fact]:
        before = folds.model(path)
        origin = mind.provider.origin
        if before is None or (before.provider, before.model_id) != (origin.provider, origin.model):
            yield ModelChosen(origin.provider, origin.model)
            yield mind.described()
        elif (told := folds.described(path)) and told.window != mind.provider.model.window:
            yield mind.described()
        if folds.thinking(path) != mind.thinking:
            yield ThinkingChosen(mind.thinking)
        if (folds.policy_mode(path) or "default") != mode:
            yield PolicyChosen(mode, by="mode")
        if self._options.name and folds.name(path) != self._options.name:
            yield TitleGiven(self._options.name)
        yield SessionOpened(VERSION, git=to_builtins(state) if state else None, flags=self._options.flags)


async def _look_first(ledger: Ledger, prompted: anyio.Event) -> None:
    """While the model thinks for the first time: what there is, so that the first command need not wait for the look."""
    await prompted.wait()
    try:
        await to_thread.run_sync(ledger.first_look, abandon_on_cancel=True)
    except anyio.get_cancelled_exc_class():
        ledger.stop()
        raise


def _told_of(call: CallIntended) -> str:
    return f"{call.tool_name} was interrupted when codi ended; its effect is unknown. /changes shows what was changed."
