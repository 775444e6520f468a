"""Companies outside the hospital: who delivers parts, who repairs."""
