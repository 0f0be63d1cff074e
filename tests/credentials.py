"""Whose account the tests use; nobody's."""

EMAIL = "someone@example.org"
PASSWORD = "an invented password"
