"""The host tier: a second pool of slots under the same tree, and copies between the two. `README.md` says how to read it."""
