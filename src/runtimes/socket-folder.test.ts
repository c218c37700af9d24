import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSocketFolder, socketName } from "./socket-folder.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "omni-socket-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe.skipIf(process.platform === "win32")("the folder of sockets", () => {
  test("is the state folder's own, private, and free of an earlier run's sockets", () => {
    mkdirSync(join(root, "run"));
    chmodSync(join(root, "run"), 0o777);
    writeFileSync(join(root, "run", "old.sock"), "");
    writeFileSync(join(root, "run", "kept.txt"), "");
    const folder = openSocketFolder(root);
    expect(folder).toBe(join(root, "run"));
    expect(statSync(folder ?? "").mode & 0o777).toBe(0o700);
    expect(readdirSync(folder ?? "")).toEqual(["kept.txt"]);
  });

  test("is a short one elsewhere, the same each time, when the state folder's path is long", () => {
    const long = join(root, "x".repeat(100));
    const first = openSocketFolder(long, root);
    expect(first?.startsWith(join(root, "omni-"))).toBe(true);
    expect(openSocketFolder(long, root)).toBe(first);
    expect(openSocketFolder(`${long}y`, root)).not.toBe(first);
    expect(openSocketFolder(long, join(root, "y".repeat(100)))).toBeUndefined();
  });

  test("is never one that a link planted by another leads to", () => {
    const long = join(root, "x".repeat(100));
    const planned = openSocketFolder(long, root) ?? "";
    rmSync(planned, { recursive: true });
    mkdirSync(join(root, "elsewhere"));
    symlinkSync(join(root, "elsewhere"), planned);
    const folder = openSocketFolder(long, root) ?? "";
    expect(folder).not.toBe(planned);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(root, "elsewhere"))).toEqual([]);
  });
});

test("socket names are short, plain, and differ for services that differ", () => {
  const services = ["oracle", "Oracle", "oracle/1", "oracle 1", "a".repeat(80), `${"a".repeat(80)}b`];
  const names = services.map(socketName);
  expect(names[0]).toBe("oracle.sock");
  expect(new Set(names).size).toBe(services.length);
  expect(names.every((name) => /^[a-z0-9-]+\.sock$/.test(name) && name.length <= 30)).toBe(true);
});
