/** What is fixed about a service as far as it shares cards. Times in milliseconds. */
export interface Member {
  readonly service: string;
  /** Services that cannot be loaded while this one is, or leaves. */
  readonly excludes: readonly string[];
  /** Services that a route names before this one: what this one answers, one of them might have been asked. */
  readonly standsInFor: readonly string[];
  /** Of those that take turns: loaded when nothing else is asked for. */
  readonly standing: boolean;
  /** It is loaded at the start of the node: the standing ones, and all that need not take turns. */
  readonly preload: boolean;
  /** 9 stays longest, 0 goes first. */
  readonly priority: number;
  /** Never unloaded for another. */
  readonly pinned: boolean;
  /** Idle time after which it is unloaded; `false` never. */
  readonly ttl: number | false;
  /** Running answers get this long when it is unloaded for another's sake. */
  readonly drain: number;
  /** It can free its cards and keep its process. */
  readonly canSleep: boolean;
}

/**
 * Where a service is, as far as cards are concerned. A service that is `coming` or `leaving` holds its cards as well as
 * one that is `present`; one that is `absent` (asleep included) holds none.
 */
export type Presence = "absent" | "coming" | "present" | "leaving";

/** Why it is not there; decides what brings it back. */
export type Absence =
  /** Never asked for since the node started. */
  | "new"
  | "idle"
  /** It made room for another. */
  | "gave-way"
  | "by-hand"
  | "banned"
  | "failed"
  /** Its end was not asked for by the residency. */
  | "ended";

/** What is known of one service at one moment. Times are milliseconds of the clock that only grows. */
export interface Resident {
  readonly presence: Presence;
  /** Of `presence`. */
  readonly since: number;
  /** Its state was heard since it was last told to load or unload. */
  readonly heard: boolean;
  /** `coming`, and between two attempts: it holds nothing at this moment. */
  readonly stalled: boolean;
  readonly asleep: boolean;
  readonly away: Absence;
  readonly inFlight: number;
  /** Last time that a request was on it or waited for it. */
  readonly usedAt: number;
  /** Loads that failed one after the other, and until when it is not tried again for a request. */
  readonly failures: number;
  readonly notBefore: number;
  /** What a load takes, measured or estimated. */
  readonly loadTime: number;
  /** What the last wake from sleep took. */
  readonly wakeTime?: number;
  /** Services for whose sake it must stay away. */
  readonly bannedBy: readonly string[];
  /** Its owner asked for it, and it is not there yet. */
  readonly byHand: boolean;
  /** Others were told to leave for it: it is the next, whoever asks meanwhile. */
  readonly promised: boolean;
  /** A request that would have liked this one best was answered by another; cleared when it is there. */
  readonly missed: boolean;
}

/** Requests that wait for one of the same services, first choice first. */
export interface Want {
  readonly services: readonly string[];
  readonly count: number;
  /** When the first of them began to wait. */
  readonly since: number;
}

export interface ResidencyState {
  readonly residents: ReadonlyMap<string, Resident>;
  readonly wants: readonly Want[];
  readonly started: boolean;
  /** When `tick` is due. */
  readonly wakeAt: number | undefined;
}

export type ResidencyInput =
  | { readonly kind: "start" }
  | { readonly kind: "demand"; readonly services: readonly string[]; readonly count: number }
  | { readonly kind: "withdraw"; readonly services: readonly string[]; readonly count: number }
  | { readonly kind: "lease-taken"; readonly service: string }
  | { readonly kind: "lease-released"; readonly service: string }
  | { readonly kind: "coming"; readonly service: string }
  | { readonly kind: "stalled"; readonly service: string }
  | { readonly kind: "ready"; readonly service: string; readonly loadTime: number }
  | { readonly kind: "leaving"; readonly service: string }
  | { readonly kind: "gone"; readonly service: string; readonly asleep: boolean }
  | { readonly kind: "failed"; readonly service: string }
  | { readonly kind: "load"; readonly service: string; readonly why: string }
  | { readonly kind: "unload"; readonly service: string; readonly why: string }
  | { readonly kind: "ban"; readonly service: string; readonly by: string }
  | { readonly kind: "unban"; readonly service: string; readonly by: string }
  /** The rules have changed: a new plan, or another load time. */
  | { readonly kind: "members"; readonly loadTimes: ReadonlyMap<string, number> }
  | { readonly kind: "tick" };

export type ResidencyAction =
  | { readonly do: "load"; readonly service: string; readonly why: string }
  | {
      readonly do: "unload";
      readonly service: string;
      readonly why: string;
      readonly drain: number;
      readonly sleep: boolean;
    }
  /** Send `tick` at this time; replaces the one before. */
  | { readonly do: "wake"; readonly at: number };

/** Times in milliseconds. */
export interface ResidencyRules {
  readonly members: ReadonlyMap<string, Member>;
  /** Least time a service stays loaded once it was. */
  readonly minResidency: number;
  /** Longest that a request waits. */
  readonly maxWait: number;
}

/** What happened, for people; `describeResidency` turns it into an event. */
export type ResidencyNote =
  | { readonly is: "loading"; readonly service: string; readonly why: string }
  | { readonly is: "unloading"; readonly service: string; readonly why: string; readonly inFlight: number }
  | { readonly is: "not-again"; readonly service: string; readonly failures: number; readonly wait: number }
  | { readonly is: "refused"; readonly service: string; readonly why: string }
  | { readonly is: "unanswered"; readonly service: string; readonly what: "load" | "unload" };

export interface ResidencyStep {
  readonly state: ResidencyState;
  readonly actions: readonly ResidencyAction[];
  readonly notes: readonly ResidencyNote[];
}

/** When a service that is not there is likely to be. */
export interface Outlook {
  /** Milliseconds until it is likely ready; absent where that depends on what nobody knows. */
  readonly eta?: number;
  /** Services that are loaded before it on its cards; 0 when it is there, coming, or the next. */
  readonly position: number;
  /** Why it is not there now, in words. */
  readonly because: string;
}

export const EMPTY_RESIDENCY: ResidencyState = {
  residents: new Map(),
  wants: [],
  started: false,
  wakeAt: undefined,
};
