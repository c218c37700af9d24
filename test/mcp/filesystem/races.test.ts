import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { attackedHouse, type AttackedHouse } from "./attacked-house.ts";
import { contextOf, SECRET } from "./file-house.ts";

const SWAPPER = join(import.meta.dirname, "../../fakes/folder-swapper.ts");

/** How many of the turns only read. */
const READS = 9;

const ROUNDS = 250;
/** Milliseconds; a machine that has much else to do runs fewer rounds. */
const LONGEST = 6000;

interface Tally {
  done: number;
  refused: number;
}

/** One of each thing a client could do just when a link is in the place of what it names. */
const turns = (house: AttackedHouse, n: number): (() => Promise<{ refused: boolean; text: string }>)[] => [
  () => house.call("read_file", { path: "docs/swap/secret.txt" }),
  () => house.call("read_file", { path: "docs/flip.txt" }),
  () => house.call("read_binary", { path: "docs/swap/secret.txt" }),
  () => house.call("list_directory", { path: "docs/swap" }),
  () => house.call("directory_tree", { path: "docs/swap" }),
  () => house.call("search_content", { path: "docs/swap", query: SECRET }),
  () => house.call("stat", { path: "docs/flip.txt" }),
  () => house.call("read_many", { paths: ["docs/flip.txt", "docs/swap/secret.txt"] }),
  () => readResource(house, "files://docs/flip.txt"),
  () => house.call("write_file", { path: `docs/swap/w${n}.txt`, content: "written" }),
  () => house.call("write_file", { path: "docs/swap/secret.txt", content: "INSIDE", overwrite: true }),
  () => house.call("write_file", { path: "docs/flip.txt", content: "INSIDE\n", overwrite: true }),
  () => house.call("edit_file", { path: "docs/flip.txt", edits: [{ old_text: "I", new_text: "I" }] }),
  () => house.call("make_directory", { path: `docs/swap/d${n}/e` }),
  () => house.call("move", { from: "docs/ball.txt", to: "docs/swap/ball.txt", overwrite: true }),
  () => house.call("move", { from: "docs/swap/ball.txt", to: "docs/ball.txt", overwrite: true }),
];

async function readResource(house: AttackedHouse, uri: string): Promise<{ refused: boolean; text: string }> {
  try {
    return { refused: false, text: JSON.stringify(await house.server.readResource(uri, contextOf())) };
  } catch (error) {
    return { refused: true, text: String(error) };
  }
}

it("while a process puts links in the place of folders and files, nothing leaks and nothing outside is written", async () => {
  await using house = await attackedHouse();
  const docs = join(house.base, "docs");
  mkdirSync(join(docs, "swap"));
  writeFileSync(join(docs, "swap/secret.txt"), "INSIDE");
  writeFileSync(join(docs, "flip.txt"), "INSIDE\n");
  writeFileSync(join(docs, "ball.txt"), "ball");
  const swapper = fork(SWAPPER, [docs]);
  let swaps = 0;
  swapper.on("message", (count) => (swaps = Number(count)));
  try {
    await once(swapper, "message");
    const enough = performance.now() + LONGEST;
    const reads: Tally = { done: 0, refused: 0 };
    const writes: Tally = { done: 0, refused: 0 };
    for (let n = 0; n < ROUNDS && performance.now() < enough; n++) {
      // Changes wait for the disk, so there are fewer of them.
      const now = turns(house, n).slice(0, n % 4 === 0 ? undefined : READS);
      const outcomes = await Promise.all(now.map((turn) => turn()));
      outcomes.forEach(({ refused, text }, index) => {
        const tally = index < READS ? reads : writes;
        if (refused) tally.refused += 1;
        else tally.done += 1;
        expect(text).not.toContain(SECRET);
        expect(text).not.toContain("linked.txt");
        expect(text).not.toContain(house.base);
      });
    }
    expect(house.untouched()).toBe(true);
    expect(swapper.exitCode).toBe(null);
    // The race was run: each side came to its turn often, and calls met links.
    expect(swaps).toBeGreaterThan(20);
    expect(reads.done).toBeGreaterThan(20);
    expect(reads.refused).toBeGreaterThan(0);
    expect(writes.done).toBeGreaterThan(3);
  } finally {
    swapper.kill("SIGKILL");
    if (swapper.exitCode === null && swapper.signalCode === null) await once(swapper, "exit");
  }
});
