"""Counterexamples explained to people."""
