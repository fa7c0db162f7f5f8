"""Why the protocol holds: exhaustive search."""
