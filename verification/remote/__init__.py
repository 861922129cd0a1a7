"""Caches in other processes: in another environment, in another language. They may crash or hang without harm. See README.md here."""
