"""Lines that begin with an exclamation mark."""

LINES_OF_SHELL = (
    "!COMMAND runs a command here, and the model reads what it printed with the next prompt; !!COMMAND runs it for you alone. "
    "Esc stops it."
)
