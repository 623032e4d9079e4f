"""The rulebook, one file per right."""
