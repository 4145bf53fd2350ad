"""What is secret: where a key comes from, and that it goes nowhere else."""
