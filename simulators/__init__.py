"""Emulated chips, guests, networks and servers, for the demo, the tests and the workbench."""
