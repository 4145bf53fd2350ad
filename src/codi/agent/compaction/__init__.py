"""The earlier part of a conversation, said shorter without losing what counts."""
