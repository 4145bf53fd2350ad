"""From a forked process to a confined command: what the warden needs for it, and nothing more."""
