import { setTimeout as sleep } from "node:timers/promises";
import { formatDuration, messageOf, OmniError } from "../../core/index.ts";
import { isFolderLocked, readRecordFile } from "../../store/index.ts";

const LOOK_EVERY = 50;

/**
 * Makes the node that runs with this state folder leave its engines and end, so that this process can take them over; does
 * nothing when none runs, and then resolves with false. Throws OmniError `node.already-running` when it cannot be asked, or
 * has not ended after `patience` ms.
 */
export async function takeOver(stateFolder: string, patience: number): Promise<boolean> {
  if (!isFolderLocked(stateFolder)) return false;
  const pid = readRecordFile(stateFolder)?.pid;
  if (pid !== undefined) askToLeave(pid);
  const until = performance.now() + patience;
  // The lock is what the next node needs; it is the last thing that the one before gives back.
  while (isFolderLocked(stateFolder)) {
    if (performance.now() > until)
      throw new OmniError(
        "node.already-running",
        `The node of process ${pid ?? "unknown"} was asked to hand over and still runs after ${formatDuration(patience)}.`,
        {
          hint: `Its clients may still be reading answers; try again, or stop it${pid === undefined ? "" : `: kill ${pid}`}.`,
        },
      );
    await sleep(LOOK_EVERY);
  }
  return true;
}

function askToLeave(pid: number): void {
  try {
    process.kill(pid, "SIGUSR2");
  } catch (thrown) {
    // It ended just now: its lock is free in a moment.
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ESRCH") return;
    throw new OmniError(
      "node.already-running",
      `The node of process ${pid} cannot be asked to hand over: ${messageOf(thrown)}.`,
      { hint: "Run this as the user that the node runs as.", cause: thrown },
    );
  }
}
