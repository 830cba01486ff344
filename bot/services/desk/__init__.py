"""The alert desk: what is told to whom, when, how loudly, and what is done about it."""
