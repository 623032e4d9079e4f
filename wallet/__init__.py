"""The domain: what a guest carries and what it means. Pure: no I/O, no clock, no entropy of its own."""
