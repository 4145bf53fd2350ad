"""What is allowed: pure judgement over effects."""
