"""What is remembered: an append-only tree of entries and its stores."""
