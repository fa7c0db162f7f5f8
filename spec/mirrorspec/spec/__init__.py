"""The protocol, written once: charts, state, steps, properties, and the readings that run them."""
