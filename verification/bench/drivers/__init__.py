"""One driver for each cache: how its engine calls it."""
