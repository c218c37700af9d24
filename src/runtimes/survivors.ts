import { setTimeout as sleep } from "node:timers/promises";
import { OmniError } from "../core/index.ts";
import { killGroup, processIdentity } from "./process-identity.ts";
import { killRest } from "./process-unit.ts";
import type { Survivor, Unit } from "./runtime.ts";
import type { UnitRecord, UnitRecords } from "./unit-records.ts";

const KILL_WAIT = 5000;

/**
 * Engines that an earlier Omni of the same folder left and that live. `adopt` takes one over, or answers `undefined` when
 * that is too late. What is left of any other is ended here.
 */
export async function findSurvivors(
  records: UnitRecords,
  own: ReadonlySet<string>,
  adopt: (record: UnitRecord) => Promise<Unit | undefined>,
): Promise<readonly Survivor[]> {
  for (const unit of records.unrecorded()) {
    if (!own.has(unit)) await endRest(records, unit, undefined);
  }
  const survivors: Survivor[] = [];
  for (const record of records.list()) {
    if (own.has(record.unit)) continue;
    // Without a claim its guard has decided to end it.
    if ((await lives(record)) && records.claimTurn(record.unit) !== undefined) {
      survivors.push(survivor(records, record, adopt));
    } else await endUnit(records, record);
  }
  return survivors;
}

function survivor(
  records: UnitRecords,
  record: UnitRecord,
  adopt: (record: UnitRecord) => Promise<Unit | undefined>,
): Survivor {
  const { unit: id, service, digest, pid } = record;
  let adopted: Promise<Unit> | undefined;
  const take = async (): Promise<Unit> => {
    const unit = (await lives(record)) ? await adopt(record) : undefined;
    if (unit !== undefined) return unit;
    await endUnit(records, record);
    throw new OmniError(
      "engine.not-started",
      `${service}: the engine of an earlier run (process ${pid}) ended before it could be taken over.`,
      { hint: "Nothing is to be done: Omni starts it anew." },
    );
  };
  return {
    id,
    service,
    digest,
    pid,
    adopt: () => (adopted ??= take()),
    end: () => endUnit(records, record),
  };
}

/** A number alone proves nothing, it may be another program's by now. */
const lives = async ({
  pid,
  identity,
}: {
  readonly pid: number;
  readonly identity: string;
}): Promise<boolean> => (await processIdentity(pid)) === identity;

async function endUnit(records: UnitRecords, record: UnitRecord): Promise<void> {
  const turn = records.claimTurn(record.unit);
  if (turn !== undefined) records.takeClaim(record.unit, turn, "ending");
  await endGroup(record);
  await endRest(records, record.unit, record.cgroup);
  await endGuard(record);
}

async function endGroup({ pid, identity }: UnitRecord): Promise<void> {
  for (const until = performance.now() + KILL_WAIT; performance.now() < until; await sleep(20)) {
    if (!(await lives({ pid, identity }))) return;
    killGroup(pid);
  }
}

async function endRest(records: UnitRecords, unit: string, cgroup: string | undefined): Promise<void> {
  await killRest(unit, cgroup);
  records.remove(unit);
}

/** A guard that has lost its claim does nothing any more, but would wait for its grace to end. */
export async function endGuard({ guard }: UnitRecord): Promise<void> {
  if (guard !== undefined && (await lives(guard))) killGroup(guard.pid);
}
