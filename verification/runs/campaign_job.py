"""The job of `radixcheck campaign`: plan, perform what is missing in the store, and judge all that is there."""

import json
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from radixcheck.verification.campaign.campaign_store import FINDINGS, PLAN, SHARDS, SUMMARY, VERSION, Header, Store
from radixcheck.verification.campaign.corpus import Corpus, newly_reached, of_findings
from radixcheck.verification.campaign.drive import Drive, Merged
from radixcheck.verification.campaign.executors import ShardExecutor
from radixcheck.verification.campaign.packed import packed
from radixcheck.verification.campaign.plan_shards import generations
from radixcheck.verification.campaign.shard import CHOSEN, USUAL, Campaign, Kind, Shard, digest_of
from radixcheck.verification.core import traces
from radixcheck.verification.core.atomic_write import write_durably
from radixcheck.verification.core.catalogue import PROBED
from radixcheck.verification.core.choices import declared_choices
from radixcheck.verification.core.deadline import NEVER, Deadline
from radixcheck.verification.core.edges import excluded, never_taken
from radixcheck.verification.core.found import Found
from radixcheck.verification.core.progress import Progress, silent
from radixcheck.verification.core.sources import digest
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.core.workers import WorkerLost, workers_for
from radixcheck.verification.runs.campaign_results import CampaignOutcome, CheckedStore, Performed
from radixcheck.verification.runs.checked_bounds import check_config
from radixcheck.verification.search.machine import never_fired
from radixcheck.verification.search.run import LONG_TRACE, retraced
from radixcheck.verification.search.search_results import Bounds, Report
from radixcheck.verification.search.verify import judged, smaller
from radixcheck.verification.stretch.stretch import TOO_SLOW
from radixcheck.verification.subjects.own_sources import subject_digest
from radixcheck.verification.subjects.registry import apart, as_argument, resolve

CAMPAIGNS = "campaigns"  # the folder for them, below that of other results
LISTED_MAX = 6  # missing shards that are named
NAME_MAX = 100  # characters of a subject in the name of a folder


@dataclass(frozen=True, slots=True)
class CampaignRequest:
    """A subject, what is done with it, and where results are stored."""

    subject: Subject
    bounds: Bounds
    store: Path | None = None  # None: a folder below `results`, which follows from the plan and the sources
    results: Path = Path("radixcheck-results") / CAMPAIGNS
    corpus: Path | None = None  # traces that are replayed first, and to which those that reach something new are added
    kinds: tuple[str, ...] = USUAL
    guided: bool = False
    deadline: Deadline = NEVER
    command: str = ""  # that goes on with it


def check_kinds(kinds: Sequence[str]) -> None:
    """Raise UsageError unless all of these are kinds that a user chooses."""
    for kind in kinds:
        if kind not in CHOSEN:
            raise UsageError(f"unknown kind {kind!r}: choose from {', '.join(CHOSEN)}")


def run_campaign(request: CampaignRequest, executor: ShardExecutor, progress: Progress = silent) -> CampaignOutcome:
    """Perform the shards that are missing in the store, and return the result of all that are there."""
    subject, start = request.subject, monotonic()
    campaign = Campaign.of(subject.name, request.bounds, request.kinds, request.guided)
    corpus = Corpus(request.corpus) if request.corpus is not None else None
    kept = _kept(corpus, subject, campaign.bounds.device)
    store = _store(request, campaign, kept)
    plan = generations(subject, campaign, store.header.kept, store.header.digest)
    with progress(f"campaign {subject.name}") as tell:
        drive = Drive(store, plan, executor, request.deadline, lambda drive: tell(len(drive.done) / drive.shards, _so_far(drive)))
        merged = drive.run()
        tell(1.0, "shrinking traces")
        found = _shrunk(subject, merged)
        report = _report(subject, campaign, merged, found, [*_unfinished(drive), *_not_exercised(drive, merged)], monotonic() - start)
        about = (store.folder, store.header.sources, store.header.commit, store.header.date, request.command)
        later = len({digest_of(packed(each)) for each in kept} - {digest_of(packed(each)) for each in store.header.kept})
        files = _written(store, found)
        outcome = CampaignOutcome(
            report, _performed(drive, merged, executor, later), *about, files, _repeats(subject.name, found, files), tuple(merged.rows)
        )
        write_durably(store.folder / SUMMARY, json.dumps({"version": VERSION, **outcome.to_json()}, indent=1) + "\n")
        if corpus is not None:
            tell(1.0, "keeping traces")
            _keep(corpus, subject, campaign, merged, found)
    return outcome


