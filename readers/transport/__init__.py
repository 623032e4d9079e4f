"""How an edge reaches the gateway."""
