"""Accounts: hospitals, people, their roles, sign-in, sessions and API tokens."""
