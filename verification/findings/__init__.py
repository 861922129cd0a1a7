"""Deviations of widely used caches from the specification: data (the `.toml` files), and scripts that show each without this package."""
