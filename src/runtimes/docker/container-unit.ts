import { z } from "zod";
import type { Address } from "../../core/index.ts";
import type { ProcessExit } from "../../engines/engine.ts";
import type { Unit } from "../runtime.ts";
import { insideAddress, reachFrom } from "./container-address.ts";
import { containerEnd } from "./container-exit.ts";
import { containerProcesses } from "./container-processes.ts";
import { daemonAnswer, isMissing, isSilent } from "./daemon-answer.ts";
import type { DockerConnection } from "./docker-connection.ts";
import { LogFollower } from "./log-follower.ts";
import type { OpenLog } from "./log-follower.ts";
import type { LabelledUnit } from "./container-labels.ts";

const KEPT_LINES = 200;
/** Node runs a timer beyond this at once. */
const LONGEST_DELAY = 2 ** 31 - 1;
const RETRY = 1000;
/** How long the last output may take to arrive after the container has ended. */
const OUTPUT_WAIT = 5000;

export interface ContainerFacts extends LabelledUnit {
  /** Docker's id of the container. */
  readonly container: string;
  readonly address: Address;
  readonly adopted: boolean;
  /** Of its first process as Docker numbers it; 0 where unknown. */
  readonly pid: number;
  /** What its image wants to be asked to end with. */
  readonly stopSignal: string;
  readonly onNote: (message: string) => void;
  /** Called once it has ended or was let go: gives back what reaches it. */
  readonly release: () => void;
}

/** A unit for a container that was started or is taken over. Throws as the library does when it is gone. */
export async function containerUnit(
  connection: DockerConnection,
  container: string,
  given: Omit<ContainerFacts, "container" | "address" | "pid" | "stopSignal" | "release">,
): Promise<ContainerUnit> {
  const inspected = await (await connection.api()).getContainer(container).inspect();
  const { State, Config } = inspected;
  const inside = insideAddress(inspected, given.port);
  const { address, release } = await reachFrom(connection, inside, given);
  const facts = {
    ...given,
    container,
    address,
    release,
    pid: State.Pid,
    stopSignal: stopSignal.parse(Config),
  };
  const processes = await containerProcesses(container, State.Pid);
  return new ContainerUnit(connection, facts, processes.length > 0 ? State.Pid : undefined);
}

const stopSignal = z
  .object({ StopSignal: z.string().default("SIGTERM") })
  .transform(({ StopSignal }) => (StopSignal === "" ? "SIGTERM" : StopSignal));

/** An engine in a container: its log is followed, its end waited for, and the container is removed then. */
export class ContainerUnit implements Unit {
  readonly id: string;
  readonly service: string;
  readonly address: Address;
  readonly digest: string;
  readonly startedAt: number;
  readonly adopted: boolean;
  readonly pid?: number;
  readonly exited: Promise<ProcessExit>;
  readonly #connection: DockerConnection;
  readonly #facts: ContainerFacts;
  readonly #lines: string[] = [];
  readonly #listeners = new Set<(line: string) => void>();
  readonly #over = new AbortController();
  /** Its last output has had its time. */
  readonly #enough = new AbortController();
  readonly #logEnd: AbortSignal;
  #force: NodeJS.Timeout | undefined;
  #asked = false;

  /** `pid` is that of a process of this machine, where it is one. */
  constructor(connection: DockerConnection, facts: ContainerFacts, pid?: number) {
    this.id = facts.unit;
    this.service = facts.service;
    this.address = facts.address;
    this.digest = facts.digest;
    this.startedAt = facts.startedAt;
    this.adopted = facts.adopted;
    if (pid !== undefined) this.pid = pid;
    this.#connection = connection;
    this.#facts = facts;
    const log = new LogFollower(this.#openLog, this.#emit, facts.adopted ? KEPT_LINES : undefined);
    this.#logEnd = AbortSignal.any([connection.closing.signal, this.#enough.signal]);
    this.exited = this.#live(log.follow(this.#over.signal, this.#logEnd));
  }

  lastLines(): readonly string[] {
    return [...this.#lines];
  }

  onLine(listener: (line: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  processes(): Promise<readonly number[]> {
    if (this.#over.signal.aborted) return Promise.resolve([]);
    return containerProcesses(this.#facts.container, this.#facts.pid);
  }

  stop(deadline: number): Promise<ProcessExit> {
    // Let go: it is the next Omni's to end.
    if (this.#connection.closing.signal.aborted) return Promise.resolve({ code: null, signal: null });
    if (this.#over.signal.aborted) return this.exited;
    clearTimeout(this.#force);
    if (deadline <= 0) {
      this.#signal("SIGKILL");
      return this.exited;
    }
    this.#force = setTimeout(() => this.#signal("SIGKILL"), Math.min(deadline, LONGEST_DELAY));
    if (!this.#asked) this.#signal(this.#facts.stopSignal);
    this.#asked = true;
    return this.exited;
  }

  async #live(log: Promise<void>): Promise<ProcessExit> {
    const { container, onNote } = this.#facts;
    const end = await containerEnd(this.#connection, container, (words) =>
      onNote(`${this.service}: ${words}`),
    );
    clearTimeout(this.#force);
    this.#over.abort();
    this.#facts.release();
    // Closed while it runs: its end is the next Omni's to see.
    if (end === undefined) return new Promise(() => {});
    const limit = setTimeout(() => this.#enough.abort(), OUTPUT_WAIT);
    await log;
    clearTimeout(limit);
    if (end.outOfMemory)
      this.#emit("omni: a process of this container was killed because its memory was used up (OOMKilled)");
    await this.#remove();
    return end.exit;
  }

  /** Sends a signal; while Docker does not answer, again each second until it does. */
  #signal(signal: string): void {
    const send = async (): Promise<void> => {
      try {
        await (await this.#connection.api()).getContainer(this.#facts.container).kill({ signal });
      } catch (thrown) {
        if (this.#over.signal.aborted || this.#connection.closing.signal.aborted) return;
        if (isSilent(thrown)) setTimeout(() => void send(), RETRY).unref();
        // 404 and 409: it has ended meanwhile, which `exited` tells.
        else if (!isMissing(thrown) && daemonAnswer(thrown).status !== 409)
          this.#facts.onNote(
            `${this.service}: Docker does not send ${signal}: ${daemonAnswer(thrown).words}`,
          );
      }
    };
    void send();
  }

  /** With its anonymous volumes. One that stays behind is removed by the next run. */
  async #remove(): Promise<void> {
    try {
      await (
        await this.#connection.api()
      )
        .getContainer(this.#facts.container)
        .remove({ v: true, force: true });
    } catch (thrown) {
      const { status, words } = daemonAnswer(thrown);
      // 404: removed by hand. 409: somebody else's removal is under way.
      if (status !== 404 && status !== 409)
        this.#facts.onNote(`${this.service}: Docker does not remove the container that ended: ${words}`);
    }
  }

  readonly #openLog: OpenLog = async ({ tail, since }) => {
    const options = {
      stdout: true,
      stderr: true,
      timestamps: true,
      ...(tail === undefined ? {} : { tail }),
      ...(since === undefined ? {} : { since }),
      abortSignal: this.#logEnd,
    };
    const container = (await this.#connection.api()).getContainer(this.#facts.container);
    return bytes(await container.logs({ ...options, follow: true }));
  };

  readonly #emit = (line: string): void => {
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    for (const listener of this.#listeners) listener(line);
  };
}

async function* bytes(stream: AsyncIterable<Buffer | string>): AsyncGenerator<Buffer> {
  for await (const chunk of stream) yield typeof chunk === "string" ? Buffer.from(chunk) : chunk;
}
