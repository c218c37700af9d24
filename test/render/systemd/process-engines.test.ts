import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { systemd } from "../../../src/render/systemd/index.ts";
import { deploymentOf } from "../deployments.ts";
import { commandWords, readUnit } from "./unit-file.ts";

const FIRST = "GPU-f4f210c1-5a52-7267-979e-fe922961190a";
const SECOND = "GPU-bfbb9aa1-3d36-b47b-988f-5752cfc54601";
const NODE = `omni: 1
name: node
metal:
  memory: { size: 256GiB }
  gpus:
    first: { model: RTX 4090, uuid: ${FIRST} }
    second: { model: RTX 4090, uuid: ${SECOND} }
runtime: { kind: process, process: { systemd: true } }
models: { m: { source: /models/qwen, size: 8GB, family: Qwen3-4B, format: safetensors } }
services: { s: { model: m, engine: vllm, devices: [second, first], tensorParallel: 2, context: 8192, environment: { HF_TOKEN: { env: TOKEN } } } }
`;

const folder = mkdtempSync(join(tmpdir(), "omni-cards-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rendered = systemd.render(await deploymentOf(NODE));
const unit = rendered.artifacts.find(({ path }) => path === "systemd/omni-s.service")?.content ?? "";
const script = join(folder, "visible-cards");
writeFileSync(script, rendered.artifacts.find(({ path }) => path === "systemd/visible-cards")?.content ?? "");
chmodSync(script, 0o755);

/** What a program is started with where nvidia-smi answers so. */
function started(uuids: string, answer: string, status = 0) {
  writeFileSync(
    join(folder, "nvidia-smi"),
    `#!/bin/sh\n[ "$*" = "--query-gpu=index,uuid --format=csv,noheader" ] || exit 2\nprintf '${answer}'\nexit ${status}\n`,
  );
  chmodSync(join(folder, "nvidia-smi"), 0o755);
  return spawnSync(
    script,
    [uuids, "sh", "-c", 'echo "$CUDA_DEVICE_ORDER $CUDA_VISIBLE_DEVICES $1"', "sh", "a b"],
    {
      encoding: "utf8",
      env: { ...process.env, PATH: `${folder}:${process.env["PATH"] ?? ""}` },
    },
  );
}

describe("cards of an engine that takes numbers alone", () => {
  it("are looked up by UUID at each start: vLLM ends where CUDA_VISIBLE_DEVICES holds one", () => {
    const service = readUnit(unit).get("Service");
    const words = commandWords(service?.get("ExecStart")?.[0] ?? "");
    expect(words.slice(0, 4)).toEqual(["/bin/sh", "-ec", expect.stringContaining('exec "$@"'), "omni"]);
    expect(words.slice(4, 8)).toEqual([
      "/usr/local/lib/omni/visible-cards",
      `${SECOND},${FIRST}`,
      "vllm",
      "serve",
    ]);
    expect(unit).not.toContain("CUDA_VISIBLE_DEVICES=");
    const install = rendered.artifacts.find(({ path }) => path === "systemd/install.sh")?.content;
    expect(install).toContain("copy 0755 visible-cards /usr/local/lib/omni\n");
  });

  it("come in the order of the service, whatever the order of the slots", () => {
    const { stdout, status } = started(`${SECOND},${FIRST}`, `0, ${FIRST}\\n1, GPU-other\\n2, ${SECOND}\\n`);
    expect([status, stdout]).toEqual([0, "PCI_BUS_ID 2,0 a b\n"]);
  });

  it("that are lost, or that nobody can ask for, start nothing", () => {
    const lost = started(`${FIRST},${SECOND}`, `0, ${FIRST}\\n`);
    expect([lost.status, lost.stdout]).toEqual([1, ""]);
    expect(lost.stderr).toContain(`the card ${SECOND} is not in this machine`);
    const silent = started(FIRST, "No devices were found", 6);
    expect([silent.status, silent.stdout]).toEqual([1, ""]);
    expect(silent.stderr).toContain("No devices were found");
  });

  it("are the owner's matter where a variable names them, which is told when vLLM cannot read it", async () => {
    const own = NODE.replace("environment: {", `environment: { CUDA_VISIBLE_DEVICES: ${FIRST}, `);
    const { diagnostics, artifacts } = systemd.render(await deploymentOf(own));
    expect(diagnostics.map(({ path }) => path)).toContain("services.s.environment.CUDA_VISIBLE_DEVICES");
    expect(artifacts.map(({ path }) => path)).not.toContain("systemd/visible-cards");
  });
});

it("a program that lies in a home is seen, and that its user may not enter there is said", async () => {
  const atHome = NODE.replace(
    "services:",
    "engines: { vllm: { kind: vllm, binary: /home/me/venv/bin/vllm } }\nservices:",
  );
  const { artifacts, diagnostics } = systemd.render(await deploymentOf(atHome));
  const text = artifacts.find(({ path }) => path === "systemd/omni-s.service")?.content ?? "";
  expect(readUnit(text).get("Service")?.get("ProtectHome")).toEqual(["read-only"]);
  expect(diagnostics.find(({ path }) => path === "services.s.engine")?.message).toContain(
    "/home/me/venv/bin/vllm lies in a home",
  );
});

describe("engines that Omni runs itself", () => {
  const text = NODE.replace(", process: { systemd: true }", "")
    .replace("context: 8192", "context: 8192, weights: lock, drainTimeout: 5m")
    .replace("services:", "keys: { me: { env: OMNI_KEY } }\nservices:");

  it("have one unit, which may do what they need; it is the default of the spec", async () => {
    const { artifacts } = systemd.render(await deploymentOf(text));
    expect(artifacts.map(({ path }) => path.slice("systemd/".length))).toEqual([
      "omni.service",
      "omni.env.example",
      "omni-nvidia.service",
      "omni.target",
      "omni.slice",
      "wait-ready",
      "install.sh",
    ]);
    const service = readUnit(artifacts[0]?.content ?? "").get("Service");
    expect(service?.get("ExecStart")).toEqual(["/usr/local/bin/omni up /etc/omni/omni.yaml"]);
    expect(service?.get("LimitMEMLOCK")).toEqual(["infinity"]);
    expect(service?.get("TimeoutStopSec")).toEqual(["330s"]);
    expect(service?.get("DeviceAllow")).toEqual(["char-nvidia* rw"]);
    expect(artifacts[1]?.content.split("\n").filter((line) => !line.startsWith("#"))).toEqual([
      "OMNI_KEY=",
      "TOKEN=",
      "",
    ]);
  });

  it("cannot run within Omni where it is the gateway of units, which is said", async () => {
    const embedded = (spec: string) =>
      spec
        .replace("models: {", "models: { demo: builtin:omni-demo,")
        .replace("services: {", "services: { tiny: { model: demo, engine: embedded, devices: cpu },");
    const findings = async (spec: string) =>
      (await deploymentOf(embedded(spec))).findings.filter(({ path }) => path === "services.tiny.engine");
    expect(await findings(NODE)).toEqual([expect.objectContaining({ severity: "warning" })]);
    expect(await findings(text)).toEqual([]);
  });

  it("beside a gateway in a container are started by nobody, which is said", async () => {
    const beside = text
      .replace("kind: process", "kind: docker")
      .replace("devices:", "runtime: process, devices:");
    const { artifacts, diagnostics } = systemd.render(await deploymentOf(beside));
    expect(artifacts.map(({ path }) => path)).not.toContain("systemd/omni-s.service");
    expect(diagnostics.map(({ path, severity }) => [path, severity])).toContainEqual([
      "services.s.runtime",
      "warning",
    ]);
  });
});
