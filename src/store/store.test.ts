import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NewEvent } from "../core/index.ts";
import { OmniError } from "../core/index.ts";
import type { Store } from "./index.ts";
import { openStore, readEvents, readNodeRecord } from "./index.ts";

const WRITER = fileURLToPath(new URL("../../test/fakes/event-writer.ts", import.meta.url));
const tick = (n: number): NewEvent => ({ kind: "test.tick", severity: "info", message: `tick ${n}` });

let folder = "";
const opened: Store[] = [];
const open = (...args: Parameters<typeof openStore>): Store => {
  const store = openStore(...args);
  opened.push(store);
  return store;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-store-"));
});

afterEach(() => {
  for (const store of opened.splice(0)) store.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("events", () => {
  test("come back as they were recorded, after a reopening too, and numbers go on", () => {
    const first = open(folder);
    const event = first.events.record({
      kind: "service.ready",
      severity: "warning",
      service: "oracle",
      message: "ready",
      data: { pid: 7, lines: ["a"] },
    });
    first.events.record(tick(2));
    first.close();

    const second = open(folder);
    expect(second.events.after(0, 10)[0]).toEqual(event);
    expect(second.events.record(tick(3)).seq).toBe(3);
    expect(second.events.latest(2).map(({ seq }) => seq)).toEqual([2, 3]);
    expect(second.events.after(1, 1).map(({ seq }) => seq)).toEqual([2]);
    expect(second.events.latest(0)).toEqual([]);
  });

  test("reach subscribers until they leave; one that throws harms nobody", () => {
    const { events } = open(folder);
    const seen: string[] = [];
    events.subscribe(() => {
      throw new Error("a listener's own defect");
    });
    const leave = events.subscribe(({ message }) => seen.push(message));
    const warned = once(process, "warning");
    events.record(tick(1));
    leave();
    events.record(tick(2));
    expect(seen).toEqual(["tick 1"]);
    return warned;
  });

  test("are bounded in number, and a number is never given twice", () => {
    const retention = { events: 100, age: 1e9 };
    const first = open(folder, { retention });
    for (let n = 1; n <= 1000; n++) first.events.record(tick(n));
    expect(first.events.after(0, 10_000).length).toBeLessThan(100 + 257);
    first.close();
    const second = open(folder, { retention });
    const kept = second.events.after(0, 10_000);
    expect(kept.map(({ message }) => message)).toEqual(
      Array.from({ length: 100 }, (_, n) => `tick ${901 + n}`),
    );
    expect(second.events.record(tick(0)).seq).toBe(1001);
  });

  test("are bounded in age, save the newest, which carries the number", async () => {
    const first = open(folder);
    for (let n = 1; n <= 5; n++) first.events.record(tick(n));
    first.close();
    await new Promise((resolve) => {
      setTimeout(resolve, 30);
    });
    const second = open(folder, { retention: { events: 100, age: 10 } });
    expect(second.events.after(0, 10).map(({ seq }) => seq)).toEqual([5]);
  });

  test("survive data that JSON cannot say", () => {
    const { events } = open(folder);
    events.record({ ...tick(1), data: { count: 1n } });
    events.record(tick(2));
    expect(readEvents(folder, { latest: 5 })?.map(({ message }) => message)).toEqual(["tick 1", "tick 2"]);
  });

  test("are held while the database cannot be written, shown meanwhile, and written afterwards", () => {
    const { events } = open(folder);
    events.record(tick(1));
    const other = new DatabaseSync(join(folder, "omni.db"));
    // What a full disk looks like to the log: the write fails, reading goes on.
    other.exec("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    events.record(tick(2));
    events.record(tick(3));
    expect(events.latest(2).map(({ seq }) => seq)).toEqual([2, 3]);
    expect(readEvents(folder, { latest: 9 })?.length).toBe(1);
    other.exec("DROP TRIGGER full");
    other.close();
    events.record(tick(4));
    expect(readEvents(folder, { after: 0, limit: 9 })?.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });
});

describe("a state folder", () => {
  test("that no node ever used has neither events nor a node", () => {
    expect(readEvents(folder, { latest: 5 })).toBeUndefined();
    expect(readNodeRecord(folder)).toBeUndefined();
  });

  test("belongs to one node, and says which", () => {
    const store = open(folder);
    expect(readNodeRecord(folder)).toBeUndefined();
    store.announce("http://127.0.0.1:4999");
    expect(readNodeRecord(folder)).toMatchObject({ pid: process.pid, url: "http://127.0.0.1:4999" });
    const error = thrownBy(() => open(folder));
    expect(error.code).toBe("node.already-running");
    expect(error.message).toContain(`process ${process.pid} at http://127.0.0.1:4999`);
    store.close();
    expect(readNodeRecord(folder)).toBeUndefined();
    expect(() => open(folder)).not.toThrow();
  });

  test("of a killed node is taken over at once with every event it told of", async () => {
    const writer = spawn(process.execPath, [WRITER, folder], { stdio: ["ignore", "pipe", "inherit"] });
    let told = 0;
    const lines = createInterface(writer.stdout);
    await new Promise<void>((resolve) => {
      lines.on("line", (line) => {
        told = Number(line);
        if (told === 50) resolve();
      });
    });
    // From another process, while it runs: who it is, what it recorded, and that the folder is not free.
    expect(readNodeRecord(folder)).toMatchObject({ pid: writer.pid, url: "http://127.0.0.1:4664" });
    expect(readEvents(folder, { latest: 1000 })?.length).toBeGreaterThanOrEqual(50);
    expect(thrownBy(() => open(folder)).message).toContain(`process ${writer.pid}`);

    writer.kill("SIGKILL");
    await Promise.all([once(writer, "exit"), once(lines, "close")]);
    expect(readNodeRecord(folder)).toBeUndefined();
    const { events } = open(folder);
    const found = events.after(0, 100_000).map(({ seq }) => seq);
    expect(found).toEqual(Array.from({ length: found.length }, (_, n) => n + 1));
    expect(found.length).toBeGreaterThanOrEqual(told);
  });

  test("with a damaged database still opens, keeps the damaged file and says so", () => {
    const path = join(folder, "omni.db");
    const first = open(folder);
    for (let n = 1; n <= 2000; n++) first.events.record(tick(n));
    first.close();
    const bytes = readFileSync(path);
    bytes.fill(0xee, 4096);
    writeFileSync(path, bytes);

    const { events } = open(folder);
    const [event] = events.latest(1);
    expect(event).toMatchObject({ kind: "store.damaged", severity: "warning" });
    expect(event?.seq).toBeGreaterThan(2000);
    const kept = readdirSync(folder).filter((name) => /^omni\.db\.damaged-\w+$/.test(name));
    expect(kept).toHaveLength(1);
    expect(event?.message).toContain(kept[0]);
    expect(readFileSync(join(folder, kept[0] ?? "")).equals(bytes)).toBe(true);
  });

  test("with text where the database should be still opens", () => {
    writeFileSync(
      join(folder, "omni.db"),
      "no database at all, but long enough to be read as one\n".repeat(20),
    );
    expect(open(folder).events.latest(1)[0]?.kind).toBe("store.damaged");
  });

  test("of a newer Omni is refused and left as it is", () => {
    open(folder).close();
    const path = join(folder, "omni.db");
    const newer = new DatabaseSync(path);
    newer.exec("PRAGMA user_version = 99");
    newer.close();
    const before = readFileSync(path);
    expect(thrownBy(() => open(folder)).code).toBe("store.newer-version");
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("that cannot be made is named", () => {
    writeFileSync(join(folder, "file"), "");
    const error = thrownBy(() => open(join(folder, "file", "state")));
    expect(error.code).toBe("store.unwritable");
    expect(error.message).toContain(join(folder, "file", "state"));
    mkdirSync(join(folder, "second", "omni.db"), { recursive: true });
    expect(thrownBy(() => open(join(folder, "second"))).code).toBe("store.unwritable");
  });
});

function thrownBy(run: () => unknown): OmniError {
  try {
    run();
  } catch (error) {
    if (error instanceof OmniError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
