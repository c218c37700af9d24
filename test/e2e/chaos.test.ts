import { once } from "node:events";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { z } from "zod";
import { SCENARIOS } from "../../src/chaos/index.ts";
import { eventually, launch, omni, processesWith, temporaryFolder } from "./run-node.ts";

const RESULTS = z.array(
  z.object({
    scenario: z.string(),
    victim: z.string(),
    detected: z.number().optional(),
    routedAround: z.number().optional(),
    recovered: z.number().optional(),
    clients: z.object({
      answered: z.int(),
      refused: z.int(),
      cut: z.int(),
      truncated: z.int(),
      silent: z.int(),
    }),
    lost: z.int(),
    failures: z.array(z.string()),
    skipped: z.string().optional(),
  }),
);

it("lists its faults, and names the one that was meant", async () => {
  const folder = temporaryFolder();
  const { path } = folder;
  const listed = await omni(["chaos", "--list"], path);
  expect(listed.code).toBe(0);
  for (const { name, about } of SCENARIOS)
    expect(listed.stdout).toMatch(new RegExp(`^${name} +${about}$`, "m"));
  const mistaken = await omni(["chaos", "--scenario", "kil"], path);
  expect([mistaken.code, mistaken.stderr]).toEqual([2, expect.stringContaining("Did you mean kill?")]);
  folder.remove();
});

it("does nothing to a running node without a yes", async () => {
  const folder = temporaryFolder();
  const { path } = folder;
  const { code, stderr } = await omni(["chaos", "--url", "http://127.0.0.1:9", "--scenario", "kill"], path);
  expect([code, stderr]).toEqual([3, expect.stringContaining("chaos.refused")]);
  expect(stderr).toContain("--yes");
  const both = await omni(["chaos", "other.yaml", "--url", "http://127.0.0.1:9", "--yes"], path);
  expect(both.code).toBe(2);
  const nobody = await omni(["chaos", "--url", "http://127.0.0.1:9", "--yes"], path);
  expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining("Nothing answers at")]);
  folder.remove();
});

it("kills an engine of a node of its own under load, and nothing is lost or left", async () => {
  const folder = temporaryFolder();
  const env = { TMPDIR: folder.path };
  const { code, stdout, stderr } = await omni(["chaos", "--scenario", "kill", "--json"], folder.path, "", {
    env,
  });
  expect([code, stderr]).toEqual([0, ""]);
  const [result] = RESULTS.parse(JSON.parse(stdout));
  expect(result).toMatchObject({ scenario: "kill", victim: "first", lost: 0, failures: [] });
  expect(result?.clients).toMatchObject({ truncated: 0, refused: 0, silent: 0 });
  expect(result?.clients.answered).toBeGreaterThan(0);
  expect(result?.skipped).toBeUndefined();
  expect(result?.detected).toBeLessThan(result?.recovered ?? 0);
  expect(readdirSync(folder.path).filter((name) => name.startsWith("omni-chaos"))).toEqual([]);
  expect(processesWith(folder.path)).toEqual([]);
  folder.remove();
});

const LLAMA_SERVER = process.env["OMNI_LLAMA_SERVER"] ?? "";

it.skipIf(LLAMA_SERVER === "")(
  "two real llama-servers come through a kill under load (needs OMNI_LLAMA_SERVER)",
  async () => {
    const folder = temporaryFolder();
    const spec = join(folder.path, "two.yaml");
    const service = "{ model: demo, engine: server, devices: cpu, context: 1024, parallel: 4, threads: 1 }";
    writeFileSync(
      spec,
      `omni: 1
runtime: process
engines: { server: { kind: llama.cpp, binary: ${JSON.stringify(LLAMA_SERVER)} } }
models: { demo: builtin:omni-demo }
services:
  first: ${service}
  second: ${service}
routes: { chat: [first, second] }
`,
    );
    const command = [
      "chaos",
      spec,
      "--real",
      "--scenario",
      "kill",
      "--clients",
      "4",
      "--tokens",
      "32",
      "--json",
    ];
    const { code, stdout, stderr } = await omni(command, folder.path, "", { env: { TMPDIR: folder.path } });
    expect([code, stderr]).toEqual([0, ""]);
    const [result] = RESULTS.parse(JSON.parse(stdout));
    expect(result).toMatchObject({ lost: 0, failures: [], clients: { truncated: 0, refused: 0, silent: 0 } });
    expect(result?.recovered).toBeGreaterThan(0);
    expect(result?.clients.answered).toBeGreaterThan(0);
    expect(processesWith(folder.path)).toEqual([]);
    folder.remove();
  },
);

it("interrupted in the middle of a fault it ends everything of its own and says so", async () => {
  const folder = temporaryFolder();
  const tmp = join(folder.path, "tmp");
  mkdirSync(tmp);
  const child = launch(["chaos", "--scenario", "vram-stolen"], folder.path, { env: { TMPDIR: tmp } });
  let said = "";
  child.stderr?.on("data", (piece: Buffer) => (said += String(piece)));
  const ended = once(child, "close");
  await eventually(() => said.includes("vram-stolen: another program"));
  await new Promise((resolve) => setTimeout(resolve, 2500));
  child.kill("SIGINT");
  await ended;
  expect([child.exitCode, said]).toEqual([
    1,
    expect.stringContaining("Interrupted before all faults were done."),
  ]);
  expect(readdirSync(tmp).filter((name) => name.startsWith("omni-chaos"))).toEqual([]);
  // What answered nvidia-smi just then may take a moment to end.
  await eventually(() => processesWith(tmp).length === 0);
  folder.remove();
});
