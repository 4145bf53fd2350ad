"""Where work happens: files, processes, git, and the grant that limits an action to what it declared."""
