"""What the chips compute: key diversification, NTAG 424 DNA messages, NDEF. Pure functions on bytes."""
