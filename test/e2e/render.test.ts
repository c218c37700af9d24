import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFile,
  chmod,
  cp,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { omni, ROOT, temporaryFolder } from "./run-node.ts";

const FIXED = join(ROOT, "examples/omni-prime.fixed.yaml");
const MANIFEST = z.object({
  files: z.array(z.object({ path: z.string(), target: z.string(), sha256: z.string(), reason: z.string() })),
});

const folder = temporaryFolder();
afterAll(() => folder.remove());

const out = join(folder.path, "node");
const render = (...args: readonly string[]) => omni(["render", FIXED, "--out", out, ...args], folder.path);
const manifest = async () =>
  MANIFEST.parse(JSON.parse(await readFile(join(out, "omni-manifest.json"), "utf8"))).files;

/** Every file of a folder by its path, with its content. */
async function tree(root: string): Promise<Map<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      files.map(async (file) => [file.slice(root.length + 1), await readFile(file, "utf8")] as const),
    ),
  );
}

describe("omni render into a folder", () => {
  const rendered = join(folder.path, "rendered");
  beforeAll(async () => {
    const { code, stderr } = await omni(["render", FIXED, "--out", rendered], folder.path);
    if (code !== 0) throw new Error(stderr);
  });
  beforeEach(async () => {
    await rm(out, { recursive: true, force: true });
    await cp(rendered, out, { recursive: true });
  });

  it("writes every target of the system, names each file with its hash and who asks for it, and is stable", async () => {
    const files = await manifest();
    expect(new Set(files.map(({ target }) => target))).toEqual(
      new Set(["node", "proxmox", "talos", "kubernetes", "images", "observability"]),
    );
    const there = await tree(out);
    expect([...there.keys()].toSorted()).toEqual(
      [...files.map(({ path }) => path), "omni-manifest.json"].toSorted(),
    );
    for (const { reason } of files) expect(reason).toMatch(/\bask(?:s|ed)? for\b/i);
    expect(
      (await stat(join(out, files.find(({ path }) => path.endsWith("omni-switch"))?.path ?? ""))).mode &
        0o111,
    ).toBe(0o111);
    const again = await render();
    expect(again.stdout).toContain("0 changed");
    expect(await tree(out)).toEqual(there);
  });

  it("--check: 0 when nothing differs; 1 and the names for what is edited, missing, unrunnable or left from before", async () => {
    expect((await render("--check")).code).toBe(0);
    const runnable = (await manifest()).find(({ path }) => path.endsWith("omni-switch"))?.path ?? "";
    await appendFile(join(out, "talos/omni-prime/schematic.yaml"), "# mine\n");
    await rm(join(out, "README.md"));
    await chmod(join(out, runnable), 0o644);
    const { code, stdout } = await render("--check");
    expect(code).toBe(1);
    expect(stdout).toMatch(/schematic\.yaml {2}edited since/);
    expect(stdout).toMatch(/README\.md {2}missing/);
    expect(stdout).toMatch(/omni-switch {2}its permissions/);
    const other = await omni(
      ["render", join(ROOT, "examples/omni-prime.yaml"), "--out", out, "--check"],
      folder.path,
    );
    expect(other.code).toBe(1);
    expect(other.stdout).toMatch(/stale: rendered from an earlier spec/);
    expect(other.stdout).toMatch(/not rendered any more/);
  });

  it("refuses with 3 to write over an edit, writes nothing then, and does with --force", async () => {
    const edited = join(out, "talos/omni-prime/schematic.yaml");
    await appendFile(edited, "# mine\n");
    await rm(join(out, "README.md"));
    const before = await tree(out);
    const { code, stderr } = await render();
    expect(code).toBe(3);
    expect(stderr).toContain("render.edited-file");
    expect(stderr).toContain("--force");
    expect(await tree(out)).toEqual(before);
    expect((await render("--force")).code).toBe(0);
    expect(await readFile(edited, "utf8")).not.toContain("# mine");
    expect((await render("--check")).code).toBe(0);
  });

  it("never touches a file that it did not write, with --force neither", async () => {
    await rm(out, { recursive: true });
    await mkdir(out);
    await writeFile(join(out, "README.md"), "mine\n");
    await writeFile(join(out, "notes.txt"), "mine too\n");
    const { code, stderr } = await render("--force");
    expect(code).toBe(3);
    expect(stderr).toContain("render.foreign-file");
    expect(await tree(out)).toEqual(
      new Map([
        ["README.md", "mine\n"],
        ["notes.txt", "mine too\n"],
      ]),
    );
    await rm(join(out, "README.md"));
    expect((await render()).code).toBe(0);
    expect(await readFile(join(out, "notes.txt"), "utf8")).toBe("mine too\n");
  });

  it("removes what is not asked for any more, but not an edit, and keeps the files of other targets", async () => {
    const foreign = join(out, "kubernetes/mine.yaml");
    await writeFile(foreign, "mine\n");
    const factory = join(ROOT, "examples/ai-factory.fixed.yaml");
    const one = await omni(["render", factory, "--out", out, "--target", "kubernetes"], folder.path);
    expect(one.code).toBe(0);
    const targets = (await manifest()).map(({ path }) => path);
    expect(targets).toContain("talos/omni-prime/schematic.yaml");
    expect(targets.some((path) => path.startsWith("kubernetes/omni-prime/"))).toBe(false);
    expect(await readFile(foreign, "utf8")).toBe("mine\n");
    await appendFile(join(out, "talos/omni-prime/schematic.yaml"), "# mine\n");
    const all = await omni(["render", factory, "--out", out], folder.path);
    expect(all.stdout).toContain("left: edited");
    expect(await readFile(join(out, "talos/omni-prime/schematic.yaml"), "utf8")).toContain("# mine");
    expect(await stat(join(out, "proxmox")).catch(() => "gone")).toBe("gone");
  });

  it("--diff and --dry-run write nothing and show what would change", async () => {
    const factory = join(ROOT, "examples/omni-prime.yaml");
    await appendFile(join(out, "talos/omni-prime/schematic.yaml"), "# mine\n");
    const before = await tree(out);
    const diff = await omni(["render", factory, "--out", out, "--diff"], folder.path);
    expect(diff.stdout).toMatch(/^--- a\/talos\/omni-prime\/schematic\.yaml$/m);
    expect(diff.stdout).toMatch(/^-.*nvidia-open-gpu-kernel-modules-lts$/m);
    expect(diff.stdout).toMatch(/^\+.*nonfree-kmod-nvidia-production$/m);
    const dry = await omni(["render", factory, "--out", out, "--dry-run", "--json"], folder.path);
    const { written, files, diagnostics } = z
      .object({
        written: z.boolean(),
        files: z.array(z.object({ path: z.string(), state: z.string() })),
        diagnostics: z.array(z.object({ code: z.string() })),
      })
      .parse(JSON.parse(dry.stdout));
    expect(written).toBe(false);
    // Writing would be refused, and a program that reads the answer is told why.
    expect([dry.code, dry.stderr]).toEqual([3, ""]);
    expect(diagnostics.map(({ code }) => code)).toContain("render.edited-file");
    expect(files.map(({ path }) => path)).toContain("talos/omni-prime/schematic.yaml");
    expect(await tree(out)).toEqual(before);
  });

  it("goes through no link within the folder, and takes no file for a folder", async () => {
    await rm(join(out, "talos"), { recursive: true });
    const elsewhere = join(folder.path, "elsewhere");
    await mkdir(elsewhere, { recursive: true });
    await symlink(elsewhere, join(out, "talos"));
    const { code, stderr } = await render();
    expect(code).toBe(3);
    expect(stderr).toContain("render.unsafe-path");
    expect(await readdir(elsewhere)).toEqual([]);
    const file = await omni(["render", FIXED, "--out", join(out, "README.md")], folder.path);
    expect(file.code).toBe(3);
    expect(file.stderr).toContain("is no folder");
  });

  it("refuses a manifest that it cannot read rather than guess which files are its own", async () => {
    await writeFile(join(out, "omni-manifest.json"), "{}\n");
    const { code, stderr } = await render();
    expect(code).toBe(2);
    expect(stderr).toContain("render.manifest-invalid");
  });
});

