"""The edge of one venue: it reads taps, decides them with or without a network, and brings them home."""
