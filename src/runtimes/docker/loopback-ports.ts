import { freePort } from "../free-port.ts";

/** How many ports are remembered as given away but perhaps not yet listened on. */
const REMEMBERED = 64;

/** Free TCP ports of this machine's loopback; the last few that were given away are not given twice. */
export class LoopbackPorts {
  readonly #given: number[] = [];

  /** `wanted` when it is free, any free one otherwise. */
  async take(wanted?: number): Promise<number> {
    const port = await this.#free(wanted);
    this.#given.push(port);
    if (this.#given.length > REMEMBERED) this.#given.shift();
    return port;
  }

  async #free(wanted?: number): Promise<number> {
    for (;;) {
      const port = await freePort(wanted);
      // A wanted port is its service's own: that it had it before is no reason against it.
      if (port === wanted || !this.#given.includes(port)) return port;
    }
  }
}
