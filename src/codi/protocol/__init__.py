"""What is said: the plain data that all parts exchange."""
