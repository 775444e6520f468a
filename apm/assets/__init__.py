"""Assets: what the hospital owns, where it stands, and the code on its label."""
