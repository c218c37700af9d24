import { change, holdersFor, knownOf, unload } from "./residency-draft.ts";
import type { Draft, Known } from "./residency-draft.ts";
import type { Resident, ResidencyInput, Want } from "./residency-state.ts";

/** After the first failed load, and at most; a model that does not load is not tried again for every request. */
const FIRST_RETRY = 30_000;
const LAST_RETRY = 1_800_000;

const NEW: Omit<Resident, "since" | "usedAt" | "loadTime"> = {
  presence: "absent",
  heard: true,
  stalled: false,
  asleep: false,
  away: "new",
  inFlight: 0,
  failures: 0,
  notBefore: 0,
  bannedBy: [],
  byHand: false,
  promised: false,
  missed: false,
};

/** Notes what an input tells. What follows from it is decided afterwards. */
export function take(draft: Draft, input: ResidencyInput): void {
  switch (input.kind) {
    case "start":
      draft.started = true;
      return;
    case "tick":
      draft.wakeAt = undefined;
      return;
    case "demand":
      demand(draft, input.services, input.count);
      return;
    case "withdraw":
      withdraw(draft, input.services, input.count);
      return;
    case "members":
      follow(draft, input.loadTimes);
      return;
    default: {
      const known = knownOf(draft, input.service);
      if (known !== undefined) takeAbout(draft, known, input);
    }
  }
}

type About = Extract<ResidencyInput, { readonly service: string }>;

function takeAbout(draft: Draft, known: Known, input: About): void {
  const { now } = draft;
  const { resident } = known;
  const { service } = input;
  switch (input.kind) {
    case "lease-taken":
      draft.changed = false;
      change(draft, service, { inFlight: resident.inFlight + 1, usedAt: now });
      for (const better of known.member.standsInFor) miss(draft, better);
      return;
    case "lease-released":
      draft.changed = resident.inFlight <= 1 && someoneCares(draft, known);
      change(draft, service, { inFlight: Math.max(0, resident.inFlight - 1), usedAt: now });
      return;
    case "load":
      loadByHand(draft, known);
      return;
    case "unload":
      change(draft, service, { byHand: false });
      if (resident.presence === "absent" ? resident.asleep : resident.presence !== "leaving")
        unload(draft, known, { why: input.why, away: "by-hand" });
      return;
    case "ban":
      if (known.member.pinned)
        draft.notes.push({ is: "refused", service, why: pinnedFor(input.by, service) });
      else if (!resident.bannedBy.includes(input.by))
        change(draft, service, { bannedBy: [...resident.bannedBy, input.by] });
      return;
    case "unban":
      change(draft, service, { bannedBy: resident.bannedBy.filter((by) => by !== input.by) });
      return;
    default:
      hear(draft, known, input);
  }
}

/** That a service has nothing to do matters to those who wait for its place, and to nobody when it may stay anyway. */
const someoneCares = (draft: Draft, { member }: Known): boolean =>
  draft.wants.length > 0 ||
  (member.ttl !== false && draft.wakeAt === undefined) ||
  member.excludes.some((service) => draft.residents.get(service)?.missed === true);

type Heard = Exclude<
  About,
  { readonly kind: "lease-taken" | "lease-released" | "load" | "unload" | "ban" | "unban" }
>;

/** A report of a service's state. One that is older than what it was last told says nothing. */
function hear(draft: Draft, { resident }: Known, input: Heard): void {
  const { now } = draft;
  const { service } = input;
  const told = resident.heard ? undefined : resident.presence;
  const since = (presence: Resident["presence"]): number =>
    resident.presence === presence ? resident.since : now;
  switch (input.kind) {
    case "coming":
    case "stalled":
      if (told === "leaving") return;
      change(draft, service, {
        presence: "coming",
        since: since("coming"),
        heard: true,
        stalled: input.kind === "stalled",
      });
      return;
    case "ready":
      if (told === "leaving") return;
      change(draft, service, { ...loaded(resident, input.loadTime, now), since: since("present") });
      return;
    case "leaving":
      if (told === "coming") return;
      change(draft, service, {
        presence: "leaving",
        since: since("leaving"),
        heard: true,
        ...(resident.presence === "leaving" ? {} : { away: "ended" }),
      });
      return;
    case "gone":
      if (told === "coming") return;
      change(draft, service, {
        presence: "absent",
        since: since("absent"),
        heard: true,
        stalled: false,
        asleep: input.asleep,
        ...(resident.presence === "leaving" || resident.presence === "absent" ? {} : { away: "ended" }),
      });
      return;
    case "failed":
      fail(draft, service, resident);
      return;
  }
}

