import { OmniError } from "../../core/index.ts";
import type { Call } from "./call.ts";

/** Calls of one server that may wait for people at the same time. */
const MOST = 64;

interface Parked {
  readonly call: Call;
  readonly timer: NodeJS.Timeout;
}

/** Calls that a server of the legacy era holds while its question is with the client. */
export class ParkedCalls {
  readonly #time: number;
  readonly #calls = new Map<string, Parked>();

  /** `time` ms that one question may wait for its answer. */
  constructor(time: number) {
    this.#time = time;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** False when too many wait already. */
  put(ticket: string, call: Call): boolean {
    if (this.#calls.size >= MOST) return false;
    const timer = setTimeout(() => {
      this.#calls.delete(ticket);
      call.abort(new OmniError("mcp.timeout", `No answer came within ${this.#time / 1000} s.`));
    }, this.#time);
    this.#calls.set(ticket, { call, timer });
    return true;
  }

  /** The call of a ticket, which is worth nothing afterwards. Somebody else's ticket stays where it is. */
  take(ticket: string, caller: string): Call | undefined {
    const parked = this.#calls.get(ticket);
    if (parked === undefined || parked.call.caller !== caller) return undefined;
    clearTimeout(parked.timer);
    this.#calls.delete(ticket);
    return parked.call;
  }

  close(error: Error): void {
    for (const { call, timer } of this.#calls.values()) {
      clearTimeout(timer);
      call.abort(error);
    }
    this.#calls.clear();
  }
}
