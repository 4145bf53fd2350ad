"""A result as the model gets it: cut to the cap, its full text kept first, and a notice that names where."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct, structs, to_builtins

from codi.tools.output import Cap, Cut, head, head_tail, recall_notice, with_notice
from codi.tools.results import Results
from codi.tools.tool import ToolOutput


class Limits:
    """`cap` is asked at each result, for the model and with it the window may change."""

    def __init__(self, results: Results, cap: Callable[[], Cap] = Cap) -> None:
        self.results = results
        self._cap = cap

    @property
    def cap(self) -> Cap:
        return self._cap()

    def head(
        self,
        tool: str,
        call: Struct,
        text: str,
        notices: Sequence[str] = (),
        details: Mapping[str, Any] | None = None,
    ) -> ToolOutput:
        """The beginning of a text, for what is sorted by importance or can be asked for more narrowly."""
        cut = head(text, self.cap.lines, self.cap.bytes)
        if cut.truncated:
            notices = [self.kept_notice(cut, lambda: self.results.keep(tool, arguments_of(call), text)), *notices]
        return ToolOutput(
            text=with_notice(cut.text, *notices),
            details={**(cut.details or {}), **(details or {})} or None,
        )

    def limited(self, tool: str, arguments: dict[str, Any], output: ToolOutput) -> ToolOutput:
        """The output of a tool that keeps no limits of its own, such as a foreign one: its beginning and its end. One that was
        cut already is left as it is."""
        if output.details and "truncation" in output.details:
            return output
        cut = head_tail(output.text, self.cap.lines, self.cap.bytes)
        if not cut.truncated:
            return output
        full = output.text if output.full is None else output.full
        notice = self.kept_notice(cut, lambda: self.results.keep(tool, arguments, full, is_error=output.is_error))
        return structs.replace(
            output,
            text=with_notice(cut.text, notice),
            details={**(cut.details or {}), **(output.details or {})},
        )

    def kept_notice(self, cut: Cut, keep: Callable[[], str]) -> str:
        """Keeps the full text, then says where. A full disk costs the text, not the result."""
        try:
            return recall_notice(cut, keep())
        except OSError as error:
            lost = recall_notice(cut, "").partition(" Full output: ")[0]
            return f"{lost} The full output could not be kept: {error.strerror}"


def arguments_of(call: Struct) -> dict[str, Any]:
    """What was asked for, without what is the default anyway."""
    defaults = {field.name: field.default for field in structs.fields(call)}
    return {key: value for key, value in to_builtins(call).items() if value != defaults.get(key)}
