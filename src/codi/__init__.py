"""codi, the coding agent you can take back. Importing this package loads nothing; import what you need from its modules."""
