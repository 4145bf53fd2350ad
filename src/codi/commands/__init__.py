"""What a person can type: commands that begin with a slash, and what each of them does."""
