import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { nodeApi, startClients, startOwnNode } from "../../src/chaos/index.ts";
import type { NodeApi, StartedNode } from "../../src/chaos/index.ts";
import type { NodeEvent } from "../../src/core/index.ts";
import { openBoard, tellEngine } from "../../src/simulation/index.ts";
import type { Board, Fault } from "../../src/simulation/index.ts";
import type { ServiceView } from "../../src/supervisor/backends.ts";
import { enginesOf, holdersOf, isAlive, killQuietly, listens, processesOf } from "./left-behind.ts";
import { firstMissing } from "./told.ts";
import type { Expected } from "./told.ts";
import { seenBy } from "./seen-by-clients.ts";
import type { Seen } from "./seen-by-clients.ts";

const MAIN = resolve(import.meta.dirname, "../../src/cli/main.ts");
/** Longest wait for anything, ms: a bound against hanging for ever, no measure. */
const PATIENCE = 60_000;
/** The same for a whole scenario. */
export const LIMIT = 150_000;

const RESTING: ReadonlySet<string> = new Set(["ready", "unloaded", "stopped", "failed", "asleep"]);

/** A whole node on simulated engines and cards: the real command in a process of its own. */
export class ScenarioNode {
  readonly own: StartedNode;
  readonly api: NodeApi;
  readonly #board: Board | undefined;
  readonly #folder: string;
  #mark = 0;
  /** The Omni that has taken over from the one that was started first. */
  #successor: ChildProcess | undefined;

  private constructor(own: StartedNode, folder: string, simulated: boolean) {
    this.own = own;
    this.#folder = folder;
    this.api = nodeApi(own.url, undefined);
    this.#board = simulated ? openBoard(join(own.stateFolder, "simulation")) : undefined;
  }

