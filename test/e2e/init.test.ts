import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { loadSpec } from "../../src/spec/index.ts";
import { addNvidiaSmi, fakeMachine } from "../fakes/fake-machine.ts";
import type { FakeMachine } from "../fakes/fake-machine.ts";
import { tinyGguf } from "../fakes/tiny-gguf.ts";
import { eventually, launch, omni, processesWith } from "./run-node.ts";
import type { Finished, Surroundings } from "./run-node.ts";

const INVENTORY = z.object({
  hostname: z.string(),
  cpu: z.object({ cores: z.number(), threads: z.number() }),
  memory: z.object({ total: z.number(), available: z.number() }),
  gpus: z.array(z.object({ name: z.string(), uuid: z.string().optional() })),
  notes: z.array(z.object({ probe: z.string(), message: z.string() })),
});

let machine: FakeMachine;
let folder = "";
beforeEach(() => {
  machine = fakeMachine();
  folder = join(machine.root, "work");
  mkdirSync(folder);
});
afterEach(() => machine.remove());

/** A folder and home of the test's own, where the first nvidia-smi is the test's. */
const surroundings = (): Surroundings => ({
  cwd: folder,
  env: {
    PATH: [join(machine.root, "bin"), process.env["PATH"] ?? ""].join(delimiter),
    HOME: join(machine.root, "home"),
    XDG_CACHE_HOME: join(machine.root, "home/.cache"),
    LLAMA_CACHE: join(machine.root, "home/.cache/llama.cpp"),
    HF_HUB_CACHE: join(machine.root, "home/hub"),
  },
});

const init = (...args: string[]): Promise<Finished> =>
  omni(["init", ...args], join(machine.root, "state"), "", surroundings());

const written = (name = "omni.yaml"): string => readFileSync(join(folder, name), "utf8");

/** The spec in the folder, without any finding but advice. */
function valid(name?: string) {
  const { spec, diagnostics } = loadSpec(written(name), "omni.yaml");
  expect(diagnostics.filter((d) => d.severity === "error")).toEqual([]);
  return spec;
}

describe("init without a card", () => {
  it("writes a spec of the demo that is valid and planned, and says what is next", async () => {
    const { code, stdout } = await init();
    expect(code).toBe(0);
    expect(stdout).toMatch(/processor\s+\S.*cores/);
    expect(stdout).toMatch(/memory\s+[\d.]+ [GM]iB/);
    expect(stdout).toMatch(/card\s+\S/);
    expect(stdout).toContain("./omni plan omni.yaml");
    expect(stdout).toContain("./omni up omni.yaml");
    const spec = valid();
    expect(Object.keys(spec?.services ?? {})).toEqual(["omni-demo"]);
    expect(Object.values(spec?.machines ?? {})[0]?.cpu?.threads).toBeGreaterThan(0);
    expect(lstatSync(join(folder, "omni.yaml")).mode & 0o777).toBe(0o644 & ~process.umask());
    expect(readdirSync(folder)).toEqual(["omni.yaml"]);
  });

  it("never overwrites without --force", async () => {
    writeFileSync(join(folder, "omni.yaml"), "mine");
    const refused = await init();
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("exists already");
    expect(refused.stderr).toContain("--force");
    expect(written()).toBe("mine");
    expect((await init("--force")).code).toBe(0);
    expect(written()).toContain("omni: 1");
    symlinkSync("/nonexistent/elsewhere", join(folder, "dangling.yaml"));
    expect((await init("dangling.yaml")).code).toBe(2);
  });

  it("--dry-run, --print and --json write nothing", async () => {
    const dry = await init("--dry-run");
    expect(dry).toMatchObject({ code: 0 });
    expect(dry.stdout).toContain("Nothing was written");
    const print = await init("--print");
    expect(loadSpec(print.stdout, "-").spec?.services["omni-demo"]).toBeDefined();
    const json = INVENTORY.parse(JSON.parse((await init("--json")).stdout));
    expect(json.memory.total).toBeGreaterThan(json.memory.available);
    expect(existsSync(join(folder, "omni.yaml"))).toBe(false);
  });

  it("says what it cannot do: a folder as the file, a folder that is not there", async () => {
    mkdirSync(join(folder, "sub"));
    expect((await init("sub")).stderr).toContain("is a folder");
    const missing = await init("--models", "nowhere");
    expect(missing).toMatchObject({ code: 2 });
    expect(missing.stderr).toContain("nowhere is no folder");
    expect((await init("--timeout", "0")).code).toBe(2);
    expect(readdirSync(folder)).toEqual(["sub"]);
  });
});

