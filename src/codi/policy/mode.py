"""The names of the permission modes."""

from typing import Literal, get_args

Mode = Literal["default", "accept-edits", "plan", "read-only", "full-access"]
MODES: tuple[Mode, ...] = get_args(Mode)
