"""What a command line for the shell says, as far as it can be known without running it."""
