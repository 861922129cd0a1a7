"""Jobs: each takes one frozen request and returns one frozen result, which `report/` renders."""