  /** Its simulated cards. Throws Error for a node with real engines. */
  get board(): Board {
    if (this.#board === undefined) throw new Error("this node is not simulated");
    return this.#board;
  }

  static async start(
    spec: string,
    {
      ownDisk = false,
      simulate = true,
    }: {
      /** Its state folder on a small disk of its own, where we may mount one. */
      readonly ownDisk?: boolean;
      /** False where its engines are the real ones; it has no board then. */
      readonly simulate?: boolean;
    } = {},
  ): Promise<ScenarioNode> {
    const folder = mkdtempSync(join(tmpdir(), "omni-scenario-"));
    const path = join(folder, "omni.yaml");
    writeFileSync(path, spec);
    const own = await startOwnNode({
      command: [process.execPath, MAIN, "up", path, ...(simulate ? ["--simulate"] : [])],
      ownDisk,
    }).catch((error: unknown) => {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    });
    const node = new ScenarioNode(own, folder, simulate);
    await node.calm().catch(async (error: unknown) => {
      await node.end();
      throw error;
    });
    return node;
  }

  /** Path of its spec, which a test may write anew. */
  get spec(): string {
    return join(this.#folder, "omni.yaml");
  }

  /** UUID of a card by its place among the cards of the plan. */
  card(index: number): string {
    return this.board.cards[index]?.uuid ?? "";
  }

  /** Waits until no service is on its way anywhere, and lets the story begin here. */
  async calm(): Promise<void> {
    await this.until("all services rest", async () => {
      const { services } = await this.api.state();
      return services.every(({ state }) => RESTING.has(state));
    });
    await this.begin();
  }

  /** The story begins here. */
  async begin(): Promise<void> {
    this.#mark = await this.api.lastEvent();
  }

  /** What happened since the story began. */
  story(): Promise<readonly NodeEvent[]> {
    return this.api.since(this.#mark);
  }

  async service(name: string): Promise<ServiceView> {
    const { services } = await this.api.state();
    const found = services.find((service) => service.name === name);
    if (found === undefined) throw new Error(`the node has no service ${name}`);
    return found;
  }

  /** Waits until the story holds these events in this order, whatever stands between them; returns it. */
  async tells(...expected: readonly Expected[]): Promise<readonly NodeEvent[]> {
    let missing: Expected | undefined;
    await this.until(
      () => `the event ${missing?.[0]} of ${missing?.[1]} that says ${missing?.[2]}`,
      async () => {
        missing = firstMissing(await this.story(), expected);
        return missing === undefined;
      },
    );
    return this.story();
  }

  async untilState(name: string, ...states: readonly string[]): Promise<ServiceView> {
    await this.until(`${name} is ${states.join(" or ")}`, async () =>
      states.includes((await this.service(name)).state),
    );
    return this.service(name);
  }

  /** Waits for a condition; fails with the story so far when it does not come. */
  async until(
    what: string | (() => string),
    holds: () => boolean | Promise<boolean>,
    patience = PATIENCE,
  ): Promise<void> {
    const end = performance.now() + patience;
    while (!(await Promise.resolve(holds()).catch(() => false))) {
      if (performance.now() > end) {
        const told = (await this.story()).map(({ kind, message }) => `${kind}: ${message}`).join("\n");
        const text = typeof what === "string" ? what : what();
        throw new Error(`This did not come in ${patience} ms: ${text}. What happened:\n${told}`);
      }
      await sleep(50);
    }
  }

  /** Tells a running engine to fail. */
  async strike(name: string, fault: Fault): Promise<void> {
    const { endpoint } = await this.service(name);
    if (endpoint === undefined || !(await tellEngine(endpoint, fault)))
      throw new Error(`${name} takes no orders`);
  }

  async kill(name: string, signal: "SIGKILL" | "SIGSTOP" = "SIGKILL"): Promise<number> {
    const { pid, state } = await this.service(name);
    // A signal to process 0 would meet the tests themselves.
    if (pid === undefined) throw new Error(`${name} is ${state} and has no process`);
    process.kill(pid, signal);
    return pid;
  }

  /** Clients that ask without a pause while `act` happens; how their requests ended. */
  async underLoad(
    {
      model,
      count = 4,
      tokens = 24,
    }: { readonly model: string; readonly count?: number; readonly tokens?: number },
    act: () => Promise<unknown>,
  ): Promise<Seen> {
    const clients = startClients({ node: this.api, model, count, tokens, patience: PATIENCE });
    try {
      await this.until("clients are answered", () => clients.answers.length >= count);
      await act();
      const before = clients.answers.length;
      await this.until("clients are answered again", () =>
        clients.answers.slice(before).some(({ outcome }) => outcome === "answered"),
      );
    } finally {
      await clients.stop();
    }
    return seenBy(clients.answers);
  }

  /** One request of a client. */
  ask(
    model: string,
    body: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    return fetch(`${this.own.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({
        model,
        max_tokens: 8,
        messages: [{ role: "user", content: "count slowly" }],
        ...body,
      }),
    });
  }

  /** Applies its spec as it is written now, by another Omni that takes over. */
  async replace(): Promise<void> {
    const port = new URL(this.own.url).port;
    const before = this.#successor?.pid ?? this.own.pid;
    const child = this.#run(["up", this.spec, "--simulate", "--replace", "--port", port]);
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    this.#successor = child;
    await this.until(
      () => `the node is taken over; the new one says: ${text}`,
      async () => !isAlive(before) && (await fetch(`${this.own.url}/healthz`)).ok,
    );
  }

  #run(args: readonly string[]): ChildProcess {
    return spawn(process.execPath, [MAIN, ...args], {
      env: { ...process.env, OMNI_STATE: this.own.stateFolder, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** Runs another command of Omni on the same state folder to its end. */
  async omni(...args: readonly string[]): Promise<{ readonly code: number | null; readonly text: string }> {
    const child = this.#run(args);
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    await once(child, "close");
    return { code: child.exitCode, text };
  }

  /** No engine runs and no memory of a card is held but by the engines that the node knows. */
  async expectNothingStray(): Promise<void> {
    await this.until("only engines of the node run and hold memory", async () => {
      const { services } = await this.api.state();
      const known = new Set(services.flatMap(({ pid }) => pid ?? []));
      return [...enginesOf(this.own.stateFolder), ...this.#holders()].every((pid) => known.has(pid));
    });
  }

  /** Stops the node as its owner does. Throws Error when anything of it is left: a process, a port, memory of a card, a folder. */
  async end(): Promise<void> {
    const { stateFolder, url } = this.own;
    try {
      const { services } = await this.api.state().catch(() => ({ services: [] }));
      const ports = services.flatMap(({ endpoint }) => (endpoint?.kind === "tcp" ? endpoint.port : []));
      const pid = this.#successor?.pid ?? this.own.pid;
      if (pid > 0 && isAlive(pid)) process.kill(pid, "SIGTERM");
      await this.#gone("Omni", () => !isAlive(pid));
      await this.#gone("every process of the node", () => processesOf(stateFolder).length === 0);
      await this.#gone("what held memory of its cards", () => this.#holders().length === 0);
      for (const port of [...ports, Number(new URL(url).port)])
        await this.#gone(`who listened on ${port}`, async () => !(await listens(port)));
    } finally {
      for (const pid of processesOf(stateFolder)) killQuietly(pid);
      await this.own.end();
      rmSync(this.#folder, { recursive: true, force: true });
    }
    await this.#gone("its folder", () => !existsSync(stateFolder));
  }

  /** Processes that hold memory of a card. */
  #holders(): readonly number[] {
    return this.#board === undefined ? [] : holdersOf(this.#board);
  }

  /** Waits for the end of something without asking the node. */
  async #gone(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const end = performance.now() + PATIENCE;
    while (!(await holds())) {
      if (performance.now() > end) throw new Error(`After ${PATIENCE} ms this is not gone: ${what}.`);
      await sleep(50);
    }
  }
}
