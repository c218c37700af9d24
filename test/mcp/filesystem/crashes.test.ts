import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createVersions } from "../../../src/mcp/filesystem/versions.ts";
import { fileHouse } from "./file-house.ts";

const REPLACER = join(import.meta.dirname, "../../fakes/file-replacer.ts");
const SIZE = 256 << 10;
const ROUNDS = 10;

const isWhole = (bytes: Buffer): boolean =>
  bytes.equals(Buffer.alloc(SIZE, "a")) || bytes.equals(Buffer.alloc(SIZE, "b"));
const staged = (folder: string): string[] => readdirSync(folder).filter((name) => name.startsWith(".omni-"));

/** Starts a writer in a folder of its own and kills it `after` milliseconds from its first write. */
async function killedWriter(base: string, after: number): Promise<void> {
  mkdirSync(join(base, "docs"), { recursive: true });
  const child = fork(REPLACER, [base, "loop"]);
  try {
    await once(child, "message");
    await new Promise((done) => setTimeout(done, after));
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
}

it("a writer that is killed leaves the old file or the new one, and whole versions", async () => {
  await using house = await fileHouse();
  const bases = Array.from({ length: ROUNDS }, (_, round) => join(house.base, `round-${round}`));
  await Promise.all(bases.map((base, round) => killedWriter(base, 1 + round * 7)));
  let kept = 0;
  for (const base of bases) {
    expect(isWhole(readFileSync(join(base, "docs/file.txt")))).toBe(true);
    const versions = createVersions({ folder: join(base, "state/versions"), versions: 3, largest: SIZE });
    const place = { root: "docs", names: ["file.txt"], text: "docs/file.txt" };
    for (const { number } of await versions.list(place)) {
      expect(isWhole(await versions.read(place, number))).toBe(true);
      kept += 1;
    }
  }
  expect(kept).toBeGreaterThan(0);
});

it("what a killed writer left aside is never shown, and swept when it is old", async () => {
  await using house = await fileHouse();
  const docs = join(house.base, "docs");
  writeFileSync(join(docs, ".omni-00112233445566aa.tmp"), "half");
  writeFileSync(join(docs, ".omni-00112233445566bb.tmp"), "half");
  const hourAgo = new Date(Date.now() - 3_600_000);
  utimesSync(join(docs, ".omni-00112233445566aa.tmp"), hourAgo, hourAgo);
  expect((await house.call("list_directory", { path: "docs" })).text).not.toContain("omni-");
  expect((await house.call("write_file", { path: "docs/new.txt", content: "x" })).refused).toBe(false);
  expect(staged(docs)).toEqual([".omni-00112233445566bb.tmp"]);
});

it("a disk that takes no more leaves the file as it was, and nothing aside", async () => {
  await using house = await fileHouse();
  const docs = join(house.base, "docs");
  writeFileSync(join(docs, "file.txt"), "old");
  // A bound of the system on a file's size stands for a full disk, which takes root to make.
  const limited = `trap '' XFSZ; ulimit -f 16; exec "$0" "$1" "$2" once`;
  const said = execFileSync("bash", ["-c", limited, process.execPath, REPLACER, house.base], {
    encoding: "utf8",
  });
  expect(said).toBe(
    '"docs/file.txt" cannot be used: the file would be larger than the system lets the node write; nothing was changed.',
  );
  expect(readFileSync(join(docs, "file.txt"), "utf8")).toBe("old");
  expect(staged(docs)).toEqual([]);
});

it("a call that is cancelled before its file is in place leaves nothing", async () => {
  await using house = await fileHouse();
  const aborted = AbortSignal.abort();
  await expect(house.call("write_file", { path: "docs/never.txt", content: "x" }, aborted)).rejects.toThrow(
    /aborted/,
  );
  await expect(house.call("search_content", { path: "docs", query: "x" }, aborted)).rejects.toThrow(
    /aborted/,
  );
  expect(existsSync(join(house.base, "docs/never.txt"))).toBe(false);
  expect(staged(join(house.base, "docs"))).toEqual([]);
});
