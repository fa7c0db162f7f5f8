"""What tries to break all of it."""
