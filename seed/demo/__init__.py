"""The demo hospital: invented, bilingual, with two years of history; the same for the same seed."""
