"""What goes into the editor beside what is typed: from the clipboard, and files that are dropped on the window."""

import math
from collections.abc import Callable

import anyio

from codi.frontends.tui.composer import Composer
from codi.frontends.tui.placeholders import size_of

_BEGINS_A_PATH = ("/", "~/", "file://", "'/", '"/')


class Enclosing:
    """`write` sends to the terminal, `tell` says something to the person, `changed` is called when the editor holds more."""

    def __init__(
        self,
        composer: Composer,
        write: Callable[[str], object],
        cwd: str,
        *,
        tell: Callable[[str], object],
        changed: Callable[[], object],
    ) -> None:
        self._composer = composer
        self._write = write
        self._cwd = cwd
        self._tell = tell
        self._changed = changed
        self._wanted, self._to_paste = anyio.create_memory_object_stream[None](math.inf)
        self._is_asked = False

    def paste(self) -> None:
        """What lies in the clipboard goes into the editor, when it was read."""
        self._wanted.send_nowait(None)

    async def work(self) -> None:
        """Until it is cancelled."""
        async for _ in self._to_paste:
            from codi.frontends.tui import clipboard  # by a key that few press

            picture = await clipboard.picture_in_clipboard()
            if picture and (size := size_of(picture)):
                self._composer.attach(picture, size)
            elif text := await clipboard.text_in_clipboard():
                self._composer.paste(text)
            else:
                self._is_asked = True
                self._write(clipboard.ASK_TEXT)
                self._tell("the clipboard holds no image that can be read here")
            self._changed()

    def hear(self, report: str) -> None:
        """The terminal tells what lies in the clipboard; it counts only when it was asked."""
        if not self._is_asked or not report.startswith("]52;"):
            return
        from codi.frontends.tui.clipboard import text_of_report

        text, self._is_asked = text_of_report(report), False
        if text:
            self._composer.paste(text)

    def drop(self, text: str) -> bool:
        """Files that were dropped: pictures go along, others are mentioned. False for any other text."""
        if not text.lstrip().startswith(_BEGINS_A_PATH):
            return False
        from codi.frontends.tui.dropping import content_of, dropped, mention

        paths = dropped(text)
        for path in paths:
            content = content_of(path)
            size = size_of(content)
            if size:
                self._composer.attach(content, size)
            else:
                self._composer.editor.insert(mention(path, self._cwd))
            self._composer.editor.insert(" ")
        return bool(paths)
