import { Contention } from "./contention.ts";
import { MirrorSource } from "./mirror-source.ts";
import type { ToWorker } from "./protocol.ts";
import { PROTOCOL } from "./protocol.ts";
import type { WorkerServices } from "./worker-desk.ts";
import { WorkerSlot } from "./worker-slot.ts";

export interface WorkerPoolOptions {
  readonly workers: number;
  /** The file that a worker runs. */
  readonly entry: string;
  /** What each worker's `onSettings` gets: plain data. */
  readonly settings: unknown;
  readonly services: WorkerServices;
}

/** How often the mirror is compared with the node beside events, ms: for what changes without one, such as load. */
const COMPARE_EVERY = 1000;
/** How long after its deadline a worker that drains is waited for, ms. */
const GRACE = 1500;
/** Events that a worker has from the beginning. */
const EVENTS_TOLD = 200;
const LONGEST_TIMER = 2 ** 31 - 1;

/** The worker processes of a gateway: started, told what they need, started again when they die, and ended together. */
export class WorkerPool {
  readonly #services: WorkerServices;
  readonly #slots: readonly WorkerSlot[];
  readonly #source: MirrorSource;
  readonly #unsubscribe: (() => void)[] = [];
  #settings: unknown;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #kill: NodeJS.Timeout | undefined;
  #killAt = Number.POSITIVE_INFINITY;

  constructor({ workers, entry, settings, services }: WorkerPoolOptions) {
    this.#services = services;
    this.#settings = settings;
    this.#source = new MirrorSource(services.backends, services.admission);
    const contention = new Contention(services.admission, (service, on) =>
      this.#tell({ is: "contended", service, on }),
    );
    this.#slots = Array.from(
      { length: workers },
      (_, at) =>
        new WorkerSlot({
          number: at + 1,
          entry,
          services,
          contention,
          beginning: () => this.#beginning(contention),
          refresh: () => this.look(),
        }),
    );
  }

  /** Processes that listen. */
  get pids(): readonly number[] {
    return this.#slots.flatMap(({ pid }) => pid ?? []);
  }

  /** Starts the workers and returns the URL. Throws why they could not listen; then none is left. */
  async start(): Promise<string> {
    const { events, keys } = this.#services;
    this.#unsubscribe.push(
      events.subscribe((event) => {
        this.#tell({ is: "events", events: [event] });
        this.#lookSoon();
      }),
      keys.board.subscribe((known) => this.#tell({ is: "keys", known })),
    );
    this.#timer = setInterval(() => this.look(), COMPARE_EVERY).unref();
    const [first, ...others] = this.#slots;
    try {
      // The first one alone: where the port is taken, it is said once.
      const url = (await first?.start()) ?? "";
      await Promise.all(others.map((slot) => slot.start()));
      return url;
    } catch (thrown) {
      await this.close(0);
      throw thrown;
    }
  }

  /** Tells workers what has changed in the node, and lets in who fits now. */
  look(): void {
    const change = this.#source.change();
    if (change === undefined) return;
    this.#tell({ is: "mirror", change });
    this.#services.admission.refresh();
  }

  /** Tells workers their new settings; those that start later have them from the beginning. */
  configure(settings: unknown): void {
    this.#settings = settings;
    this.#tell({ is: "settings", settings });
  }

  /** Asks all workers by name. Those that do not answer within two seconds, or with an error, are left out. */
  async collect(what: string, input: unknown = null): Promise<readonly unknown[]> {
    const outcomes = await Promise.all(this.#slots.map((slot) => slot.ask(what, input)));
    return outcomes.flatMap((outcome) =>
      outcome !== undefined && "value" in outcome ? [outcome.value] : [],
    );
  }

  /** Lets workers finish for at most `deadline` ms, then ends them. A later call with less time hurries an earlier one. */
  async close(deadline: number): Promise<void> {
    clearInterval(this.#timer);
    for (const slot of this.#slots) slot.drain(deadline);
    const killAt = performance.now() + deadline + GRACE;
    if (killAt < this.#killAt) {
      this.#killAt = killAt;
      clearTimeout(this.#kill);
      const left = Math.min(LONGEST_TIMER, deadline + GRACE);
      this.#kill = setTimeout(() => this.#slots.forEach((slot) => slot.kill()), left);
    }
    await Promise.all(this.#slots.map((slot) => slot.ended()));
    clearTimeout(this.#kill);
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
  }

  /** Many events of one moment are one look. */
  #lookSoon(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    setImmediate(() => {
      this.#isLooking = false;
      this.look();
    });
  }

  #tell(message: ToWorker): void {
    for (const slot of this.#slots) slot.send(message);
  }

  #beginning(contention: Contention): readonly ToWorker[] {
    const { events, keys } = this.#services;
    return [
      { is: "mirror", change: this.#source.whole() },
      { is: "keys", known: keys.board.known },
      { is: "events", events: events.latest(EVENTS_TOLD) },
      ...Array.from(contention.services, (service): ToWorker => ({ is: "contended", service, on: true })),
      { is: "begin", protocol: PROTOCOL, settings: this.#settings },
    ];
  }
}
