"""The world around the readers as one process: chips and codes held to them, the cables to the gateway."""
