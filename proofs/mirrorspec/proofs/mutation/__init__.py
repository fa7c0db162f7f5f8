"""The specification's own mutation score: everything left out in turn, and whether it is noticed."""
