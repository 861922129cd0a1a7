"""Formulas as a person reads them."""

from radixcheck.spec.logic import Term

_WORDS = {"and": "and", "or": "or", "implies": "implies", "eq": "=", "le": "<=", "lt": "<", "add": "+", "sub": "-"}
_RANK = {"implies": 1, "or": 2, "and": 3, "not": 4, "eq": 5, "le": 5, "lt": 5, "add": 6, "sub": 6}


def text(term: Term, rank: int = 0) -> str:
    """The formula as a person reads it.

    >>> from radixcheck.spec.logic import INT, forall
    >>> text(forall((INT,), lambda p: (p <= 3) >> (p < 4)))
    'for all p: p <= 3 implies p < 4'
    """
    own = _RANK.get(term.op, 9)
    if term.op in _WORDS:
        left, right = term.args
        right_rank = own if term.op == "implies" else own + 1
        shown = f"{text(left, own + (term.op == 'implies'))} {_WORDS[term.op]} {text(right, right_rank)}"
    elif term.op == "not" and term.args[0].op == "eq":
        own, (left, right) = 5, term.args[0].args
        shown = f"{text(left, 6)} /= {text(right, 6)}"
    else:
        own, shown = _text_of_other(term, own)
    return f"({shown})" if own < rank else shown


def _text_of_other(term: Term, own: int) -> tuple[int, str]:
    match term.op:
        case "not":
            return own, f"not {text(term.args[0], own)}"
        case "forall" | "exists":
            names = ", ".join(v.args[0] for v in term.args[0])
            return 0, f"for {'all' if term.op == 'forall' else 'some'} {names}: {text(term.args[1])}"
        case "sum":
            x, where, weight = term.args
            return 9, f"sum of {text(weight, 6)} over {x.args[0]} with ({text(where)})"
        case "ite":
            test, then, otherwise = (text(a) for a in term.args)
            return 0, f"if {test} then {then} else {otherwise}"
        case "old":
            return 9, f"old({text(term.args[0])})"
        case "app":
            f, *args = term.args
            return 9, f.name + (f"({', '.join(text(a) for a in args)})" if args else "")
    return 9, str(term.args[0])
