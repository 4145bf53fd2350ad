"""What every action changed, by content: from it come undo and redo, changes, blame, bisect and snapshots."""
