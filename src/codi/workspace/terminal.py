"""A terminal's screen, from what a program writes to it."""

from typing import Any

from pyte import ByteStream, Screen


class Terminal:
    """So many columns and rows, without what scrolled away."""

    def __init__(self, columns: int, rows: int) -> None:
        self._screen = _AnsweringScreen(columns, rows)
        self._stream = ByteStream(self._screen)

    def feed(self, output: bytes) -> bytes:
        """Show what was written. What the terminal answers to it, such as where the cursor stands when it is asked."""
        self._stream.feed(output)
        answer, self._screen.answer = self._screen.answer, ""
        return answer.encode()

    def resize(self, columns: int, rows: int) -> None:
        self._screen.resize(rows, columns)

    @property
    def text(self) -> str:
        """The lines that hold anything, and where the cursor stands, counted from 1."""
        lines = [line.rstrip() for line in self._screen.display]
        while lines and not lines[-1]:
            lines.pop()
        cursor = self._screen.cursor
        return "\n".join([*lines, f"[cursor: row {cursor.y + 1}, column {cursor.x + 1}]"])


class _AnsweringScreen(Screen):  # type: ignore[misc, unused-ignore]
    def __init__(self, columns: int, rows: int) -> None:
        self.answer = ""
        super().__init__(columns, rows)

    def write_process_input(self, data: str) -> None:
        self.answer += data

    def report_device_attributes(self, mode: int = 0, **more: Any) -> None:
        """What kind of terminal it is; of the private questions that came later pyte knows nothing."""
        if not more:
            super().report_device_attributes(mode)
