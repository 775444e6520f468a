"""Teams: who works on what, who is there when, and to whom a job goes first."""