function loaded(resident: Resident, loadTime: number, now: number): Partial<Resident> {
  return {
    presence: "present",
    heard: true,
    stalled: false,
    asleep: false,
    failures: 0,
    notBefore: 0,
    byHand: false,
    missed: false,
    loadTime,
    usedAt: Math.max(resident.usedAt, now),
    ...(resident.asleep && resident.presence === "coming" ? { wakeTime: now - resident.since } : {}),
  };
}

/** Somebody had to do without it. */
function miss(draft: Draft, service: string): void {
  const resident = draft.residents.get(service);
  if (resident !== undefined && !resident.missed && resident.presence !== "present") {
    change(draft, service, { missed: true });
    draft.changed = true;
  }
}

/** It will not be there: the next requests do without it, for longer each time. */
export function fail(draft: Draft, service: string, resident: Resident): void {
  const gone = { presence: "absent", since: draft.now, heard: true, stalled: false, asleep: false } as const;
  if (resident.presence === "leaving") change(draft, service, gone);
  else if (resident.presence !== "absent" || resident.away !== "failed") {
    const failures = resident.failures + 1;
    const wait = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** Math.min(20, failures - 1));
    change(draft, service, {
      ...gone,
      away: "failed",
      failures,
      notBefore: draft.now + wait,
      byHand: false,
    });
    draft.notes.push({ is: "not-again", service, failures, wait });
  }
}

function loadByHand(draft: Draft, known: Known): void {
  const { service } = known.member;
  const { presence, bannedBy } = known.resident;
  if (presence === "present" || presence === "coming") return;
  const pinned = holdersFor(draft, known).find(({ member }) => member.pinned);
  const [by] = bannedBy;
  if (pinned !== undefined)
    draft.notes.push({ is: "refused", service, why: pinnedFor(service, pinned.member.service) });
  else if (by !== undefined)
    draft.notes.push({ is: "refused", service, why: `${service} makes room for ${by}` });
  else change(draft, service, { byHand: true, notBefore: 0 });
}

/** Why a pinned service does not make room. */
export const pinnedFor = (wanting: string, pinned: string): string =>
  `${pinned} is pinned and never makes room, so not for ${wanting} either`;

const same = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((service, index) => service === other[index]);

function demand(draft: Draft, asked: readonly string[], count: number): void {
  const { now } = draft;
  const services = asked.filter((service) => draft.rules.members.has(service));
  const [best] = services;
  if (best === undefined || count <= 0) return;
  const there = services.find((service) => draft.residents.get(service)?.presence === "present");
  if (there !== undefined) {
    change(draft, there, { usedAt: now });
    if (there !== best) miss(draft, best);
  }
  const known = draft.wants.find((want) => same(want.services, services));
  draft.wants =
    known === undefined
      ? [...draft.wants, { services, count, since: now }]
      : draft.wants.map((want) => (want === known ? { ...want, count: want.count + count } : want));
  if (known !== undefined || there !== undefined) return;
  const target = knownOf(draft, best);
  const pinned = target && holdersFor(draft, target).find(({ member }) => member.pinned);
  if (pinned !== undefined)
    draft.notes.push({ is: "refused", service: best, why: pinnedFor(best, pinned.member.service) });
}

function withdraw(draft: Draft, asked: readonly string[], count: number): void {
  const services = asked.filter((service) => draft.rules.members.has(service));
  draft.wants = draft.wants.flatMap((want): Want[] => {
    if (!same(want.services, services)) return [want];
    return want.count > count ? [{ ...want, count: want.count - count }] : [];
  });
}

/** Takes over another set of services: what is known stays, what is no more is forgotten. */
function follow(draft: Draft, loadTimes: ReadonlyMap<string, number>): void {
  const { members } = draft.rules;
  for (const service of draft.residents.keys()) if (!members.has(service)) draft.residents.delete(service);
  for (const service of members.keys()) {
    const loadTime = loadTimes.get(service) ?? draft.residents.get(service)?.loadTime ?? 0;
    if (draft.residents.has(service)) change(draft, service, { loadTime });
    else draft.residents.set(service, { ...NEW, since: draft.now, usedAt: draft.now, loadTime });
  }
  const wants: Want[] = [];
  for (const want of draft.wants) {
    const services = want.services.filter((service) => members.has(service));
    const at = wants.findIndex((other) => same(other.services, services));
    const merged = wants[at];
    if (merged !== undefined) wants[at] = { ...merged, count: merged.count + want.count };
    else if (services.length > 0) wants.push({ ...want, services });
  }
  draft.wants = wants;
}
