"""Logins: how a person lets codi use an account, and how that stays so."""
