"""Pictures on the terminal: which way of drawing it understands, and the sequences of each."""
