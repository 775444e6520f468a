"""The demo hospital: invented, bilingual, two years old; the same for the same seed."""
