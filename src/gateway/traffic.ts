import type { Usage } from "./usage.ts";

/** What one service was asked for and gave since the gateway started. */
export interface ServiceTraffic {
  /** Tries dispatched to it, retries included. */
  attempts: number;
  inFlight: number;
  /** Tries that ended without an answer and were tried again. */
  retried: number;
  /** Answers that broke after the client had seen a part. */
  cut: number;
  /** Answers that it went on with where another had been cut. */
  continued: number;
  promptTokens: number;
  completionTokens: number;
}

/** Counts per service, bounded by the number of services. */
export class Traffic {
  readonly #services = new Map<string, ServiceTraffic>();

  of(service: string): ServiceTraffic {
    let counts = this.#services.get(service);
    if (counts === undefined) {
      counts = {
        attempts: 0,
        inFlight: 0,
        retried: 0,
        cut: 0,
        continued: 0,
        promptTokens: 0,
        completionTokens: 0,
      };
      this.#services.set(service, counts);
    }
    return counts;
  }

  count(service: string, usage: Usage | undefined): void {
    if (usage === undefined) return;
    const counts = this.of(service);
    counts.promptTokens += usage.promptTokens;
    counts.completionTokens += usage.completionTokens;
  }

  snapshot(): Record<string, ServiceTraffic> {
    return Object.fromEntries([...this.#services].map(([name, counts]) => [name, { ...counts }]));
  }
}
