"""The full terminal interface: the main screen, the terminal's own scrollback, and only changed lines drawn."""
