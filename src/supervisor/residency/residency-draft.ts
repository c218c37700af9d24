import type {
  Absence,
  Member,
  Resident,
  ResidencyAction,
  ResidencyNote,
  ResidencyRules,
  ResidencyState,
  Want,
} from "./residency-state.ts";

/** A step while it is being made: the only place where a residency is changed, and gone when the step is. */
export interface Draft {
  readonly residents: Map<string, Resident>;
  wants: readonly Want[];
  started: boolean;
  wakeAt: number | undefined;
  /** Something was learnt that may change who is loaded. */
  changed: boolean;
  readonly actions: ResidencyAction[];
  readonly notes: ResidencyNote[];
  readonly now: number;
  readonly rules: ResidencyRules;
}

export const draftOf = (state: ResidencyState, now: number, rules: ResidencyRules): Draft => ({
  residents: new Map(state.residents),
  wants: state.wants,
  started: state.started,
  wakeAt: state.wakeAt,
  changed: true,
  actions: [],
  notes: [],
  now,
  rules,
});

/** What a decision looks at; a draft is one, and so is a state with its rules. */
export type Scene = Pick<Draft, "now" | "rules" | "wants"> & {
  readonly residents: ReadonlyMap<string, Resident>;
};

/** A service of the plan with what is known of it. */
export interface Known {
  readonly member: Member;
  readonly resident: Resident;
}

export function knownOf(scene: Scene, service: string): Known | undefined {
  const member = scene.rules.members.get(service);
  const resident = scene.residents.get(service);
  return member === undefined || resident === undefined ? undefined : { member, resident };
}

export const allOf = (scene: Scene): readonly Known[] =>
  [...scene.rules.members.keys()].flatMap((service) => knownOf(scene, service) ?? []);

/** Those whose cards a service would take, and that hold them now. */
export const holdersFor = (scene: Scene, { member }: Known): readonly Known[] =>
  member.excludes
    .flatMap((service) => knownOf(scene, service) ?? [])
    .filter(({ resident }) => resident.presence !== "absent");

export function change(draft: Draft, service: string, changes: Partial<Resident>): void {
  const resident = draft.residents.get(service);
  if (resident !== undefined) draft.residents.set(service, { ...resident, ...changes });
}

export function load(draft: Draft, { member: { service } }: Known, why: string): void {
  change(draft, service, {
    presence: "coming",
    since: draft.now,
    heard: false,
    stalled: false,
    promised: false,
  });
  draft.actions.push({ do: "load", service, why });
  draft.notes.push({ is: "loading", service, why });
}

export function unload(
  draft: Draft,
  { member, resident }: Known,
  { why, away }: { readonly why: string; readonly away: Absence },
): void {
  const { service } = member;
  change(draft, service, { presence: "leaving", since: draft.now, heard: false, stalled: false, away });
  // Whom its owner unloads, and what never was loaded, has nothing to sleep with.
  const sleep = member.canSleep && away !== "by-hand" && resident.presence === "present";
  draft.actions.push({ do: "unload", service, why, drain: member.drain, sleep });
  draft.notes.push({ is: "unloading", service, why, inFlight: resident.inFlight });
}
