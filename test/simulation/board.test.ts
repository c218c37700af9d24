import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GIB } from "../../src/core/index.ts";
import { compileCache } from "../../src/simulation/compile-cache.ts";
import { openBoard } from "../../src/simulation/index.ts";
import { PATIENT, CARD, SECOND_CARD, testBoard } from "./simulated.ts";

const OPEN_BOARD = fileURLToPath(new URL("../../src/simulation/board/open-board.ts", import.meta.url));

let place = testBoard();
const children = new Set<ReturnType<typeof spawn>>();
beforeEach(() => {
  place = testBoard();
});
afterEach(async () => {
  await Promise.all([...children].map(kill));
  place.close();
});

/** A process that holds so many pieces of a GiB one after another, says how many it got, and stays. */
async function holder(
  pieces: number,
): Promise<{ readonly got: number; readonly child: ReturnType<typeof spawn> }> {
  const script = `
    const { openBoard } = await import(${JSON.stringify(OPEN_BOARD)});
    const board = openBoard(process.argv[1]);
    let got = 0;
    for (let i = 0; i < ${pieces}; i++) if (board.hold(${JSON.stringify(CARD)}, ${GIB})) got++;
    console.log(got);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, place.board.folder], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...compileCache() },
  });
  children.add(child);
  let said = "";
  for await (const chunk of child.stdout ?? []) {
    said += String(chunk);
    if (said.endsWith("\n")) break;
  }
  return { got: Number(said), child };
}

async function kill(child: ReturnType<typeof spawn>): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

test("memory is held by term and given back by term, card or altogether", () => {
  const { board } = place;
  expect(board.hold(CARD, 10 * GIB, { name: "vllm" })).toBe(true);
  expect(board.hold(CARD, 5 * GIB, { term: "kvCache" })).toBe(true);
  expect(board.hold(CARD, 17 * GIB)).toBe(false);
  expect(board.hold(SECOND_CARD, 31 * GIB)).toBe(true);
  expect([board.used(CARD), board.free(CARD), board.free(SECOND_CARD)]).toEqual([15 * GIB, 16 * GIB, 0]);
  expect(board.holders(CARD)).toEqual([{ pid: process.pid, name: "vllm", bytes: 15 * GIB }]);
  board.release(CARD, "kvCache");
  expect(board.used(CARD)).toBe(10 * GIB);
  board.release(SECOND_CARD);
  expect(board.used(SECOND_CARD)).toBe(0);
  board.release();
  expect(board.used(CARD)).toBe(0);
});

test("main memory is bounded where the board says so", () => {
  const bounded = testBoard({ hostMemory: 8 * GIB });
  expect(bounded.board.hold("cpu", 9 * GIB)).toBe(false);
  expect(bounded.board.hold("cpu", 8 * GIB)).toBe(true);
  expect(place.board.hold("cpu", 900 * GIB)).toBe(true);
  bounded.close();
});

test("a thief takes no more than is free, and gives it back", () => {
  const { board } = place;
  board.hold(CARD, 30 * GIB);
  expect(board.steal(CARD, 4 * GIB, "blender")).toBe(GIB);
  expect(board.holders(CARD).map(({ name }) => name)).toContain("blender");
  expect(openBoard(board.folder).free(CARD)).toBe(0);
  board.giveBack(CARD);
  expect(board.free(CARD)).toBe(GIB);
});

describe("other processes", () => {
  test("that take at the same time never take more than there is", async () => {
    const holders = await Promise.all([holder(20), holder(20), holder(20)]);
    expect(holders.reduce((sum, { got }) => sum + got, 0)).toBe(31);
    expect(place.board.free(CARD)).toBe(0);
  });

  test("that are killed hold nothing any more, after the time that a driver needs", async () => {
    const slow = testBoard({ releaseDelay: 150 });
    const [quick] = [place];
    place = slow;
    const { child } = await holder(3);
    place = quick;
    expect(slow.board.used(CARD)).toBe(3 * GIB);
    await kill(child);
    expect(slow.board.used(CARD)).toBe(3 * GIB);
    await expect.poll(() => slow.board.used(CARD), PATIENT).toBe(0);
    slow.close();
  });
});

test("a card that is lost holds nothing new, is in the kernel's log, and comes back", () => {
  const { board } = place;
  board.lose(CARD);
  expect(board.state(CARD).lost).toMatchObject({ xid: 79 });
  expect(board.hold(CARD, GIB)).toBe(false);
  board.xid(SECOND_CARD, 31, 4711);
  const lines = readFileSync(board.kernelLog, "utf8").trim().split("\n");
  expect(lines.map((line) => line.replace(/^3,\d+,\d+,-;/, ""))).toEqual([
    "NVRM: Xid (PCI:0000:01:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
    "NVRM: GPU 0000:01:00.0: GPU has fallen off the bus.",
    "NVRM: Xid (PCI:0000:01:00): 154, GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)",
    expect.stringContaining("NVRM: Xid (PCI:0000:02:00): 31, pid=4711, name=engine, MMU Fault"),
  ]);
  const numbers = lines.map((line) => Number(line.split(",")[1]));
  expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
  board.restore(CARD);
  expect(board.hold(CARD, GIB)).toBe(true);
  expect(board.state(CARD)).toEqual({ lastXid: 79 });
});

test("what is not there is refused by name", () => {
  expect(() => place.board.used("GPU-x")).not.toThrow();
  expect(() => place.board.lose("GPU-x")).toThrow(/no card GPU-x; it has GPU-0/);
  expect(() => openBoard("/nowhere")).toThrow(/holds no simulated board/);
});
