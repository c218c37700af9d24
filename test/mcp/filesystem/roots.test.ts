import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attackedHouse, check, TAKERS, type AttackedHouse } from "./attacked-house.ts";
import { fileHouse, SECRET } from "./file-house.ts";

let house: AttackedHouse;

beforeAll(async () => {
  house = await attackedHouse();
});

afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

describe("roots", () => {
  it("a read-only root is not written to by any tool", async () => {
    for (const [tool, args] of TAKERS.slice(7, 9))
      await check(house, tool, args("ro/fixed.txt"), /read-only/);
    await check(house, "move", { from: "ro/fixed.txt", to: "docs/f" }, /read-only/);
    await check(house, "move", { from: "docs/a.md", to: "ro/a.md" }, /read-only/);
    await check(house, "make_directory", { path: "ro/new" }, /read-only/);
    await check(house, "restore_version", { path: "ro/fixed.txt", version: 1 }, /read-only/);
  });

  it("a root itself is neither moved nor replaced", async () => {
    await check(house, "move", { from: "docs", to: "docs/x" }, /is a root itself/);
    await check(house, "move", { from: "docs/a.md", to: "docs", overwrite: true }, /is a root itself/);
    await check(house, "write_file", { path: "docs", content: "x" }, /is a root itself/);
    await check(house, "move", { from: "docs/sub", to: "docs/sub/deep/sub" }, /itself or in it/);
  });

  it("a root that holds the node's state is closed", async () => {
    await using other = await fileHouse();
    await using whole = await fileHouse({
      roots: {
        all: { path: other.base, writable: true },
        docs: { path: join(other.base, "docs"), writable: false },
      },
      versionsFolder: join(other.base, "state/versions"),
    });
    expect((await whole.call("read_file", { path: "all/state/keys.db" })).text).toMatch(
      /node's own state and is closed/,
    );
    expect((await whole.call("read_file", { path: "docs/a.md" })).text).toBe("alpha\nbeta\n");
    expect(whole.server.view().reason).toContain("all: ");
  });

  it("a link that is put in the place of a root, or of a folder above it, is not followed", async () => {
    await using other = await fileHouse({ versionsFolder: join(house.base, "state/versions") });
    const at = (name: string): string => join(other.base, name);
    mkdirSync(at("above/root"), { recursive: true });
    writeFileSync(at("above/root/secret.txt"), "open");
    await using moved = await fileHouse({ roots: { r: { path: at("above/root"), writable: true } } });
    expect((await moved.call("read_file", { path: "r/secret.txt" })).text).toBe("open");
    renameSync(at("above/root"), at("above/kept"));
    symlinkSync(at("outside"), at("above/root"));
    const swapped = await moved.call("read_file", { path: "r/secret.txt" });
    expect(swapped.text).toMatch(/root r cannot be used now \(ENOTDIR\)/);
    expect(moved.server.view().reason).toMatch(/leads through a link/);
    rmSync(at("above/root"));
    renameSync(at("above"), at("elsewhere"));
    mkdirSync(at("outside/root"));
    writeFileSync(at("outside/root/secret.txt"), SECRET);
    symlinkSync(at("outside"), at("above"));
    expect((await moved.call("read_file", { path: "r/secret.txt" })).text).toMatch(/cannot be used now/);
    rmSync(at("above"));
    expect((await moved.call("read_file", { path: "r/secret.txt" })).text).toMatch(
      /cannot be used now \(ENOENT\)/,
    );
  });
});
