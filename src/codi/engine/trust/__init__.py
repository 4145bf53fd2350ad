"""What of a project is obeyed: each thing that it brings, pinned to its content."""
