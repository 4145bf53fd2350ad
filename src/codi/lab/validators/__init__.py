"""How strict the services are: one module a wire format."""
