"""The specification on one page, made of its terms and sentences: each formula stands beside its sentence."""

import re
from collections.abc import Iterable, Iterator
from html import escape

from pdoc.render_helpers import to_html
from places import ROOT
from site_pages import markdown_of

from radixcheck.spec import invariants, operations, policies, postconditions, property, signature, theorems, transitions
from radixcheck.spec.events import event_invariants, event_signature
from radixcheck.spec.host import copy_invariants, host_heap, host_operations, host_signature, host_theorems, loads
from radixcheck.spec.logic import BOOL, Function, Term, var
from radixcheck.spec.operations import Operation, Stage, Take
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.property import Property
from radixcheck.spec.run.host_model import HostModel
from radixcheck.spec.run.model import Model
from radixcheck.spec.run.text import text
from radixcheck.spec.updates import Transition, Update

LRU = POLICIES["lru"]
COMMENT = re.compile(r"^(\w+) = (?:_state|_rigid|_function|Function|define)\(.*\)  # (.*)$", re.MULTILINE)
INTRODUCTION = """
<h1>The specification</h1>
<p>All of it: the words, the steps that change a state, the calls that are chains of steps, and the properties. Each formula stands beside
its sentence; both are printed from <code>spec/</code>, where the same formula is run on states and proved. <code>/=</code> is "not equal";
between positions <code>&lt;=</code> is "is a prefix of, or equal". <code>old(...)</code> is the value before the call. Where a formula
compares keys of a policy, lru is shown. <code>spec/README.md</code> says in which order to read the sources.</p>
"""


def row(sentence: str, formula: str, anchor: str = "", name: str = "", note: str = "") -> str:
    """One row: the name, the sentence and a note on the left, the formula on the right. `sentence` and `formula` are plain text."""
    head = f'<h4 id="{anchor}"><a href="#{anchor}">{escape(name)}</a></h4>' if anchor else ""
    said = f"<p>{escape(sentence)}</p>" if sentence else ""
    why = f'<p class="why">{escape(note)}</p>' if note else ""
    lines = "".join(f'<pre class="formula">{escape(line)}</pre>' for line in formula.splitlines())
    return f'<div class="beside"><div>{head}{said}{why}</div><div>{lines}</div></div>'


def symbols(module: object, source: str) -> Iterator[str]:
    """The words of a signature: each with its sorts, and the comment beside it or the term that it abbreviates."""
    stated_there = (ROOT / source).read_text()
    comments = dict(COMMENT.findall(stated_there))
    for name, found in vars(module).items():
        value = found.args[0] if isinstance(found, Term) and found.op == "app" and len(found.args) == 1 else found
        if not isinstance(value, Function) or value.name != name or f"\n{name} = " not in stated_there:
            continue
        taken = f"({', '.join(sort.name for sort in value.domain)})" if value.domain else ""
        body = "" if value.body is None else f"\n{name}({', '.join(text(each) for each in value.parameters)}) := {text(value.body)}"
        kind = "truth value" if value.sort == BOOL else value.sort.name
        yield row(comments.get(name, ""), f"{name}{taken}: {kind}{body}")


def assigned(update: Update) -> str:
    """An update, as `function(point) := value where condition`."""
    if not update.parameters:
        return f"{update.function.name} := {text(update.value)}"
    point = _point(update.where, [text(each) for each in update.parameters])
    if point is not None:
        return f"{update.function.name}({', '.join(point)}) := {text(update.value)}"
    names = ", ".join(text(each) for each in update.parameters)
    return f"{update.function.name}({names}) := {text(update.value)}  where {text(update.where)}"


def _point(where: Term, names: list[str]) -> list[str] | None:
    """The only point of a condition `x0 = a and x1 = b ...`; None if it is another one."""
    equalities, waiting = list[Term](), [where]
    while waiting:
        term = waiting.pop(0)
        if term.op == "and":
            waiting[:0] = term.args
        else:
            equalities.append(term)
    if len(equalities) != len(names) or any(each.op != "eq" for each in equalities):
        return None
    left = [text(each.args[0]) for each in equalities]
    return [text(each.args[1]) for each in equalities] if left == names else None


def step(transition: Transition, prefix: str = "") -> str:
    """A transition: its guard and its updates."""
    names = ", ".join(text(each) for each in transition.parameters)
    guard = row(f"Requires: {transition.requires}", text(transition.guard), f"{prefix}{transition.name}", f"{transition.name}({names})")
    return guard + row(f"Effect: {transition.effect}", "\n".join(map(assigned, transition.updates)))


