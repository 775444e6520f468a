"""How often equipment is maintained, by risk and by what maintenance finds."""
