"""The workbench: every reader of every edge, chips to hold to them and cables to pull. Simulation only."""
