"""The review of sglang#6907: its questions, our answers, and the claims, facts and costs that the answers rest on.

questions       the table: id, sentence, who asked, URL
answers         the answer to each question, and the evidence that it rests on
claims          formulas that are proved or refuted: `proof_suite` adds them to the proof matrix, `claim_runs` repeats refuted ones
facts           claims about programs that are tried on many cases
latency_claims  what a measurement in a live engine says about the author's latencies
cost_claims     which of two measured costs is smaller
field_faults    a second table: faults that were reported in caches in use
"""
