import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import type { Board } from "../../src/simulation/index.ts";

/** Memory that a test has stolen is held by numbers that no process has. */
const FIRST_THIEF = 5_000_000;

/** Processes that hold memory of a card of the board. */
export const holdersOf = (board: Board): readonly number[] =>
  board.cards.flatMap(({ uuid }) => board.holders(uuid).flatMap(({ pid }) => (pid < FIRST_THIEF ? pid : [])));

/** Processes whose command line names this folder. */
export const processesOf = (folder: string): readonly number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => commandLine(pid).includes(folder))
    .map(Number);

/** Simulated engines with their state in this folder. */
export const enginesOf = (folder: string): readonly number[] =>
  processesOf(folder).filter(
    (pid) => commandLine(String(pid)).split("\0")[1]?.endsWith("/simulation/engine/main.ts") === true,
  );

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** Whether anybody listens on a port of this machine. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => settle(true)).once("error", () => settle(false));
  });
}
