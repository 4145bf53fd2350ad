"""[ui]: how the interface looks and what its keys do. Declared here, where both the engine and the frontends can see it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

StatusItem = Literal["cwd", "branch", "title", "tokens", "cost", "context", "model", "mode", "todo", "jobs", "sandbox"]


class UiSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """[ui]"""

    theme: Annotated[str, Meta(description="auto, dark, light, high-contrast, mono, or a theme of one's own")] = "auto"
    mode: Annotated[
        Literal["auto", "tui", "plain"],
        Meta(description="the whole interface, or lines that a screen reader can follow"),
    ] = "auto"
    images: Annotated[bool, Meta(description="draw pictures where the terminal can; else they are told of")] = True
    hide_thinking: Annotated[bool, Meta(description="fold what the model thinks")] = True
    paste_lines: Annotated[int, Meta(ge=1, description="longer pastes are shown as a marker")] = 10
    notify: Annotated[
        Literal["auto", "bell", "osc9", "off"],
        Meta(description="how to tell that a long turn ended, or that codi waits"),
    ] = "auto"
    motion: Annotated[bool, Meta(description="show that something runs by moving")] = True
    vim: Annotated[bool, Meta(description="write as in vim: normal, insert and visual")] = False
    double_escape: Annotated[
        Literal["tree", "fork", "none"], Meta(description="what esc twice opens while nothing runs")
    ] = "tree"
    status: Annotated[
        tuple[StatusItem, ...], Meta(description="what the line at the bottom shows, in this order; empty: what fits")
    ] = ()
    status_command: Annotated[
        str, Meta(description="a command whose first line is shown at the bottom, asked once a turn for a second")
    ] = ""
    popup_rows: Annotated[int, Meta(ge=3, le=20, description="rows of the list of completions")] = 5
    keys: Annotated[dict[str, tuple[str, ...]], Meta(description="keys by action")] = field(default_factory=dict)
