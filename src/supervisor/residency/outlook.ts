import { formatDuration } from "../../core/index.ts";
import { holdersFor, knownOf } from "./residency-draft.ts";
import type { Known, Scene } from "./residency-draft.ts";
import { pinnedFor } from "./residency-input.ts";
import type { Outlook, ResidencyRules, ResidencyState } from "./residency-state.ts";
import { leaveAt, loadTimeOf, turnsOf } from "./turns.ts";
import type { Turn } from "./turns.ts";

/** When a service is likely to be there, how many are before it, and why it is not there now. Pure. */
export function outlookOf(
  state: ResidencyState,
  service: string,
  now: number,
  rules: ResidencyRules,
): Outlook {
  const scene: Scene = { now, rules, wants: state.wants, residents: state.residents };
  const known = knownOf(scene, service);
  if (known === undefined) return { position: 0, because: `${service} is not in the plan` };
  switch (known.resident.presence) {
    case "present":
      return { eta: 0, position: 0, because: `${service} is loaded` };
    case "coming":
      return known.resident.stalled
        ? { position: 0, because: `the last start of ${service} failed, and it is tried again` }
        : { eta: remaining(scene, known), position: 0, because: `${service} is being loaded` };
    case "absent":
    case "leaving":
      return outlookOfAbsent(scene, known);
  }
}

function remaining({ now }: Scene, known: Known): number {
  return Math.max(0, Math.round(known.resident.since + loadTimeOf(known) - now));
}

function outlookOfAbsent(scene: Scene, known: Known): Outlook {
  const { service } = known.member;
  const { bannedBy, notBefore, failures } = known.resident;
  const [by] = bannedBy;
  if (by !== undefined)
    return {
      position: 0,
      because: by === service ? "its requests go elsewhere for now" : `${service} makes room for ${by}`,
    };
  if (notBefore > scene.now) {
    const wait = notBefore - scene.now;
    const times = failures === 1 ? "the last load" : `the last ${failures} loads`;
    const because = `${times} of ${service} failed; it is tried again in ${formatDuration(wait)}`;
    return { eta: Math.round(wait + loadTimeOf(known)), position: 0, because };
  }
  const holders = holdersFor(scene, known);
  const pinned = holders.find(({ member }) => member.pinned);
  if (pinned !== undefined) return { position: 0, because: pinnedFor(service, pinned.member.service) };
  const turns = turnsOf(scene);
  const at = turns.findIndex(({ target }) => target.member.service === service);
  const own = turns[at] ?? { target: known, since: scene.now, byHand: false };
  const before = (at < 0 ? turns : turns.slice(0, at)).filter(({ target }) =>
    known.member.excludes.includes(target.member.service),
  );
  const ahead = before.reduce((sum, { target }) => sum + loadTimeOf(target) + scene.rules.minResidency, 0);
  const eta = untilFree(scene, holders, own) + ahead + loadTimeOf(known);
  return { eta: Math.round(eta), position: before.length, because: reason(known, holders, before) };
}

/** Milliseconds until those who hold its cards have left; one that loads is reckoned to stay for its minimum. */
function untilFree(scene: Scene, holders: readonly Known[], turn: Turn): number {
  const times = holders.map((holder) =>
    holder.resident.presence === "coming" && !holder.resident.stalled
      ? remaining(scene, holder) + scene.rules.minResidency
      : Math.max(0, leaveAt(scene, holder, turn) - scene.now),
  );
  return Math.max(0, ...times);
}

function reason(known: Known, holders: readonly Known[], before: readonly Turn[]): string {
  const { service } = known.member;
  const first = before[0]?.target.member.service;
  if (first !== undefined) return `${service} takes turns, and ${first} is before it`;
  const [holder] = holders;
  if (holder === undefined)
    return known.resident.presence === "leaving"
      ? `${service} is being unloaded`
      : `${service} is not loaded`;
  const other = holder.member.service;
  switch (holder.resident.presence) {
    case "coming":
      return `${service} takes turns with ${other}, which is being loaded`;
    case "leaving":
      return `${service} takes turns with ${other}, which is being unloaded`;
    case "present":
    case "absent":
      return holder.resident.inFlight > 0
        ? `${service} takes turns with ${other}, which answers ${holder.resident.inFlight === 1 ? "a request" : `${holder.resident.inFlight} requests`}`
        : `${service} takes turns with ${other}, which is loaded`;
  }
}