it("no value of a secret reaches a file, whatever the environment holds", async () => {
  const target = join(folder.path, "secrets");
  const value = "sentinel-value-of-a-secret";
  const environment = {
    ...process.env,
    OMNI_KEY: value,
    OMNI_POSTGRES_DSN: `postgres://u:${value}@db/x`,
    HF_TOKEN: value,
  };
  const child = spawn(process.execPath, [join(ROOT, "src/cli/main.ts"), "render", FIXED, "--out", target], {
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => said.push(chunk.toString()));
  await once(child, "close");
  const texts = [...(await tree(target)).values(), ...said].join("\n");
  expect(texts).toContain("OMNI_POSTGRES_DSN");
  expect(texts).not.toContain(value);
});

describe("omni render without a folder", () => {
  it("lists the files with who asks for each", async () => {
    const { code, stdout } = await omni(["render", FIXED], folder.path);
    expect(code).toBe(0);
    expect(stdout).toMatch(/talos\/omni-prime\/schematic\.yaml\n.*asked for by/i);
  });

  it("names the nearest target, and the targets that a spec has use for", async () => {
    const near = await omni(["render", FIXED, "--target", "kubernets"], folder.path);
    expect([near.code, near.stderr]).toEqual([2, expect.stringContaining("--target kubernetes")]);
    const none = await omni(["render", FIXED, "--target", "compose"], folder.path);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("render.nothing")]);
    expect(none.stderr).toContain("proxmox, talos, images, kubernetes");
    const without = await omni(["render", FIXED, "--check"], folder.path);
    expect([without.code, without.stderr]).toEqual([2, expect.stringContaining("--out DIR")]);
  });
});

