import { createHash } from "node:crypto";
import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { DeployedModel, Deployment } from "../../src/deployment/index.ts";
import { localTransport, sshTransport } from "../../src/host/transport/index.ts";
import type { RunbookInput } from "../../src/runbook/runbook.ts";
import type { Step } from "../../src/runbook/step.ts";
import { modelSteps } from "../../src/runbook/steps/models/index.ts";
import { temporaryFolder } from "../e2e/run-node.ts";
import { DownloadHub } from "../fakes/download-hub.ts";
import { generatedContent, sha256Of } from "../fakes/hub-server/content.ts";
import { startHubServer } from "../fakes/hub-server/hub-server.ts";
import { runbookInput } from "../fakes/runbook-input.ts";
import { noSshServer, startSshServer } from "../fakes/ssh-server.ts";
import { memoryContext, takeStep } from "../fakes/step-context.ts";

const lacking = noSshServer();
const home = temporaryFolder();
process.env["HF_HUB_CACHE"] = join(home.path, "cache");
afterAll(() => {
  delete process.env["HF_HUB_CACHE"];
  home.remove();
});

type Download = NonNullable<DeployedModel["download"]>;
let base: RunbookInput | undefined;

/** The steps of a deployment that has one model. */
async function stepsOf(
  model: Partial<DeployedModel>,
  download: Partial<Download>,
  more: Partial<Deployment> = {},
): Promise<readonly Step[]> {
  base ??= await runbookInput("omni: 1\nmodels: { omni-demo: builtin:omni-demo }\n", {
    workFolder: home.path,
    secrets: { HUB_TOKEN: "hf_secret" },
  });
  const whole: DeployedModel = {
    name: "big",
    path: join(home.path, "models/big"),
    sizeBytes: 0,
    download: {
      repository: "owner/model",
      revision: "main",
      files: ["*.gguf"],
      endpoint: "http://127.0.0.1:9",
      connections: 3,
      ...download,
    },
    ...model,
  };
  return modelSteps({
    ...base,
    deployment: { ...base.deployment, runtime: "process", ...more, models: [whole] },
  });
}

const only = ([step]: readonly Step[]): Step => {
  if (step === undefined) throw new Error("there is no step");
  return step;
};

describe("which models have a step", () => {
  it("are those that the machine fetches itself", async () => {
    const ids = async (by: Partial<Download>, runtime: Deployment["runtime"]): Promise<readonly string[]> =>
      (await stepsOf({}, by, { runtime })).map(({ id }) => id);
    expect(await ids({}, "process")).toEqual(["model/big"]);
    expect(await ids({}, "kubernetes")).toEqual([]);
    expect(await ids({ by: "node" }, "kubernetes")).toEqual(["model/big"]);
    expect(await ids({ by: "job" }, "process")).toEqual([]);
  });
});

describe("a model on this machine", () => {
  it("is fetched with its token, known afterwards, and fetched again where it was changed", async () => {
    const content = generatedContent(5 << 20);
    const hub = await startHubServer("owner/model", [{ path: "m.gguf", content }], { token: "hf_secret" });
    try {
      const path = join(home.path, "models/big/m.gguf");
      const step = only(await stepsOf({ path }, { endpoint: hub.url, token: { env: "HUB_TOKEN" } }));
      const context = memoryContext({ hosts: { "": localTransport() } });
      const found = await takeStep(step, context);
      expect(found).toMatchObject({
        done: true,
        evidence: [expect.stringContaining("1 files, 5.00 MiB"), `sha256 ${sha256Of(content)} m.gguf`],
      });
      expect(context.hidden).toContain("hf_secret");
      expect(context.progressed.at(-1)).toMatchObject({
        done: content.size,
        total: content.size,
        unit: "bytes",
      });
      expect(context.notes.join()).toContain("all verified");
      const sent = hub.sent();
      expect((await takeStep(step, context)).done).toBe(true);
      expect(hub.sent()).toBe(sent);
      rmSync(process.env["HF_HUB_CACHE"] ?? "", { recursive: true });
      appendFileSync(path, "x");
      expect((await step.verify(context)).done).toBe(false);
      expect((await takeStep(step, context)).done).toBe(true);
      expect(createHash("sha256").update(readFileSync(path)).digest("hex")).toBe(sha256Of(content));
    } finally {
      await hub.close();
    }
  });
});

describe.skipIf(lacking !== undefined)(
  `a model on a host by SSH${lacking === undefined ? "" : ` (skipped: ${lacking})`}`,
  () => {
    it("is fetched there by the program that Jobs run, and known by what lies there", async () => {
      const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 251));
      const hub = await DownloadHub.start([{ path: "m.gguf", content, large: true }]);
      await using server = await startSshServer();
      const host = sshTransport(server);
      try {
        const folder = join(home.path, "there");
        const step = only(
          await stepsOf(
            { path: folder, machine: "far" },
            { endpoint: hub.endpoint, repository: "owner/model" },
          ),
        );
        const context = memoryContext({ hosts: { far: host } });
        const found = await takeStep(step, context);
        expect(found).toMatchObject({ done: true });
        expect(readFileSync(join(folder, "m.gguf")).equals(content)).toBe(true);
        expect(context.progressed.at(-1)).toMatchObject({ done: content.length, unit: "bytes" });
        expect(context.ran.join("\n")).not.toContain("curl");
        writeFileSync(join(folder, "m.gguf"), "damage");
        expect(await step.verify(context)).toMatchObject({ done: false });
        expect((await takeStep(step, context)).done).toBe(true);
        expect(readFileSync(join(folder, "m.gguf")).equals(content)).toBe(true);
      } finally {
        await host.close();
        await hub.stop();
      }
    });
  },
);
