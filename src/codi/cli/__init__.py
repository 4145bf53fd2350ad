"""The door: introduces a frontend to a host."""
