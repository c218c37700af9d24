import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { messageOf, siblingProgram } from "../../core/index.ts";
import type { CardLook, CardSource, XidNotice } from "../card-sample.ts";
import { NO_CARDS } from "../card-sample.ts";
import { tellSchema } from "./messages.ts";
import type { Ask, Tell } from "./messages.ts";

export interface NvmlOptions {
  /** Paths or names of the library; the first that can be loaded is used. */
  readonly libraries: readonly string[];
  /** Milliseconds after which a look that has not ended counts as hung. */
  readonly patience: number;
  /** Milliseconds between two looks at what changes slowly: what each process holds, errors, limits, links. */
  readonly slow: number;
  /** Milliseconds between two attempts to get a lost card back. */
  readonly retry: number;
  onXid(notice: XidNotice): void;
  /** The driver says that something about the cards has changed. */
  onChange(): void;
  /** The program that holds the library is gone for good. */
  onEnd(reason: string): void;
}

const PROGRAM = siblingProgram(import.meta.url, "./nvml-program");
/** Milliseconds that loading the library and opening the cards may take; without persistence mode seconds a card. */
const OPENING = 30_000;

interface Waiting {
  readonly id: number;
  readonly promise: Promise<CardLook>;
  settle(look: CardLook): void;
}

/** NVML, held by a program of its own. Resolves with why it cannot be used where it cannot. */
export async function openNvml(
  options: NvmlOptions,
  signal: AbortSignal,
): Promise<CardSource | { readonly refused: string }> {
  let child: ChildProcess;
  try {
    child = fork(PROGRAM, [options.libraries.join("|"), String(options.retry)], {
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      execArgv: ["--max-semi-space-size=1", "--max-old-space-size=64"],
    });
  } catch (thrown) {
    return { refused: `the program that reads NVML cannot be started: ${messageOf(thrown)}` };
  }
  const source = new NvmlSource(child, options);
  const onAbort = (): void => void source.close();
  signal.addEventListener("abort", onAbort, { once: true });
  const refused = await source.opened;
  signal.removeEventListener("abort", onAbort);
  if (refused === undefined) return source;
  await source.close();
  return { refused };
}

class NvmlSource implements CardSource {
  readonly name = "nvml";
  /** Resolves with `undefined` once cards can be read, or with why they cannot. */
  readonly opened: Promise<string | undefined>;
  readonly #child: ChildProcess;
  readonly #options: NvmlOptions;
  #nextId = 0;
  #waiting: Waiting | undefined;
  #following: Waiting | undefined;
  #askedAt = 0;
  #allAt = -Infinity;
  #state: "opening" | "open" | "ended" = "opening";
  #ended = "";

  constructor(child: ChildProcess, options: NvmlOptions) {
    this.#child = child;
    this.#options = options;
    this.opened = new Promise((resolve) => {
      const timer = setTimeout(() => resolve(`NVML did not open within ${OPENING / 1000} s`), OPENING);
      const settle = (refused?: string): void => {
        clearTimeout(timer);
        resolve(refused);
      };
      child.on("message", (message: unknown) => {
        const tell = tellSchema.safeParse(message);
        if (tell.success) this.#onTell(tell.data, settle);
      });
      child.once("error", (error) => this.#end(messageOf(error), settle));
      child.once("exit", (code, signal) =>
        this.#end(`its program ended with ${signal ?? `code ${String(code)}`}`, settle),
      );
    });
  }

  look(fresh: boolean): Promise<CardLook> {
    if (this.#state === "ended") return Promise.resolve({ ...NO_CARDS, problem: this.#ended });
    if (this.#waiting === undefined) return this.#ask(fresh);
    // One that is hung answers all askers alike: nothing piles up behind it.
    if (!fresh || this.problem() !== undefined) return this.#within(this.#waiting.promise, this.#askedAt);
    // A look under way began too early for somebody who wants to know what is true now.
    this.#following ??= waiting(-1);
    return this.#within(this.#following.promise, performance.now());
  }

  problem(): string | undefined {
    if (this.#state === "ended") return this.#ended;
    const since = performance.now() - this.#askedAt;
    if (this.#waiting === undefined || since < this.#options.patience) return undefined;
    return `the driver has not answered NVML for ${Math.round(since / 1000)} s; a card or the driver hangs (dmesg | grep -i xid)`;
  }

  async close(): Promise<void> {
    this.#state = "ended";
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined)
      return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    // A call that hangs in the kernel keeps even a killed process; it must not keep this one.
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise((resolve) => {
      timer = setTimeout(resolve, 2000);
    });
    await Promise.race([gone, enough]);
    clearTimeout(timer);
    if (this.#child.connected) this.#child.disconnect();
    this.#child.unref();
  }

  #ask(fresh: boolean): Promise<CardLook> {
    const now = performance.now();
    const all = fresh || now - this.#allAt >= this.#options.slow;
    if (all) this.#allAt = now;
    const asked = waiting(this.#nextId++);
    this.#waiting = asked;
    this.#askedAt = now;
    const ask: Ask = { id: asked.id, all };
    this.#child.send(ask, () => {});
    return this.#within(asked.promise, now);
  }

  /** A look, or that there was none within the patience that began at `from`. */
  async #within(look: Promise<CardLook>, from: number): Promise<CardLook> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<CardLook>((resolve) => {
      const left = Math.max(0, from + this.#options.patience - performance.now());
      timer = setTimeout(
        () => resolve({ ...NO_CARDS, problem: this.problem() ?? "the driver is slow to answer NVML" }),
        left,
      );
    });
    try {
      return await Promise.race([look, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #onTell(tell: Tell, opened: (refused?: string) => void): void {
    if (tell.kind === "xid") this.#options.onXid(tell);
    else if (tell.kind === "changed") this.#options.onChange();
    else if (tell.kind === "unavailable") opened(tell.reason);
    else if (tell.kind === "ready") {
      this.#state = "open";
      opened();
    } else if (tell.id === this.#waiting?.id) {
      const asked = this.#waiting;
      this.#waiting = undefined;
      const at = this.#askedAt;
      asked.settle({ cards: tell.cards.map((card) => ({ ...card, at })), lost: tell.lost, complete: true });
      const following = this.#following;
      this.#following = undefined;
      if (following !== undefined) void this.#ask(true).then((look) => following.settle(look));
    }
  }

  #end(why: string, opened: (refused?: string) => void): void {
    const wasOpen = this.#state === "open";
    this.#state = "ended";
    this.#ended = `NVML is not read any more: ${why}`;
    const look = { ...NO_CARDS, problem: this.#ended };
    this.#waiting?.settle(look);
    this.#following?.settle(look);
    opened(this.#ended);
    if (wasOpen) this.#options.onEnd(why);
  }
}

function waiting(id: number): Waiting {
  const { promise, resolve } = Promise.withResolvers<CardLook>();
  return { id, promise, settle: resolve };
}
