import type { AdmissionRules } from "./admission-core.ts";
import { AdmissionCore } from "./admission-core.ts";
import type { Admission, NoPlace, Place, Waiter, Wanted } from "./admission.ts";

export interface AdmissionOptions extends Omit<AdmissionRules, "ageing" | "now"> {
  /** Longest wait, ms, `gateway.queue.deadline`. */
  readonly deadline: number;
  /** A class that gets nothing counts one class higher for every so many ms; a twentieth of the deadline when absent. */
  readonly ageing?: number;
  readonly now?: () => number;
}

/** Node fires longer timers at once. */
const LONGEST_TIMER = 2 ** 31 - 1;
/** With this, the lowest class gets its turn in less than half of the deadline. */
const CLASSES_IN_DEADLINE = 20;

/**
 * Places at the services of one node, in this process. `refresh` is to be called when a service changed; `queueLimit` and
 * `deadline` are read anew for each who comes.
 */
export function createAdmission(options: AdmissionOptions): Admission {
  const { capacityOf, queueLimitOf, ageing = Math.max(1, options.deadline / CLASSES_IN_DEADLINE) } = options;
  const core = new AdmissionCore({
    capacityOf,
    queueLimitOf,
    ageing,
    now: options.now ?? (() => performance.now()),
    get queueLimit() {
      return options.queueLimit;
    },
  });
  return {
    tryEnter: (wanted) => core.tryEnter(wanted),
    enter: (wanted, who, time, signal) => {
      for (const one of wanted) {
        const place = core.tryEnter(one);
        if (place !== undefined) return Promise.resolve(place);
      }
      if (signal.aborted) return Promise.resolve(undefined);
      return wait(core, wanted, who, Math.min(time, options.deadline, LONGEST_TIMER), signal);
    },
    load: (service) => core.load(service),
    refresh: () => core.refresh(),
  };
}

function wait(
  core: AdmissionCore,
  wanted: readonly Wanted[],
  who: Waiter,
  time: number,
  signal: AbortSignal,
): Promise<Place | NoPlace | undefined> {
  const services = wanted.map((one) => one.service);
  if (time <= 0) return Promise.resolve(tooLate(core, services, who, 0));
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const settle = (answer: Place | NoPlace | undefined): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abandon);
      resolve(answer);
    };
    const waiting = core.join({
      wanted,
      who,
      admitted: settle,
      displaced: () => settle(gaveWay(core, services, who)),
    });
    const abandon = (): void => {
      if ("stays" in waiting) core.remove(waiting);
      settle(undefined);
    };
    if ("status" in waiting) {
      resolve(waiting);
      return;
    }
    signal.addEventListener("abort", abandon, { once: true });
    timer = setTimeout(() => {
      core.remove(waiting);
      settle(tooLate(core, services, who, time));
    }, time);
  });
}

const named = (services: readonly string[]): string => services.map((service) => `"${service}"`).join(" or ");

const tooLate = (core: AdmissionCore, services: readonly string[], who: Waiter, time: number): NoPlace => ({
  status: 503,
  code: "queue_timeout",
  message: `No place at ${named(services)} became free within ${(time / 1000).toFixed(1)} s; ${core.waiting} other requests wait.`,
  retryAfter: core.retryAfter(services, who.priority),
});

const gaveWay = (core: AdmissionCore, services: readonly string[], who: Waiter): NoPlace => ({
  status: 429,
  code: "queue_full",
  message: `The queue for ${named(services)} is full, and this request gave way to one of a higher priority or of a key with fewer requests waiting.`,
  retryAfter: core.retryAfter(services, who.priority),
});