def read_summary(folder: Path) -> dict[str, Any]:
    """Return the page of the campaign in a folder. Raise UsageError if there is none."""
    Store.read(folder)
    try:
        data = json.loads((folder / SUMMARY).read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder / SUMMARY}: cannot be read; the campaign has not ended: begin it again, and it goes on") from error
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise UsageError(f"{folder / SUMMARY}: is not version {VERSION} of the page of a campaign: give its command again, which writes it")
    return data


def stored_campaigns(folder: Path) -> tuple[dict[str, Any], ...]:
    """Return the pages of the campaigns that are stored below a folder, and have ended. Others are left out."""
    pages = list[dict[str, Any]]()
    for plan in sorted(folder.glob(f"*/{PLAN}")):
        with suppress(UsageError):
            pages.append(read_summary(plan.parent))
    return tuple(pages)


def check_store(folder: Path) -> CheckedStore:
    """Check that every shard is stored, undamaged and, with the sources that made it, of its plan."""
    store = Store.read(folder)
    plan = _plan_again(store.header) if store.header.sources == digest() else None
    stored = len(list((folder / SHARDS).glob("*.json")))
    return CheckedStore(folder, stored, sum(map(len, plan)) if plan else None, tuple(store.faults(plan)))


def _plan_again(header: Header) -> list[list[Shard]] | None:
    """Return the plan of a campaign of these sources; None if its cache has others now."""
    subject = resolve(header.campaign.subject, header.campaign.bounds.device)
    return generations(subject, header.campaign, header.kept, header.digest) if header.cache == subject_digest(subject) else None


def _kept(corpus: Corpus | None, subject: Subject, device: str) -> list[Recorded]:
    """Return the traces of a corpus that the subject can be given on this device. Raise UsageError."""
    if corpus is None:
        return []
    corpus.check()
    return [recorded for recorded in corpus.traces() if recorded.config.device == device and _serves(subject, recorded)]


def _serves(subject: Subject, recorded: Recorded) -> bool:
    try:
        check_config(subject, recorded.config)
    except UsageError:
        return False
    return True


def _store(request: CampaignRequest, campaign: Campaign, kept: Sequence[Recorded]) -> Store:
    """Return the store: a new one, or the one in which the campaign was begun, with the traces that it was begun with."""
    header = Header(campaign, digest(), subject_digest(request.subject), (), _commit(), datetime.now(UTC).isoformat(timespec="seconds"))
    folder = request.store or request.results / _name(header)
    begun = Store.read(folder).header.kept if (folder / PLAN).exists() else tuple(kept)
    return Store.begin(folder, replace(header, kept=begun))


def _keep(corpus: Corpus, subject: Subject, campaign: Campaign, merged: Merged, found: Sequence[Found]) -> None:
    """Add the traces that reached something new, and those of findings, to the corpus. A run that does not repeat is left out."""
    runs, kept = newly_reached(merged.result.coverage, corpus.known), of_findings(subject.name, found, LONG_TRACE)
    with workers_for(subject) as pool:
        jobs = [(origin, pool.submit(retraced, subject, origin, campaign.bounds.misused)) for origin in runs]
        for origin, job in jobs:
            with suppress(WorkerLost, UsageError):
                kept.append((Recorded(origin.config, job.result(), subject.name), runs[origin]))
    corpus.add(kept)


def _name(header: Header) -> str:
    """Return a name of a folder, which another plan and other sources do not share."""
    plain = "".join(c if c.isalnum() or c in "-._" else "-" for c in header.campaign.subject)[:NAME_MAX]
    return f"{plain}-{digest_of(header.plan)}"


def _so_far(drive: Drive) -> str:
    """Return the progress in words."""
    left, reached = int(drive.seconds_left), drive.envelope
    time = f"about {left // 3600}:{left // 60 % 60:02}:{left % 60:02}" if left else "time not known yet"
    return (
        f"{drive.operations:,} operations, {drive.rate:,.0f} a second, {drive.executor.sentence}, {len(drive.found)} properties refuted, "
        f"up to {reached.depth:,} nodes on a path and {reached.holders:,} holders of one, "
        f"{len(drive.missing):,} shards left, {time}"
    )


def _unfinished(drive: Drive) -> list[str]:
    missing = drive.missing
    if not missing:
        return []
    return [f"{drive.ended}, and {len(missing):,} of {drive.shards:,} shards are missing: begin it again, and it goes on from there"]


