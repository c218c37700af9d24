import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRedactor, openJournal, readEntries, recall } from "../../src/runbook/index.ts";
import { isRunbookLocked, lockRunbook, openRunbookBook, readRunbook } from "../../src/store/index.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-journal-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const RUN = { spec: "toy", pid: process.pid, by: "test", begun: 1 };
const WRITER = join(import.meta.dirname, "../fakes/journal-writer.ts");

const notes = (): readonly string[] =>
  readRunbook(folder, "toy").flatMap(({ entries }) =>
    readEntries(entries).map(({ entry }) => (entry.kind === "note" ? entry.text : "")),
  );

describe("the journal", () => {
  it("is read by others while it is written, and keeps the last fifty runs", () => {
    const book = openRunbookBook(folder);
    for (let run = 0; run < 55; run++) {
      const { id } = book.begin(RUN);
      openJournal(book, id, createRedactor()).write({ kind: "note", text: `run ${run}` });
      if (run < 54) book.end(id, 2, "done");
    }
    expect(notes()).toEqual(Array.from({ length: 50 }, (_, index) => `run ${index + 5}`));
    expect(recall(readRunbook(folder, "toy")).cutOff?.run.by).toBe("test");
    book.close();
  });

  it("bounds the output of a command, and of a run", () => {
    const book = openRunbookBook(folder);
    const { id } = book.begin(RUN);
    const journal = openJournal(book, id, createRedactor());
    const stdout = `first\n${"x".repeat(200_000)}\nlast`;
    const command = {
      step: "a/1",
      command: 1,
      host: "here",
      argv: ["x"],
      ended: 0,
      stderr: "oops",
      duration: 1,
    };
    for (let n = 0; n < 140; n++) journal.write({ kind: "command", ...command, stdout });
    const kept = readEntries(book.entries(id)).map(({ entry }) =>
      entry.kind === "command" ? entry.stdout : "",
    );
    expect(kept[0]).toMatch(/^first\nx+\n\[… \d+ characters left out …\]\nx+\nlast$/);
    expect(kept[0]?.length).toBeLessThan(66_000);
    expect(kept.at(-1)?.length).toBeLessThan(1200);
    expect(kept.at(-1)).toMatch(/last$/);
    book.close();
  });

  it("has every entry that was told of before a SIGKILL, also when the end of its file is torn off", async () => {
    const writer = spawn(process.execPath, [WRITER, folder], { stdio: ["ignore", "pipe", "inherit"] });
    let told = "";
    writer.stdout.setEncoding("utf8").on("data", (piece: string) => {
      told += piece;
      if (told.split("\n").length > 40) writer.kill("SIGKILL");
    });
    await once(writer, "close");
    const last = told.trimEnd().split("\n").length;
    expect(notes().slice(0, last)).toEqual(Array.from({ length: last }, (_, index) => `note ${index}`));
    const wal = join(folder, "omni.db-wal");
    truncateSync(wal, statSync(wal).size - 1500);
    const book = openRunbookBook(folder);
    expect(book.damaged).toBeUndefined();
    const [run] = book.runs("toy");
    const left = book.entries(run?.id ?? 0).length;
    expect(left).toBeGreaterThan(last - 10);
    expect(run?.ended).toBeUndefined();
    book.close();
  });

  it("is begun anew where its database is damaged, and says where the old one is", () => {
    writeFileSync(join(folder, "omni.db"), "this is no database, whatever its name says".repeat(200));
    const book = openRunbookBook(folder);
    expect(book.damaged?.movedTo).toContain("omni.db.damaged-");
    expect(readFileSync(book.damaged?.movedTo ?? "", "utf8")).toContain("this is no database");
    expect(book.begin(RUN).id).toBe(1);
    book.close();
  });

  it.skipIf(process.getuid?.() !== 0)("says so when its disk is full, before anything is done", () => {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", folder]);
    try {
      const book = openRunbookBook(folder);
      const { id } = book.begin(RUN);
      const journal = openJournal(book, id, createRedactor());
      const fill = (): void => {
        for (let n = 0; n < 1000; n++) journal.write({ kind: "note", text: `${n} ${"x".repeat(4000)}` });
      };
      expect(fill).toThrow(expect.objectContaining({ code: "runbook.journal", exitCode: 1 }));
      expect(readEntries(book.entries(id)).length).toBeGreaterThan(10);
      book.close();
    } finally {
      execFileSync("umount", [folder]);
    }
  });
});

describe("the lock", () => {
  it("is one for a spec of a name, and free once its holder is dead", async () => {
    const unlock = lockRunbook(folder, "a/b");
    expect(unlock).toBeDefined();
    expect(isRunbookLocked(folder, "a/b")).toBe(true);
    const other = lockRunbook(folder, "other");
    expect(other).toBeDefined();
    other?.();
    unlock?.();
    const holder = spawn(process.execPath, [WRITER, folder], { stdio: ["ignore", "pipe", "inherit"] });
    await once(holder.stdout, "data");
    expect(lockRunbook(folder, "toy")).toBeUndefined();
    holder.kill("SIGKILL");
    await once(holder, "close");
    const again = lockRunbook(folder, "toy");
    expect(again).toBeDefined();
    again?.();
    expect(existsSync(join(folder, "apply-a%2Fb.lock"))).toBe(true);
  });
});
