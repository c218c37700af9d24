import { randomUUID } from "node:crypto";
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Address, LocalAddress } from "../core/index.ts";
import { OmniError, messageOf } from "../core/index.ts";
import type { LaunchSpec } from "../engines/engine.ts";
import { boundedCommand, cgroupParent } from "./bounded-command.ts";
import { adoptedExit, childExit } from "./exit-watch.ts";
import { firstFree } from "./first-free.ts";
import { writeLaunchFiles } from "./launch-files.ts";
import { LifeLine } from "./life-line.ts";
import { LocalAddresses } from "./local-addresses.ts";
import type { LogLimits } from "./log-limits.ts";
import { LOG_LIMITS } from "./log-limits.ts";
import { ProcessCensus } from "./process-census.ts";
import { processIdentity } from "./process-identity.ts";
import { spawnEngine } from "./process-launch.ts";
import { ProcessUnit, killRest } from "./process-unit.ts";
import type { Runtime, Survivor, Unit } from "./runtime.ts";
import { socketName } from "./socket-folder.ts";
import { endGuard, findSurvivors } from "./survivors.ts";
import { UnitLog, logHead } from "./unit-log.ts";
import type { UnitRecord } from "./unit-records.ts";
import { UnitRecords } from "./unit-records.ts";

/** Milliseconds that engines live on without an Omni. */
const ADOPTION_GRACE = 60_000;

export interface ProcessRuntimeOptions {
  /** Folder of this node alone: logs, sockets and the records of what was started live in it. */
  readonly stateFolder: string;
  /** Milliseconds that engines live on after this Omni has died, for the next one to adopt them. */
  readonly adoptionGrace?: number;
  readonly logLimits?: LogLimits;
  /**
   * Folder of cgroup v2 in which those for engines with limits are made; where this process is, unless told. No other
   * process may be in it where limits on memory are to hold.
   */
  readonly cgroupParent?: string;
  /** Told of what this machine does not permit: limits that are not in force, engines that cannot be adopted. */
  readonly onNote?: (note: string) => void;
}

/** Runs engines as processes of this machine. Throws when the state folder cannot be written. */
export const createProcessRuntime = (options: ProcessRuntimeOptions): Runtime => new ProcessRuntime(options);

class ProcessRuntime implements Runtime {
  readonly name = "process";
  readonly #logs: string;
  readonly #records: UnitRecords;
  readonly #grace: number;
  readonly #logLimits: LogLimits;
  readonly #note: (note: string) => void;
  readonly #cgroupParent: string | undefined;
  readonly #census = new ProcessCensus();
  readonly #running = new Map<string, { readonly unit: ProcessUnit; readonly record: UnitRecord }>();
  /** Units that are being started or adopted right now. */
  readonly #coming = new Set<string>();
  readonly #addresses: LocalAddresses;

