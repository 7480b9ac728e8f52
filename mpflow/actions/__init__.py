"""One file for each action that is no primitive's: its arguments, and what it does."""
