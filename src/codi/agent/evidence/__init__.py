"""Which runs and changes back what the model claims."""
