import type { ServiceView } from "../supervisor/index.ts";
import type { Terminal } from "./terminal.ts";

/** Milliseconds before anything is worth a progress line, and between two of its updates. */
const QUIET = 1000;
const UPDATE = 200;
const CLEAR_LINE = "\r\u001B[2K";

/** One line at the foot of a terminal that tells what is still loading; nothing where there is no terminal. */
export class Progress {
  readonly #terminal: Terminal;
  #timer: NodeJS.Timeout | undefined;
  #shown = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  follow(services: () => readonly ServiceView[]): void {
    if (!this.#terminal.interactive) return;
    const began = performance.now();
    this.#timer = setInterval(() => {
      if (performance.now() - began > QUIET) this.#draw(services(), (performance.now() - began) / 1000);
    }, UPDATE);
  }

  /** Lets other lines be printed without the progress line in between. */
  around(print: () => void): void {
    this.#clear();
    print();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#clear();
  }

  #draw(services: readonly ServiceView[], seconds: number): void {
    const waiting = services.filter((service) => service.state !== "ready" && service.state !== "failed");
    const parts = waiting.map((service) => {
      const loaded = service.progress === undefined ? "" : ` ${Math.round(service.progress * 100)} %`;
      return `${service.name} ${service.state}${loaded}`;
    });
    const line = `${parts.join(", ")} (${seconds.toFixed(0)} s)`.slice(0, this.#terminal.columns - 1);
    process.stdout.write(CLEAR_LINE + this.#terminal.style("dim", line));
    this.#shown = true;
  }

  #clear(): void {
    if (this.#shown) process.stdout.write(CLEAR_LINE);
    this.#shown = false;
  }
}
