"""How the services speak: one module a wire format."""
