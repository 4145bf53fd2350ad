"""What holds a command to what it was granted, whatever it tries."""
