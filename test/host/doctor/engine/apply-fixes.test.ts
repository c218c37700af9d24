import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { applyFixes, offeredFixes } from "../../../../src/host/doctor/apply-fixes.ts";
import type { Finding, Fix } from "../../../../src/host/doctor/check.ts";
import { localTransport } from "../../../../src/host/transport/index.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-fixes-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const offering = (fix: Fix, check = "driver.device-nodes"): Finding => ({
  check,
  state: "error",
  seen: "missing",
  fix,
});
const fixOf = (...changes: Fix["changes"]): Fix => ({ title: "Mend it.", changes, needsReboot: false });
const writing = (path: string, content: string): Fix["changes"][number] => ({
  kind: "write",
  path,
  content,
  mode: 0o640,
});

it("a file is written whole, with its permissions, and what was there is kept beside it", async () => {
  const path = join(folder, "modules-load.d", "omni.conf");
  const fix = fixOf(writing(path, "nvidia-uvm\n"));
  const offered = offeredFixes([offering(fix)]);
  const [first] = await applyFixes(localTransport(), offered);
  expect(first?.changes.map(({ message }) => message)).toEqual(["written"]);
  expect(readFileSync(path, "utf8")).toBe("nvidia-uvm\n");
  expect(statSync(path).mode & 0o777).toBe(0o640);
  const [again] = await applyFixes(localTransport(), offered);
  expect(again?.changes.map(({ message }) => message)).toEqual(["is so already"]);
  for (const text of ["mine\n", "mine again\n"]) {
    writeFileSync(path, text);
    await applyFixes(localTransport(), offered);
  }
  expect(readdirSync(join(folder, "modules-load.d")).toSorted()).toEqual([
    "omni.conf",
    "omni.conf.omni-backup-1",
    "omni.conf.omni-backup-2",
  ]);
  expect(readFileSync(`${path}.omni-backup-1`, "utf8")).toBe("mine\n");
  expect(readFileSync(`${path}.omni-backup-2`, "utf8")).toBe("mine again\n");
});

it("commands run without a shell, and after one that fails the rest of its fix is left alone", async () => {
  const path = join(folder, "$(touch oops)");
  const failing = fixOf(
    { kind: "run", argv: ["touch", path], timeout: 5000 },
    { kind: "run", argv: ["sh", "-c", "echo no such module >&2; exit 3"], timeout: 5000 },
    writing(join(folder, "never"), "x"),
  );
  const other = fixOf({ kind: "run", argv: ["touch", join(folder, "other")], timeout: 5000 });
  const done = await applyFixes(localTransport(), offeredFixes([offering(failing), offering(other)]));
  expect(done.map((one) => [one.done, one.changes.map(({ message }) => message)])).toEqual([
    [false, ["done", "ended with 3: no such module"]],
    [true, ["done"]],
  ]);
  expect(readdirSync(folder).toSorted()).toEqual(["$(touch oops)", "other"]);
});

it("a file that cannot be written fails its fix and no other", async () => {
  const blocked = join(folder, "file");
  writeFileSync(blocked, "");
  const done = await applyFixes(
    localTransport(),
    offeredFixes([offering(fixOf(writing(join(blocked, "below"), "x")))]),
  );
  expect(done.map((one) => one.done)).toEqual([false]);
});

it("a fix that several findings ask for is offered once, and one of a finding that is well not at all", () => {
  const fix = fixOf({ kind: "run", argv: ["true"], timeout: 1 });
  const well: Finding = { ...offering(fixOf({ kind: "run", argv: ["false"], timeout: 1 })), state: "ok" };
  expect(
    offeredFixes([offering(fix), offering(fix, "driver.other"), well]).map(({ finding }) => finding.check),
  ).toEqual(["driver.device-nodes"]);
});
