import { allOf, change, holdersFor, knownOf, load, unload } from "./residency-draft.ts";
import type { Draft, Known } from "./residency-draft.ts";
import { fail } from "./residency-input.ts";
import { agingUnit, canBeHad, keepingWorth, leaveAt, turnsOf } from "./turns.ts";
import type { Turn } from "./turns.ts";

/** A load or unload of which nothing was heard for this many milliseconds is not waited for any longer. */
const UNANSWERED = 60_000;

/** What follows from what is known: who leaves, who is loaded, and when to look again. */
export function decide(draft: Draft): void {
  if (!draft.started) return;
  const due: number[] = [];
  freshen(draft);
  giveUpOnSilence(draft, due);
  unloadBanned(draft);
  partClashing(draft);
  const held = serveTurns(draft, due);
  unloadIdle(draft, due);
  bringBack(draft, held, due);
  wake(draft, due);
}

/** A want that is met begins to wait anew when its service leaves. */
function freshen(draft: Draft): void {
  const met = (services: readonly string[]): boolean =>
    services.some((service) => draft.residents.get(service)?.presence === "present");
  draft.wants = draft.wants.map((want) =>
    want.since < draft.now && met(want.services) ? { ...want, since: draft.now } : want,
  );
}

function giveUpOnSilence(draft: Draft, due: number[]): void {
  for (const [service, resident] of draft.residents) {
    if (resident.heard) continue;
    const until = resident.since + UNANSWERED;
    if (draft.now < until) {
      due.push(until);
      continue;
    }
    const what = resident.presence === "coming" ? "load" : "unload";
    draft.notes.push({ is: "unanswered", service, what });
    if (what === "load") fail(draft, service, resident);
    else change(draft, service, { presence: "present", since: draft.now, heard: true });
  }
}

function unloadBanned(draft: Draft): void {
  for (const known of allOf(draft)) {
    const [by] = known.resident.bannedBy;
    const { presence } = known.resident;
    if (by === undefined || presence === "absent" || presence === "leaving") continue;
    const { service } = known.member;
    const why = by === service ? "its requests go elsewhere for now" : `${by} needs its memory`;
    unload(draft, known, { why, away: "banned" });
  }
}

/** Two that exclude each other were found loaded, after an adoption or a new plan: the one worth less to keep leaves. */
function partClashing(draft: Draft): void {
  for (const { member } of allOf(draft)) {
    const known = knownOf(draft, member.service);
    if (known === undefined || !holdsFirmly(known)) continue;
    for (const other of holdersFor(draft, known).filter(holdsFirmly)) {
      const mine = knownOf(draft, member.service);
      if (mine === undefined || !holdsFirmly(mine)) break;
      const leaves = firmness(draft, mine) < firmness(draft, other) ? mine : other;
      if (leaves.member.pinned) continue;
      const stays = leaves === mine ? other : mine;
      const why = `${stays.member.service} is loaded and cannot be together with it`;
      unload(draft, leaves, { why, away: "gave-way" });
    }
  }
}

const holdsFirmly = ({ resident }: Known): boolean =>
  resident.presence === "present" || resident.presence === "coming";

const firmness = (draft: Draft, known: Known): number =>
  known.member.pinned
    ? Infinity
    : (known.resident.presence === "present" ? 1e9 : 0) + keepingWorth(draft, known);

/**
 * Loads for those who wait, the most urgent first. Who waits long, or for whom others leave already, keeps the cards free
 * of those behind. Returns the services that are not to be loaded for now.
 */
