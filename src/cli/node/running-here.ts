import { setTimeout as sleep } from "node:timers/promises";
import { formatDuration, OmniError } from "../../core/index.ts";
import { readNodeRecord } from "../../store/index.ts";

const LOOK_EVERY = 50;

/**
 * Makes the node that runs with this state folder leave its engines and end, so that this process can take them over; does
 * nothing when none runs. Throws OmniError `node.already-running` when it has not ended after `patience` ms.
 */
export async function takeOver(stateFolder: string, patience: number): Promise<boolean> {
  const record = readNodeRecord(stateFolder);
  if (record === undefined) return false;
  process.kill(record.pid, "SIGUSR2");
  const until = performance.now() + patience;
  while (readNodeRecord(stateFolder) !== undefined) {
    if (performance.now() > until)
      throw new OmniError(
        "node.already-running",
        `The node of process ${record.pid} was asked to hand over and still runs after ${formatDuration(patience)}.`,
        { hint: `Its clients may still be reading answers; try again, or stop it: kill ${record.pid}.` },
      );
    await sleep(LOOK_EVERY);
  }
  return true;
}