def _not_exercised(drive: Drive, merged: Merged) -> list[str]:
    """Return the dimensions that were cut off, and whether none could be applied."""
    if drive.missing or not merged.result.reaches:
        return []
    slow = [f"stretch, {name}: {each.sentence}" for name, each in merged.result.reaches.items() if each.reason == TOO_SLOW]
    none = all(each.reason for each in merged.result.reaches.values()) and not merged.result.found
    return slow + (["no dimension of the stretch phase was taken to its end"] if none else [])


def _performed(drive: Drive, merged: Merged, executor: ShardExecutor, later: int) -> Performed:
    missing: list[Shard] = drive.missing
    return Performed(
        planned=drive.shards,
        done=len(drive.done),
        resumed=drive.resumed,
        kinds=dict(merged.shards),
        missing=tuple(f"{shard.number}: {shard.title}" for shard in missing[:LISTED_MAX]),
        lost=merged.lost,
        nodes_lost=drive.nodes_lost,
        workers=executor.sentence,
        operations=drive.operations,
        seconds=monotonic() - drive.started,
        work_seconds=merged.seconds,
        later=later,
    )


def _shrunk(subject: Subject, merged: Merged) -> list[Found]:
    """Return what was found with shorter traces. The effort is counted in operations, but for faults that end the process."""
    if not merged.result.found:
        return []
    with workers_for(subject) as pool:
        try:
            return smaller(pool, subject, merged.result.found, NEVER, lambda share, what: None)
        except (WorkerLost, KeyboardInterrupt):
            return list(merged.result.found.values())


def _report(
    subject: Subject, campaign: Campaign, merged: Merged, found: Sequence[Found], unfinished: Sequence[str], seconds: float
) -> Report:
    result, bounds = merged.result, campaign.bounds
    result.found |= {f.violation.property: f for f in found}  # a peek that changes a black box is found only now
    supports, sizes = replace(subject.supports, modes=bounds.modes), bounds.page_sizes
    searched = Kind.SEARCH in campaign.kinds
    lost = tuple(
        f"shard {number} lost its process each time: {how}; delete its file to perform it again" for number, how in merged.lost.items()
    )
    return Report(
        subject=subject.name,
        bounds=bounds,
        verdicts=judged(result, supports, subject.white_box, bounds.misused) if searched else (),
        found=tuple(found),
        steps=result.steps,
        runs=result.runs,
        seconds=seconds,
        idle_rules=never_fired(merged.machine) if merged.machine.runs else (),
        unfinished=(*unfinished, *lost),
        edges=dict(result.edges),
        impossible_edges=excluded(supports, sizes),
        missing_edges=never_taken(result.edges, supports, sizes) if searched else (),
        envelope=result.envelope,
        reaches=result.reaches,
        choices=declared_choices(subject.supports.choices, bounds.modes),
    )


def _written(store: Store, found: Sequence[Found]) -> dict[str, str]:
    """Write the trace of each finding into the store; return their files."""
    files = {each.violation.property: store.folder / FINDINGS / f"{each.violation.property}.jsonl" for each in found if each.trace}
    for each in found:
        if each.trace:
            id_ = each.violation.property
            traces.write(files[id_], traces.Recorded(each.config, each.trace, store.header.campaign.subject, id_))
    return {id_: str(file) for id_, file in files.items()}


def _repeats(subject: str, found: Sequence[Found], files: Mapping[str, str]) -> dict[str, str]:
    """Return the command that repeats each finding that has a trace."""
    return {id_: repeating(subject, each, files[id_]) for each in found if (id_ := each.violation.property) in files}


def repeating(subject: str, found: Found, file: str) -> str:
    """Return the command that repeats a finding, whose trace is in a file, on this machine."""
    if found.violation.property in PROBED:  # a replay does not show it
        config = ("--policy", found.config.policy, "--page-size", f"{found.config.page_size}")
        return shlex.join(("radixcheck", "verify", *as_argument(subject), *config))
    elsewhere = ("--subject", apart(subject)) if found.ends_process and apart(subject) != subject else ()
    return shlex.join(("radixcheck", "replay", file, *elsewhere))


def _commit() -> str:
    """Return the commit of the checkout in which the package lies; empty if it lies in none."""
    git = ("git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
    try:
        return subprocess.run(git, capture_output=True, text=True, check=False, timeout=10).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
