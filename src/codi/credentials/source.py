"""A key from where the person says it lies: standard input, an open descriptor, a variable, or a command."""

import os
import subprocess
import sys

from codi.protocol.errors import CredentialError, UsageError

_COMMAND_S = 10


class SourceKey:
    """`-`, `fd:N`, `env:NAME` or `!COMMAND`. Read once, when the first request needs it."""

    def __init__(self, text: str) -> None:
        self.source = text
        self._secret: str | None = None

    async def secret(self) -> str | None:
        if self._secret is None:
            self._secret = self._read().strip()
            if not self._secret:
                raise CredentialError(f"the key source {self.source} gave nothing", hint="Check what it prints.")
        return self._secret

    def __repr__(self) -> str:
        return f"SourceKey({self.source})"

    def _read(self) -> str:
        kind, _, rest = self.source.partition(":")
        try:
            if self.source == "-":
                return sys.stdin.readline()
            if kind == "fd" and rest.isdigit():
                with os.fdopen(int(rest)) as file:
                    return file.readline()
            if kind == "env" and rest:
                return os.environ.get(rest, "")
            if self.source.startswith("!"):
                words = ["/bin/sh", "-c", self.source[1:]]
                done = subprocess.run(
                    words, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=_COMMAND_S, check=True
                )
                return done.stdout.decode(errors="replace")
        except subprocess.CalledProcessError as error:
            raise self._unreadable(f"it ended with exit status {error.returncode}") from error
        except subprocess.TimeoutExpired as error:
            raise self._unreadable(f"it took longer than {_COMMAND_S} s") from error
        except OSError as error:
            raise self._unreadable(error.strerror or "it cannot be opened") from error
        raise UsageError(f"unknown key source {self.source!r}", hint="Give -, fd:N, env:NAME or !COMMAND.")

    def _unreadable(self, why: str) -> CredentialError:
        return CredentialError(f"the key source {self.source} cannot be read: {why}", hint="Try it by hand.")
