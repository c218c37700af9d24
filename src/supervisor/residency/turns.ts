import { allOf, holdersFor, knownOf } from "./residency-draft.ts";
import type { Known, Scene } from "./residency-draft.ts";
import type { Want } from "./residency-state.ts";

/** A service that is to be loaded next for those who wait for it. */
export interface Turn {
  readonly target: Known;
  /** Since when somebody waits for it. */
  readonly since: number;
  /** Its owner asked: nobody's minimum residency is waited for. */
  readonly byHand: boolean;
}

/** A wait of this many milliseconds counts as much as one more level of priority, at least. */
const LEAST_AGING = 10_000;

/** Share of the minimum residency that a service of lower priority is sure of. */
const LESSER_SHARE = 0.25;

/** A wait of this length makes up for one level of priority: nobody waits for ever. */
export const agingUnit = ({ rules }: Pick<Scene, "rules">): number =>
  Math.max(LEAST_AGING, rules.minResidency);

/** Whose turn it is: what the owner asked for, for whom others left already, then by priority and time waited. */
export function turnsOf(scene: Scene): readonly Turn[] {
  const byHand = allOf(scene)
    .filter(({ resident }) => resident.byHand && resident.presence !== "present")
    .filter(({ resident }) => resident.bannedBy.length === 0)
    .map((target): Turn => ({ target, since: target.resident.since, byHand: true }));
  const waiting = scene.wants
    .flatMap((want): Turn[] => {
      const target = targetOf(scene, want);
      return target === undefined ? [] : [{ target, since: want.since, byHand: false }];
    })
    .toSorted(
      (one, other) =>
        Number(other.target.resident.promised) - Number(one.target.resident.promised) ||
        urgency(scene, other) - urgency(scene, one) ||
        one.since - other.since,
    );
  return [...byHand, ...waiting];
}

const urgency = (scene: Scene, { target, since }: Turn): number =>
  target.member.priority + (scene.now - since) / agingUnit(scene);

/**
 * Which service a want is for: none when one of them is there or comes; else the first that can be had at once, and
 * where none can, the one that is there soonest for the least.
 */
function targetOf(scene: Scene, want: Want): Known | undefined {
  const listed = want.services.flatMap((service) => knownOf(scene, service) ?? []);
  if (listed.some(({ resident }) => resident.presence === "present")) return undefined;
  if (listed.some(({ resident }) => resident.presence === "coming" && !resident.stalled)) return undefined;
  const possible = listed.filter((known) => known.resident.presence !== "coming" && canBeHad(scene, known));
  let best: Known | undefined;
  let least = Infinity;
  for (const target of possible) {
    const turn = { target, since: want.since, byHand: false };
    const at = freeAt(scene, turn);
    if (at <= scene.now && target.resident.presence === "absent") return target;
    const cost = at - scene.now + loadTimeOf(target) + evictionCost(scene, target);
    if (best === undefined || cost < least) {
      best = target;
      least = cost;
    }
  }
  return best;
}

/** Not kept away by the ladder, by its last failure, or by a pinned service. */
export const canBeHad = (scene: Scene, known: Known): boolean =>
  known.resident.bannedBy.length === 0 &&
  known.resident.notBefore <= scene.now &&
  !holdersFor(scene, known).some(({ member }) => member.pinned);

/** Milliseconds until it answers, once it may be loaded. A process that only sleeps is there five times sooner. */
export const loadTimeOf = ({ resident }: Known): number =>
  resident.asleep ? (resident.wakeTime ?? resident.loadTime / 5) : resident.loadTime;

/** What it costs, in milliseconds, that others have to be loaded again: more for what is in use and of higher priority. */
function evictionCost(scene: Scene, target: Known): number {
  return holdersFor(scene, target)
    .filter(({ resident }) => resident.presence === "present")
    .reduce((sum, holder) => sum + keepingWorth(scene, holder), 0);
}

/** What it is worth to keep a loaded service, in milliseconds of loading it again. */
export function keepingWorth(scene: Scene, { member, resident }: Known): number {
  const idle = resident.inFlight > 0 ? 0 : scene.now - resident.usedAt;
  const recent = agingUnit(scene) / (agingUnit(scene) + idle);
  return resident.loadTime * (1 + member.priority / 5) * (resident.inFlight > 0 ? 2 : recent);
}

/** When all who hold the target's cards may be told to leave, as things stand now; `Infinity` where that is not known. */
const freeAt = (scene: Scene, turn: Turn): number =>
  Math.max(
    scene.now,
    ...holdersFor(scene, turn.target).map((holder) => leaveAt(scene, holder, turn)),
    turn.target.resident.presence === "leaving" ? Infinity : 0,
  );

/**
 * When a service may be told to make room. One that is loaded stays for the minimum residency (a quarter of it for a higher
 * priority); while it answers it stays longer, up to the patience of those who wait.
 */
export function leaveAt(scene: Scene, { member, resident }: Known, turn: Turn): number {
  const { now, rules } = scene;
  switch (resident.presence) {
    case "absent":
    case "leaving":
      return now;
    case "coming":
      return turn.byHand || resident.stalled ? now : Infinity;
    case "present": {
      if (turn.byHand) return now;
      const higher = turn.target.member.priority > member.priority;
      const stays = resident.since + rules.minResidency * (higher ? LESSER_SHARE : 1);
      return resident.inFlight === 0
        ? stays
        : Math.max(stays, turn.since + patience(scene, member.priority, turn));
    }
  }
}

/**
 * How long those who wait let a busy service go on: a minimum residency among equals, none of it for who matters more,
 * twice it for who matters less; never so long that the wait itself would be in vain.
 */
function patience({ rules }: Scene, priority: number, { target }: Turn): number {
  const difference = target.member.priority - priority;
  const share = difference > 0 ? 0 : difference < 0 ? 2 : 1;
  const left = rules.maxWait - loadTimeOf(target);
  return Math.max(0, Math.min(rules.minResidency * share, left / 2));
}
