"""Who thinks: one module per model service."""
