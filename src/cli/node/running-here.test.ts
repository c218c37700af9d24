import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, expect, test } from "vitest";
import { isFolderLocked, openStore } from "../../store/index.ts";
import { takeOver } from "./running-here.ts";

const STORE = resolve(import.meta.dirname, "../../store/index.ts");
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function stateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "omni-take-over-"));
  folders.push(folder);
  return folder;
}

/** A process that holds the folder as a node does; what it does when it is asked to leave is its script's. */
async function holder(folder: string, onAsked: string): Promise<ReturnType<typeof spawn>> {
  const script = `
    const { openStore } = await import(${JSON.stringify(STORE)});
    const store = openStore(${JSON.stringify(folder)});
    globalThis.held = store;
    store.announce("http://127.0.0.1:1");
    process.on("SIGUSR2", () => { ${onAsked} });
    setInterval(() => {}, 1000);
    console.log("ready");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

test("nobody there is nobody to wait for", async () => {
  expect(await takeOver(stateFolder(), 1000)).toBe(false);
});

test("a node that is asked leaves, and the folder is free when that is told", async () => {
  const folder = stateFolder();
  // The record is gone a while before the lock is: only then may the next one open the store.
  const child = await holder(
    folder,
    `process.getBuiltinModule("node:fs").rmSync(${JSON.stringify(join(folder, "node.json"))});
     setTimeout(() => { store.close(); process.exit(0); }, 400);`,
  );
  const ended = once(child, "exit");
  expect(await takeOver(folder, 20_000)).toBe(true);
  expect(isFolderLocked(folder)).toBe(false);
  openStore(folder).close();
  await ended;
});

test("one that does not leave in time is named, with how to stop it", async () => {
  const folder = stateFolder();
  const child = await holder(folder, "");
  const ended = once(child, "exit");
  try {
    await expect(takeOver(folder, 200)).rejects.toMatchObject({
      code: "node.already-running",
      message: `The node of process ${child.pid} was asked to hand over and still runs after 200 ms.`,
      hint: expect.stringContaining(`kill ${child.pid}`),
    });
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
});
