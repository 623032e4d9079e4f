"""What a reader does with chips that have keys: the commands, the proof of a tap, the making of a band."""
