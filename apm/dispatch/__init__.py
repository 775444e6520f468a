"""Dispatch: the queue of each team, who is proposed, and who is told when a clock runs out."""
