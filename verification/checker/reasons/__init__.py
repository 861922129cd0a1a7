"""Why a formula is false of a cache: what was expected and what was found, in the words of the call. One function for each property."""