describe("init with models", () => {
  it("serves what fits, and lists the rest with the reason", async () => {
    mkdirSync(join(folder, "models/deep: #er"), { recursive: true });
    writeFileSync(join(folder, "models/deep: #er/My 'Chat' {7B}.gguf"), tinyGguf({ trainedContext: 2048 }));
    writeFileSync(join(folder, "models/cut.gguf"), tinyGguf({ cut: 1000 }));
    const { code, stdout } = await init();
    expect(code).toBe(0);
    expect(stdout).toMatch(/serve\s+My-Chat-7B-/);
    expect(stdout).toMatch(/leave\s+cut\s+.*missing/);
    const spec = valid();
    expect(Object.values(spec?.models ?? {}).map((model) => model.source)).toEqual([
      { file: "./models/deep: #er/My 'Chat' {7B}.gguf" },
    ]);
    expect(Object.values(spec?.services ?? {})[0]).toMatchObject({ context: 2048, engine: ["embedded"] });
    expect(written()).toMatch(/# Not served: .*cut\.gguf.*missing/);
    expect(written()).toContain("# cut: ./models/cut.gguf");
  });

  it("--models looks there and nowhere else, several times", async () => {
    for (const name of ["a", "b"]) {
      mkdirSync(join(machine.root, name));
      writeFileSync(join(machine.root, name, `${name}.gguf`), tinyGguf());
    }
    await init("--models", join(machine.root, "a"), "--models", join(machine.root, "b"), "sub/node.yaml");
    expect(Object.keys(valid("sub/node.yaml")?.services ?? {})).toEqual(["a", "b"]);
    expect(written("sub/node.yaml")).toContain(`a: ${join(machine.root, "a/a.gguf")}`);
  });
});

describe("init with an nvidia-smi", () => {
  const CARD = {
    index: "0",
    uuid: "GPU-f4f210c1-5a52-7267-979e-fe922961190a",
    name: "NVIDIA GeForce RTX 4090",
    "pci.bus_id": "00000000:81:00.0",
    "pci.device_id": "0x268410DE",
    compute_cap: "8.9",
    driver_version: "580.105.08",
    "memory.total": "24564",
    "memory.used": "1",
  };

  it("that answers: the card stands in the spec by its identity, and llama.cpp is chosen where it is installed", async () => {
    addNvidiaSmi(machine, { cards: [CARD], banner: "CUDA Version: 13.0" });
    machine.program("llama-server", "#!/bin/sh\n");
    mkdirSync(join(folder, "models"));
    writeFileSync(join(folder, "models/chat.gguf"), tinyGguf());
    const { code, stdout } = await init();
    expect(code).toBe(0);
    expect(stdout).toMatch(/card\s+NVIDIA GeForce RTX 4090\s+23\.99 GiB/);
    const spec = valid();
    const [metal] = Object.values(spec?.machines ?? {});
    expect(metal?.gpus).toMatchObject({
      "rtx-4090": {
        model: "RTX 4090",
        uuid: CARD.uuid,
        pci: "0000:81:00.0",
        ids: ["10de:2684"],
        index: 0,
      },
    });
    expect(metal?.driver).toEqual({ version: "580.105.08", cuda: "13.0" });
    expect(spec?.services["chat"]).toMatchObject({
      engine: ["llama.cpp", "embedded"],
      devices: { kind: "auto" },
    });
  });

  it("that knows nothing but the name: [N/A] throughout", async () => {
    const { uuid, name, "pci.bus_id": bus } = CARD;
    addNvidiaSmi(machine, { cards: [{ uuid, name, "pci.bus_id": bus }] });
    expect(await init()).toMatchObject({ code: 0 });
    const [metal] = Object.values(valid()?.machines ?? {});
    expect(metal?.gpus?.["rtx-4090"]).toMatchObject({ model: "RTX 4090", uuid });
  });

  it("that fails: the reason is told and the rest goes on", async () => {
    const words = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.";
    machine.program("nvidia-smi", `#!/bin/sh\necho "${words}"\nexit 9\n`);
    const { code, stderr } = await init();
    expect(code).toBe(0);
    expect(stderr).toContain(words);
    expect(written()).toContain(words);
    expect(Object.keys(valid()?.services ?? {})).toEqual(["omni-demo"]);
  });

  it("that hangs: it is killed at the limit, and a spec is written all the same", async () => {
    machine.program("nvidia-smi", "#!/bin/sh\ntrap '' TERM INT\nsleep 300\n");
    const { code, stderr } = await init("--timeout", "1");
    expect(code).toBe(0);
    expect(stderr).toContain("did not answer within 1 s");
    expect(valid()).toBeDefined();
  });

  it("that hangs while the owner presses Ctrl-C: both end, and nothing was written", async () => {
    const started = join(machine.root, "started");
    machine.program(
      "nvidia-smi",
      `#!/bin/sh\ntrap '' TERM INT\necho $$ > ${started}.new\nmv ${started}.new ${started}\nsleep 300\n`,
    );
    const child = launch(["init"], join(machine.root, "state"), surroundings());
    const ended = once(child, "exit");
    await eventually(() => existsSync(started));
    child.kill("SIGINT");
    expect((await ended)[0]).toBe(1);
    await eventually(() => processesWith(join(machine.root, "bin/nvidia-smi")).length === 0);
    expect(readdirSync(folder)).toEqual([]);
  });
});
