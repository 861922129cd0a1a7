"""Walks over terms that several readers share."""

from collections.abc import Iterator

from radixcheck.spec.logic import Term


def children(term: Term) -> Iterator[Term]:
    """The terms directly below this one, bound variables included."""
    for arg in term.args:
        if isinstance(arg, Term):
            yield arg
        elif isinstance(arg, tuple):
            yield from arg


def bindings(term: Term) -> tuple[Term, ...]:
    """The variables that a quantifier or a sum binds."""
    if term.op == "sum":
        return (term.args[0],)
    variables: tuple[Term, ...] = term.args[0] if term.op in ("forall", "exists") else ()
    return variables


def free(term: Term) -> frozenset[str]:
    """Names of the free variables."""
    if term.op == "var":
        return frozenset((term.args[0],))
    names: frozenset[str] = frozenset().union(*(free(t) for t in children(term)))
    return names - {v.args[0] for v in bindings(term)}


def functions(term: Term) -> frozenset[str]:
    """Names of the state functions that a term reads, through its definitions."""
    below: frozenset[str] = frozenset().union(*(functions(t) for t in children(term)))
    if term.op != "app":
        return below
    function = term.args[0]
    if function.kind == "defined":
        return below | functions(function.body)
    return below | {function.name} if function.kind == "state" else below
