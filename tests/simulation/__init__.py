"""Tests of the simulators, and of the whole system under them."""
