"""A family's days at the resort, on real processes, through the public API and real taps."""
