"""Emulated chips, guests and faults, for running the whole system without hardware."""
