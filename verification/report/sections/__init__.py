"""The sections of a report, in order."""

from radixcheck.verification.report.blocks import Document
from radixcheck.verification.report.sections import benchmark_section as benchmark
from radixcheck.verification.report.sections import campaigns_section as campaigns
from radixcheck.verification.report.sections import counterexamples_section as counterexamples
from radixcheck.verification.report.sections import exploration_section as exploration
from radixcheck.verification.report.sections import facts_section as facts
from radixcheck.verification.report.sections import findings_section as findings
from radixcheck.verification.report.sections import glossary_section as glossary
from radixcheck.verification.report.sections import invariants_section as invariants
from radixcheck.verification.report.sections import kills_section as kills
from radixcheck.verification.report.sections import proofs_section as proofs
from radixcheck.verification.report.sections import questions_section as questions
from radixcheck.verification.report.sections import summary_section as summary
from radixcheck.verification.report.sections import trust_section as trust
from radixcheck.verification.runs.report_data import ReportData

MODULES = (
    *(summary, questions, counterexamples, findings, invariants, proofs, exploration, kills),
    *(campaigns, facts, benchmark, trust, glossary),
)
ABOUT_ONE_CACHE = (summary, questions, counterexamples, invariants, kills, trust, glossary)


def document(data: ReportData) -> Document:
    """Return the document of a report."""
    reviewed = ", ".join(data.subjects) if data.replaced else "sglang#6907"
    modules = ABOUT_ONE_CACHE if data.replaced else MODULES
    return Document(f"radixcheck report: {reviewed}", [module.section(data) for module in modules])