  constructor(options: ProcessRuntimeOptions) {
    const stateFolder = resolve(options.stateFolder);
    this.#grace = options.adoptionGrace ?? ADOPTION_GRACE;
    this.#logLimits = options.logLimits ?? LOG_LIMITS;
    this.#cgroupParent = options.cgroupParent ?? cgroupParent();
    const said = new Set<string>();
    this.#note = (note) => {
      if (said.has(note)) return;
      said.add(note);
      options.onNote?.(note);
    };
    this.#logs = join(stateFolder, "logs");
    mkdirSync(this.#logs, { recursive: true, mode: 0o700 });
    const records = new UnitRecords(join(stateFolder, "units"));
    this.#records = records;
    this.#addresses = new LocalAddresses(
      stateFolder,
      () => new Set(records.list().map(({ address }) => pathOf(address))),
    );
  }

  survivors(): Promise<readonly Survivor[]> {
    const own = new Set([...this.#running.keys(), ...this.#coming]);
    return findSurvivors(this.#records, own, (record) => this.#adopt(record));
  }

  allocate(service: string, wants: { readonly socket: boolean; readonly port?: number }): Promise<Address> {
    return this.#addresses.allocate(service, wants);
  }

  async start(launch: LaunchSpec): Promise<Unit> {
    const id = randomUUID();
    this.#coming.add(id);
    try {
      return await this.#start(launch, id, localAddress(launch));
    } finally {
      this.#coming.delete(id);
    }
  }

  async close(options: { readonly keep?: boolean } = {}): Promise<void> {
    const kept = new Set<string>();
    for (const { unit, record } of this.#running.values()) {
      if (options.keep !== true) continue;
      if (await unit.release()) kept.add(pathOf(record.address));
      else {
        this.#note(`${unit.service} cannot be left to the next Omni on this machine and is stopped.`);
        await unit.stop(0);
      }
    }
    this.#addresses.close(kept);
  }

  async #start(launch: LaunchSpec, id: string, address: LocalAddress): Promise<Unit> {
    await writeLaunchFiles(launch);
    const startedAt = Date.now();
    const output = await this.#openLog(launch.service, id, startedAt);
    const { command, ...bounds } = boundedCommand(launch, id, this.#cgroupParent, this.#note);
    let onGuard: (() => void) | undefined;
    const lifeLine = await LifeLine.prepare({
      records: this.#records,
      unit: id,
      grace: this.#grace,
      cgroup: bounds.cgroup,
      onGuard: () => onGuard?.(),
    });
    try {
      const { child, pid } = await spawnEngine(launch, command, id, {
        input: lifeLine.engineInput(),
        output: output?.descriptor ?? "ignore",
      });
      const ended = childExit(child);
      const identity = (await processIdentity(pid)) ?? "";
      const { service, digest } = launch;
      const log = output === undefined ? {} : { log: output.path };
      const record = { unit: id, service, pid, identity, digest, address, startedAt, ...log, ...bounds };
      onGuard = () => void this.#record(record, lifeLine);
      // The record before the guard knows the process: whenever Omni dies, the engine is adopted or ended, never neither.
      await this.#record(record, lifeLine);
      lifeLine.attach(pid);
      return this.#run(record, lifeLine, output?.log, {
        adopted: false,
        ended,
        endInput: () => child.stdin?.end(),
        onRelease: () => child.unref(),
      });
    } catch (error) {
      lifeLine.end();
      this.#records.remove(id);
      await killRest(id, bounds.cgroup);
      await output?.log.close();
      throw error;
    }
  }

  async #adopt(record: UnitRecord): Promise<Unit | undefined> {
    this.#coming.add(record.unit);
    try {
      const { unit, cgroup } = record;
      const onGuard = (): void => void (lifeLine && this.#record(record, lifeLine));
      const options = { records: this.#records, unit, grace: this.#grace, cgroup, onGuard };
      const lifeLine = LifeLine.takeOver(options, record.pid);
      if (lifeLine === undefined) return undefined;
      await this.#record(record, lifeLine);
      await endGuard(record);
      const log =
        record.log === undefined
          ? undefined
          : await UnitLog.resume(record.log, this.#logLimits).catch(() => undefined);
      const exit = adoptedExit(record.pid, record.identity);
      return this.#run(record, lifeLine, log, {
        adopted: true,
        ended: exit.ended,
        endInput: () => {},
        onRelease: () => exit.unref(),
      });
    } finally {
      this.#coming.delete(record.unit);
    }
  }

  #run(
    record: UnitRecord,
    lifeLine: LifeLine,
    log: UnitLog | undefined,
    how: Pick<ConstructorParameters<typeof ProcessUnit>[0], "adopted" | "ended" | "endInput" | "onRelease">,
  ): ProcessUnit {
    if (!lifeLine.lasts)
      this.#note("Engines end with Omni here: no shell or no named pipe for their life line.");
    const forget = (): void => {
      this.#running.delete(record.unit);
    };
    const unit = new ProcessUnit({
      ...how,
      record,
      lifeLine,
      log,
      census: this.#census,
      onGone: () => {
        forget();
        this.#records.remove(record.unit);
      },
      onRelease: () => {
        forget();
        how.onRelease();
      },
    });
    this.#running.set(record.unit, { unit, record });
    return unit;
  }

  async #record(record: UnitRecord, lifeLine: LifeLine): Promise<void> {
    const pid = lifeLine.guardPid;
    const identity = pid === undefined ? undefined : await processIdentity(pid);
    if (!this.#coming.has(record.unit) && !this.#running.has(record.unit)) return;
    const guard = pid === undefined || identity === undefined ? {} : { guard: { pid, identity } };
    try {
      this.#records.write({ ...record, ...guard });
    } catch (error) {
      // The life line alone covers this engine.
      this.#note(
        `${record.service} cannot be left to another Omni: its record cannot be written: ${messageOf(error)}.`,
      );
    }
  }

  async #openLog(
    service: string,
    unit: string,
    startedAt: number,
  ): Promise<{ readonly path: string; readonly descriptor: number; readonly log: UnitLog } | undefined> {
    const path = this.#logPath(service);
    let descriptor: number | undefined;
    try {
      // Append: a file that is emptied under a writer who appends has no hole.
      descriptor = openSync(path, "a", 0o600);
      writeSync(descriptor, logHead(unit, new Date(startedAt)));
      return { path, descriptor, log: await UnitLog.follow(path, this.#logLimits) };
    } catch (error) {
      if (descriptor !== undefined) closeSync(descriptor);
      this.#note(`The output of ${service} is lost: ${path} cannot be written: ${messageOf(error)}.`);
      return undefined;
    }
  }

  #logPath(service: string): string {
    const taken = new Set([...this.#running.values()].map(({ record }) => record.log ?? ""));
    return firstFree(join(this.#logs, socketName(service).slice(0, -".sock".length)), ".log", taken);
  }
}

const pathOf = (address: LocalAddress): string => (address.kind === "unix" ? address.path : "");

function localAddress({ service, address }: LaunchSpec): LocalAddress {
  if (address.kind !== "url") return address;
  throw new OmniError(
    "engine.not-started",
    `${service}: a process of this machine has no address elsewhere.`,
    {
      hint: "A service with a url runs elsewhere and is not started.",
    },
  );
}
