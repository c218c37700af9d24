import { createServer } from "node:net";

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
    // A wanted port is its service's own: that it had it before is no reason against it.
    if (wanted !== undefined && (await canListen(wanted))) return wanted;
    for (;;) {
      const port = await freePort();
      if (!this.#given.includes(port)) return port;
    }
  }
}

/** A port that nobody listens on at this moment. */
export const freePort = async (): Promise<number> => (await listenOn(0)) ?? 0;

const canListen = async (port: number): Promise<boolean> => (await listenOn(port)) === port;

function listenOn(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(undefined));
    probe.listen(port, "127.0.0.1", () => {
      const bound = probe.address();
      probe.close(() => resolve(typeof bound === "object" && bound !== null ? bound.port : undefined));
    });
  });
}
