"""The cause of a failure: evidence is collected, a cause proposed, and a person decides."""
