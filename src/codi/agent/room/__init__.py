"""What fits into a model's window: counted, and made shorter where it does not fit."""
