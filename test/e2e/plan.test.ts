import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { omni, ROOT, temporaryFolder } from "./run-node.ts";

const example = (name: string): string => join(ROOT, "examples", `${name}.yaml`);

const PLAN = z.object({
  services: z.array(
    z.object({
      name: z.string(),
      devices: z.array(z.string()),
      tensorParallel: z.number(),
      contextTokens: z.number(),
      kvCache: z.object({
        bytesPerToken: z.int(),
        bytes: z.int(),
        tokens: z.int(),
        concurrency: z.number(),
        type: z.string(),
      }),
      memory: z.array(
        z.object({
          device: z.string(),
          weights: z.int(),
          kvCache: z.int(),
          compute: z.int(),
          overhead: z.int(),
          total: z.int(),
          capacity: z.int(),
        }),
      ),
      band: z.enum(["fits", "tight", "over"]),
      fallbacks: z.array(z.string()),
    }),
  ),
  rejected: z.array(z.object({ service: z.string(), code: z.string(), reason: z.string() })),
  swapSets: z.array(z.unknown()),
  ledger: z.array(z.object({ device: z.string(), free: z.int() })),
  diagnostics: z.array(z.object({ code: z.string(), line: z.number().optional() })),
});

describe("omni plan", () => {
  const folder = temporaryFolder();
  afterAll(() => folder.remove());

  it("prints services, memory by term and what was not taken; advice to stderr; exit 2 when something is wrong", async () => {
    const { code, stdout, stderr } = await omni(["plan", example("ai-factory")], folder.path);
    expect(code).toBe(2);
    expect(stdout).toContain("NOT TAKEN");
    expect(stdout).toContain("needs 11.41 GiB of weights per card");
    expect(stderr).toMatch(/ai-factory\.yaml:51:5: error does-not-fit at services\.mistral-nemo/);
  });

  it("draws each device with the bytes of every term, and exits 0 when all is well", async () => {
    const { code, stdout } = await omni(["plan", example("omni-prime.fixed")], folder.path);
    expect(code).toBe(0);
    expect(stdout).toMatch(/blackwell {2}RTX PRO 6000 Blackwell {2}94\.97 GiB\n +\[█+▓+▒+·+\]/);
    expect(stdout).toMatch(/brain: [\d.]+ GiB = weights 36\.79 GiB \+ KV cache [\d.]+ GiB \+ compute/);
  });

  it("is a contract as JSON: bytes are integers, terms add up", async () => {
    const { stdout } = await omni(["plan", example("omni-prime.fixed"), "--json"], folder.path);
    const plan = PLAN.parse(JSON.parse(stdout));
    expect(plan.services.map((service) => service.name)).toEqual(["brain", "flux"]);
    for (const { memory } of plan.services)
      for (const terms of memory)
        expect(terms.total).toBe(terms.weights + terms.kvCache + terms.compute + terms.overhead);
  });

  it("explains one service, and knows the names of the others", async () => {
    const told = await omni(["plan", example("omni-prime.fixed"), "--explain", "brain"], folder.path);
    expect(told.stdout).toMatch(/4\.8\d requests of full context/);
    expect(told.stdout).toMatch(/GiB {2}KV cache/);
    const wrong = await omni(["plan", example("omni-prime.fixed"), "--explain", "brian"], folder.path);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("Did you mean brain?");
  });

  it("says what changes between two specs", async () => {
    const { code, stdout } = await omni(
      ["plan", example("ai-factory"), example("ai-factory.fixed")],
      folder.path,
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\+ services\.mistral-nemo .*context 32768/m);
    expect(stdout).toMatch(/^- findings\.error does-not-fit services\.mistral-nemo/m);
    const same = await omni(["plan", example("laptop"), example("laptop")], folder.path);
    expect(same.stdout).toBe("Nothing changes.\n");
  });

  it("plans the demo on this machine, from the file itself", async () => {
    const { code, stdout } = await omni(["plan", example("laptop"), "--json"], folder.path);
    expect(code).toBe(0);
    const [chat] = PLAN.parse(JSON.parse(stdout)).services;
    expect(chat).toMatchObject({ name: "chat", devices: ["cpu"], contextTokens: 2048 });
  });
});