it("killed at any moment every file is whole, and the next run brings the folder to its end by itself", async () => {
  const target = join(folder.path, "killed");
  const specs = ["omni-prime.fixed", "omni-prime"].map((name) => join(ROOT, "examples", `${name}.yaml`));
  const whole = new Set<string>();
  for (const spec of specs) {
    await omni(["render", spec, "--out", join(folder.path, "whole")], folder.path);
    for (const [path, text] of await tree(join(folder.path, "whole"))) whole.add(`${path}\n${text}`);
    await rm(join(folder.path, "whole"), { recursive: true });
  }
  for (let round = 0; round < 10; round++) {
    const spec = specs[round % 2] ?? "";
    const child = spawn(process.execPath, [join(ROOT, "src/cli/main.ts"), "render", spec, "--out", target], {
      stdio: "ignore",
    });
    // The moment of the first change in the folder, and a little later each round: within the renames.
    const began = Date.now();
    while (Date.now() - began < 5000 && child.exitCode === null) {
      const staged = await readdir(target).catch(() => []);
      if (staged.some((name) => name.startsWith(".omni-staging-"))) break;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await new Promise((resolve) => setTimeout(resolve, round * 2));
    if (child.exitCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    const named = [...(await tree(target).catch(() => new Map<string, string>()))].filter(
      ([path]) => !dirname(path).startsWith(".omni-staging-"),
    );
    expect(named.filter(([path, text]) => !whole.has(`${path}\n${text}`)).map(([path]) => path)).toEqual([]);
  }
  const last = await omni(["render", specs[0] ?? "", "--out", target], folder.path);
  expect(last.code, last.stderr).toBe(0);
  expect((await omni(["render", specs[0] ?? "", "--out", target, "--check"], folder.path)).code).toBe(0);
  expect((await readdir(target)).filter((name) => name.startsWith("."))).toEqual([]);
}, 60_000);