def operation(call: Operation) -> str:
    """A call: when it is refused, its chain, and its answer."""
    names = ", ".join(text(each) for each in call.takes)
    lines = [f"{each.error.__name__} if {text(each.when)}" for each in call.refusals]
    lines += [stage(each) for each in call.chain]
    if call.answer is not None:
        lines.append(f"answers {text(call.answer)}")
    return row(first_sentence(Model, call.name), "\n".join(lines), f"call-{call.name}", f"{call.name}({names})")


def first_sentence(model: type[Model], call: str) -> str:
    """What a call does, as the model of the specification says it: the first paragraph of its docstring."""
    return " ".join((getattr(model, call).__doc__ or "").partition("\n\n")[0].split())


def stage(each: Stage) -> str:
    """One place of a chain."""
    taken = " else ".join(take(one) for one in each.takes)
    return f"repeat {taken}" if each.loop else taken


def take(one: Take) -> str:
    """One transition with its arguments and its condition."""
    arguments = ", ".join(text(each) for each in one.arguments)
    return f"{one.transition.name}({arguments})" + ("" if one.always else f" if {text(one.when)}")


def stated(found: Property, prefix: str = "") -> str:
    """A property: its sentence and its reason beside its formula."""
    formula = text(found.formula(LRU)) if found.formula else ""
    return row(found.sentence, formula, f"{prefix}{found.id}", found.id, found.why)


def section(title: str, anchor: str, rows: Iterable[str], source: object = None) -> str:
    """A part of the page: a heading, the docstring of the module that states it, and rows."""
    words = str(to_html(markdown_of(source.__doc__ or ""))) if source else ""
    return f'<h2 id="{anchor}">{escape(title)}</h2>{words}{"".join(rows)}'


def program_checks() -> Iterator[str]:
    """The properties without a formula."""
    from radixcheck.verification.core.catalogue import HOST_CHECKS, MISUSE, PROGRAM_CHECKS  # noqa: PLC0415

    return (stated(each) for each in (*PROGRAM_CHECKS, *HOST_CHECKS, MISUSE))


def specification() -> tuple[str, str]:
    """The HTML of the page, and of its table of contents."""
    seen = {each.id for each in theorems.FORMULAS.values()}
    of_host = (*copy_invariants.HOST_STATE_FORMULAS, *host_heap.DEVICE_HEAP_FORMULAS, *host_heap.HOST_HEAP_FORMULAS)
    prefix = {True: "host-", False: ""}
    host_rows = (stated(each, prefix[each.id in seen]) for each in (*of_host, *host_theorems.HOST_THEOREMS) if each not in seen_formulas())
    event_ids = {each.id for each in event_invariants.EVENT_FORMULAS}
    events = [stated(each) for each in event_invariants.EVENT_FORMULAS]
    events += [
        stated(each, prefix[each.id in event_ids])
        for each in event_invariants.HOST_EVENT_FORMULAS
        if each not in event_invariants.EVENT_FORMULAS
    ]
    calls = (
        row(first_sentence(HostModel, name), pattern.strip() or "(no step)", f"host-call-{name}", name)
        for name, pattern in host_operations.CALLS.items()
    )
    order = (row("", f"{text(p.key(var('n', signature.POS))[0])}, then time(n)", f"policy-{p.name}", p.name) for p in POLICIES.values())
    sections = (
        section("Words", "words", symbols(signature, "spec/signature.py"), signature),
        section("Steps", "steps", map(step, transitions.CACHE), transitions),
        section("Calls", "calls", map(operation, operations.OPERATIONS.values()), operations),
        section("Policies", "policies", order, policies),
        section("What holds in every state", "invariants", map(stated, invariants.STATE_FORMULAS), invariants),
        section("What a call does", "postconditions", map(stated, postconditions.POSTCONDITIONS), postconditions),
        section("What follows", "theorems", map(stated, theorems.THEOREMS), theorems),
        section("A host tier: words", "host-words", symbols(host_signature, "spec/host/host_signature.py"), host_signature),
        section("A host tier: steps", "host-steps", (step(each, "host-") for each in loads.TIERED)),
        section("A host tier: calls", "host-calls", calls, host_operations),
        section("A host tier: what holds", "host-properties", host_rows, copy_invariants),
        section("Events", "events", (*symbols(event_signature, "spec/events/event_signature.py"), *events), event_signature),
        section("Checks of programs", "programs", program_checks(), property),
    )
    headings = re.findall(r'<h2 id="([^"]+)">([^<]+)</h2>', "".join(each for each in sections))
    toc = "".join(f'<li><a href="#{anchor}">{title}</a></li>' for anchor, title in headings)
    return INTRODUCTION + "".join(sections), f"<ul>{toc}</ul>"


def seen_formulas() -> tuple[Property, ...]:
    """The properties that are on the page before the host tier."""
    return tuple(theorems.FORMULAS.values())
