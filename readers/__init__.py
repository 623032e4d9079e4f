"""The edge of one venue: its readers, its decisions, its journal."""