function serveTurns(draft: Draft, due: number[]): ReadonlySet<string> {
  const held = new Set<string>();
  const turns = turnsOf(draft);
  for (const [service, resident] of draft.residents)
    if (resident.promised && !turns.some(({ target }) => target.member.service === service))
      change(draft, service, { promised: false });
  for (const turn of turns) {
    const { service } = turn.target.member;
    const target = knownOf(draft, service);
    if (target === undefined || target.resident.presence === "present") continue;
    if (target.resident.presence === "coming") continue;
    if (held.has(service)) {
      for (const other of target.member.excludes) held.add(other);
      continue;
    }
    serve(draft, { ...turn, target }, due);
    const now = knownOf(draft, service) ?? target;
    const leaving = holdersFor(draft, now).some(({ resident }) => resident.presence === "leaving");
    const long = turn.since + agingUnit(draft);
    if (leaving || turn.byHand || draft.now >= long || now.resident.presence !== "absent")
      for (const other of target.member.excludes) held.add(other);
    else due.push(long);
  }
  for (const want of draft.wants)
    for (const service of want.services) {
      const until = draft.residents.get(service)?.notBefore ?? 0;
      if (until > draft.now) due.push(until);
    }
  return held;
}

function serve(draft: Draft, turn: Turn, due: number[]): void {
  const { target } = turn;
  if (!canBeHad(draft, target) || target.resident.presence === "leaving") return;
  const holders = holdersFor(draft, target);
  if (holders.length === 0) {
    load(draft, target, turn.byHand ? "its owner asked for it" : "a request waits for it");
    return;
  }
  const at = Math.max(...holders.map((holder) => leaveAt(draft, holder, turn)));
  if (at > draft.now) {
    if (Number.isFinite(at)) due.push(at);
    return;
  }
  const who = turn.byHand ? "its owner asked for" : "a request waits for";
  for (const holder of holders.filter(holdsFirmly))
    unload(draft, holder, { why: `${who} ${target.member.service}`, away: "gave-way" });
  change(draft, target.member.service, { promised: true });
}

const isListed = (draft: Draft, service: string): boolean =>
  draft.wants.some((want) => want.services.includes(service));

function unloadIdle(draft: Draft, due: number[]): void {
  for (const known of allOf(draft)) {
    const { member, resident } = known;
    if (resident.presence !== "present" || member.ttl === false || member.pinned) continue;
    const at = Math.max(resident.usedAt + member.ttl, resident.since + draft.rules.minResidency);
    if (at > draft.now) due.push(at);
    else if (resident.inFlight === 0 && !isListed(draft, member.service))
      unload(draft, known, { why: "nobody asked for it for a while", away: "idle" });
  }
}

/** Those that are to be there without being asked for come back when nothing else needs their cards. */
function bringBack(draft: Draft, held: ReadonlySet<string>, due: number[]): void {
  const awaited = new Set(turnsOf(draft).flatMap(({ target }) => target.member.excludes));
  for (const { member } of allOf(draft)) {
    const known = knownOf(draft, member.service);
    if (known === undefined || !member.preload || known.resident.presence !== "absent") continue;
    const { away, missed } = known.resident;
    if (away !== "new" && away !== "gave-way" && away !== "banned") continue;
    if (held.has(member.service) || awaited.has(member.service) || !canBeHad(draft, known)) continue;
    const holders = holdersFor(draft, known);
    if (holders.length === 0)
      load(draft, known, away === "new" ? "it is loaded at the start" : "nothing else needs its place");
    else if (missed) displaceIdle(draft, known, holders, due);
  }
}

/** Requests had to do without the standing service: who sits in its place unused gives it back without waiting for its ttl. */
function displaceIdle(draft: Draft, known: Known, holders: readonly Known[], due: number[]): void {
  const { minResidency } = draft.rules;
  if (!holders.every(({ resident }) => resident.presence === "present" && resident.inFlight === 0)) return;
  if (holders.some(({ member }) => isListed(draft, member.service))) return;
  const at =
    Math.max(...holders.map(({ resident }) => Math.max(resident.since, resident.usedAt))) + minResidency;
  if (at > draft.now) due.push(at);
  else
    for (const holder of holders)
      unload(draft, holder, { why: `${known.member.service} is missed and it is idle`, away: "gave-way" });
}

/** An earlier look does no harm, so that a deadline that only moves on costs no timer. */
function wake(draft: Draft, due: readonly number[]): void {
  const next = due.length === 0 ? undefined : Math.min(...due);
  if (next === undefined || (draft.wakeAt !== undefined && draft.wakeAt <= next)) return;
  draft.wakeAt = next;
  draft.actions.push({ do: "wake", at: next });
}
