"""Metrology: verification, certificates, test instruments, safety tests, trends."""
