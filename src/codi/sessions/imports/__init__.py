"""Sessions of other agents, read from where they keep them. Their files are never written to."""
