import { createHash } from "node:crypto";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { processIdentity } from "../../runtimes/process-identity.ts";
import type { RenderedFile, RenderedNode } from "../../render/index.ts";
import { compareFolder } from "./compare-folder.ts";
import { writeFolder } from "./write-folder.ts";

const root = mkdtempSync(join(tmpdir(), "omni-test-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const out = join(root, "node");
const manifestFile = join(out, "omni-manifest.json");
const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
const file = (path: string, content: string, mode = 0o644): RenderedFile => ({
  path,
  content,
  mode,
  reason: "asked for by the test",
  owner: "systemd",
  sha256: hash(content),
});
const RENDERED: RenderedNode = {
  files: [file("systemd/install.sh", "#!/bin/sh\n", 0o755), file("systemd/omni.slice", "[Unit]\n")],
  owners: ["systemd"],
  diagnostics: [],
};
const write = (force = false) => writeFolder(out, RENDERED, force);
/** States of what differs, by path. */
const check = async (): Promise<Record<string, string>> => {
  const { files, manifestDiffers } = await compareFolder(out, RENDERED);
  const differing = files.filter(({ state }) => state !== "same").map(({ path, state }) => [path, state]);
  return Object.fromEntries(manifestDiffers ? [...differing, ["manifest", "differs"]] : differing);
};
const hidden = async (): Promise<readonly string[]> =>
  (await readdir(out)).filter((name) => name.startsWith("."));
const manifestSchema = z.object({ omni: z.literal(1), files: z.array(z.record(z.string(), z.string())) });

/** Adds an entry to the manifest, as a hand would. */
async function addEntry(path: string, content: string): Promise<void> {
  const manifest = manifestSchema.parse(JSON.parse(await readFile(manifestFile, "utf8")));
  manifest.files.push({ path, target: "systemd", sha256: hash(content), mode: "0644", reason: "mine" });
  await writeFile(manifestFile, JSON.stringify(manifest));
}

beforeEach(async () => {
  await rm(out, { recursive: true, force: true });
  await write();
});

describe("a manifest that somebody wrote to", () => {
  const victim = join(root, "victim");

  it.each([
    ["a path that climbs", "../victim"],
    ["a path that climbs from below", "systemd/../../victim"],
    ["a path from the root", victim],
    ["an empty path", ""],
    ["the folder itself", "."],
    ["a NUL", "systemd/\0"],
  ])("neither removes nor reads what lies outside the folder: %s", async (_, path) => {
    await writeFile(victim, "not Omni's\n");
    await addEntry(path, "not Omni's\n");
    const refusal = { code: "render.manifest-invalid", message: expect.stringContaining("leads out") };
    await expect(compareFolder(out, RENDERED)).rejects.toMatchObject(refusal);
    await expect(write()).rejects.toMatchObject(refusal);
    await expect(write(true)).rejects.toMatchObject(refusal);
    expect(await readFile(victim, "utf8")).toBe("not Omni's\n");
  });

  it("removes no file through a link within the folder, and leaves a folder where a file was", async () => {
    const elsewhere = join(root, "elsewhere");
    await mkdir(elsewhere);
    await writeFile(join(elsewhere, "file"), "theirs\n");
    await symlink(elsewhere, join(out, "link"));
    await mkdir(join(out, "systemd/was-a-file"));
    await addEntry("link/file", "theirs\n");
    await addEntry("systemd/was-a-file", "");
    expect(await check()).toEqual({
      "link/file": "edited-obsolete",
      "systemd/was-a-file": "edited-obsolete",
      manifest: "differs",
    });
    await write();
    expect(await readFile(join(elsewhere, "file"), "utf8")).toBe("theirs\n");
    expect((await stat(join(out, "systemd/was-a-file"))).isDirectory()).toBe(true);
    expect(await check()).toEqual({});
  });

  it("refuses one that is no plain file or larger than any list", async () => {
    await truncate(manifestFile, 2 ** 30);
    await expect(write()).rejects.toThrow("1073741824 bytes");
    await rm(manifestFile);
    await symlink("/dev/zero", manifestFile);
    await expect(write()).rejects.toMatchObject({ code: "render.unsafe-path" });
  });
});

describe("an output folder", () => {
  it("shows a script that everybody may write, and line ends of another system", async () => {
    await chmod(join(out, "systemd/install.sh"), 0o777);
    await writeFile(join(out, "systemd/omni.slice"), "[Unit]\r\n");
    expect(await check()).toEqual({ "systemd/install.sh": "mode", "systemd/omni.slice": "edited" });
    await write(true);
    expect((await stat(join(out, "systemd/install.sh"))).mode & 0o777).toBe(0o755);
    expect(await check()).toEqual({});
  });

  it("is not written to when nothing differs", async () => {
    const before = await stat(manifestFile);
    await write();
    expect((await stat(manifestFile)).ino).toBe(before.ino);
  });

  it("is no link to nothing", async () => {
    await symlink("nowhere", join(root, "dangling"));
    await expect(writeFolder(join(root, "dangling"), RENDERED, false)).rejects.toThrow("a link to nothing");
  });

  it.skipIf(process.platform === "win32")(
    "is one run's at a time; what a killed run left, however early, is no obstacle",
    async () => {
      const other = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
      const life = hash((await processIdentity(other.pid ?? 0)) ?? "").slice(0, 8);
      const staging = `.omni-staging-${other.pid}-${life}-abcdef`;
      await mkdir(join(out, staging));
      await writeFile(join(out, staging, "omni-manifest.json"), '{ "omni": 1, "fi');
      await expect(write(true)).rejects.toMatchObject({
        code: "render.busy",
        message: expect.stringContaining(`PID ${other.pid}`),
      });
      expect(await hidden()).toEqual([staging]);
      other.kill("SIGKILL");
      await once(other, "exit");
      await write();
      expect(await hidden()).toEqual([]);
      expect(await check()).toEqual({});
    },
  );
});
