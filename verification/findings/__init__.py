"""Where caches that people run depart from the specification: data (the `.toml` files), and scripts that show each without this package."""
