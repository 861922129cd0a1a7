"""The stretch phase: takes one quantity of a cache at a time past the values where a counter, a table or a hash would end."""
