"""What one action may do: the workspace, able to do what was declared and no more."""

import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence

from codi.protocol.effects import Effect, Reaches, Reads, Runs, Writes
from codi.workspace.endpoints import endpoint_of
from codi.workspace.paths import inside, joined, located
from codi.workspace.trial import Keeping
from codi.workspace.workspace import (
    Confinement,
    Fetched,
    FileFacts,
    Job,
    Outcome,
    Replacement,
    Size,
    Stamp,
    UndeclaredEffect,
    Workspace,
)


class Grant:
    """`effects` are what policy judged. A declared folder covers what lies below it: for reading, for changing files that
    exist, and for all writing where it is to be deleted or moved. That a name exists is known by whoever may see one of its folder's files, so facts and
    names of the folder around a declared path are granted too, and where else a file of its name lies.

    With `looks` its commands are known to only look at things, and are held to that; what others change, `keeping` decides on.
    """

    def __init__(
        self,
        workspace: Workspace,
        effects: Sequence[Effect],
        tell: Callable[[str], None],
        *,
        looks: bool = False,
        keeping: Keeping | None = None,
    ) -> None:
        self.root = workspace.root
        self._workspace = workspace
        self._tell = tell
        resolved = workspace.resolved(effects)
        self._written = {effect.path for effect in resolved if isinstance(effect, Writes)}
        self._read = self._written | {effect.path for effect in resolved if isinstance(effect, Reads)}
        self._taken_away = {
            effect.path for effect in resolved if isinstance(effect, Writes) and effect.kind in ("delete", "move")
        }
        self._reached = {(effect.host, effect.port) for effect in resolved if isinstance(effect, Reaches)}
        self._confinement = Confinement(
            looks=looks,
            keeping=None if looks or self._written else keeping,
            writes=tuple(sorted(self._written)),
            hosts=tuple(sorted(f"{host}:{port}" for host, port in self._reached)),
        )
        self._runs = {effect for effect in resolved if isinstance(effect, Runs)}

    def resolve(self, path: str) -> str:
        return self._workspace.resolve(path)

    def shown(self, path: str) -> str:
        return self._workspace.shown(path)

    def resolved(self, effects: Sequence[Effect]) -> tuple[Effect, ...]:
        return self._workspace.resolved(effects)

    def facts(self, path: str) -> FileFacts:
        # What a folder says of a link in it is known to who may read the folder, wherever the link leads.
        folder, name = os.path.split(path)
        place = self.resolve(path) if name.startswith(("~", "@", "..")) else os.path.join(self.resolve(folder), name)
        if os.path.dirname(place) not in self._folders() and not inside(place, self._read):
            self._check_read(self.resolve(path))
        return self._workspace.facts(path)

    def in_place(self, path: str) -> str | None:
        self._check_read(self.resolve(path))
        return self._workspace.in_place(path)

    async def read(self, path: str) -> bytes:
        self._check_read(self.resolve(path))
        return await self._workspace.read(path)

    def contents(self, path: str, names: Iterable[str], *, most_bytes: int) -> Iterator[tuple[str, bytes]]:
        self._check_read(self.resolve(path))
        return self._workspace.contents(path, names, most_bytes=most_bytes)

    async def replace(self, path: str, content: bytes, *, expected: bytes | None) -> None:
        self._check_written(self.resolve(path))
        await self._workspace.replace(path, content, expected=expected)

    async def replace_all(self, changes: Sequence[Replacement]) -> None:
        for change in changes:
            # A link that is taken away is judged by where it lies, wherever it leads.
            taken = change.content is None and inside(located(joined(change.path, self.root)), self._taken_away)
            modified = change.content is not None and change.expected is not None
            if not taken:
                self._check_written(self.resolve(change.path), below=modified)
        await self._workspace.replace_all(changes)

    async def make_directory(self, path: str) -> None:
        self._check_written(self.resolve(path))
        await self._workspace.make_directory(path)

    def entries(self, path: str) -> list[tuple[str, FileFacts]]:
        place = self.resolve(path)
        if place not in self._folders():
            self._check_read(place)
        return self._workspace.entries(path)

    def walk(
        self, path: str, *, hidden: bool = True, include_ignored: bool = False, folders: bool = False
    ) -> Iterator[str]:
        self._check_read(self.resolve(path))
        return self._workspace.walk(path, hidden=hidden, include_ignored=include_ignored, folders=folders)

    def namesakes(self, path: str) -> Iterator[str]:
        self._check_read(self.resolve(path))
        return self._workspace.namesakes(path)

    def stamp(self, path: str) -> Stamp | None:
        return self._workspace.stamp(path)

    def saw(self, path: str, content: bytes) -> None:
        self._workspace.saw(path, content)

    async def run(
        self,
        command: Runs,
        *,
        timeout_s: float,
        keep_head: int,
        keep_tail: int,
        env: Mapping[str, str] | None = None,
        tell: Callable[[str], None] | None = None,
        confinement: Confinement = Confinement(),
    ) -> Outcome:
        self._check_runs(command)
        return await self._workspace.run(
            command,
            timeout_s=timeout_s,
            keep_head=keep_head,
            keep_tail=keep_tail,
            env=env,
            tell=tell or self._tell,
            confinement=self._confinement,
        )

    async def start(
        self,
        command: Runs,
        *,
        timeout_s: float | None,
        keep: int,
        terminal: Size | None = None,
        confinement: Confinement = Confinement(),
    ) -> Job:
        self._check_runs(command)
        return await self._workspace.start(
            command, timeout_s=timeout_s, keep=keep, terminal=terminal, confinement=self._confinement
        )

    def job(self, id: str) -> Job:
        return self._workspace.job(id)

    async def feed(self, job: Job, content: bytes) -> None:
        self._check_runs(job.runs)
        await self._workspace.feed(job, content)

    def lines_of(self, words: Sequence[str], *, cwd: str = ".") -> AsyncIterator[bytes]:
        place = self.resolve(cwd)
        if place not in self._folders():
            self._check_read(place)
        return self._workspace.lines_of(words, cwd=cwd)

    async def fetch(self, url: str, *, headers: Mapping[str, str] = {}, most_bytes: int) -> Fetched:
        host, port = endpoint_of(url)
        if (host, port) not in self._reached:
            raise UndeclaredEffect(f"reaches {host}:{port}")
        return await self._workspace.fetch(url, headers=headers, most_bytes=most_bytes)

    async def check_public(self, url: str) -> None:
        await self._workspace.check_public(url)

    def tell(self, text: str) -> None:
        self._tell(text)

    def _folders(self) -> set[str]:
        return {os.path.dirname(path) for path in self._read}

    def _check_runs(self, command: Runs) -> None:
        if self.resolved([command])[0] not in self._runs:
            raise UndeclaredEffect(f"runs {command.line} in {command.cwd}")

    def _check_read(self, place: str) -> None:
        if not inside(place, self._read):
            raise UndeclaredEffect(f"reads {place}")

    def _check_written(self, place: str, *, below: bool = False) -> None:
        if place not in self._written and not inside(place, self._written if below else self._taken_away):
            raise UndeclaredEffect(f"writes {place}")
