"""The specification as a judge of others."""
