"""The reference controller: one implementation of the specification."""
