"""The tie between a program and the specification: at every operation, abstract(after) == run(spec, abstract(before), operation)."""
