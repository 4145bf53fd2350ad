"""The blocks of the transcript: what was said, thought, called and noticed."""
