import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { loadSpec } from "../../../src/spec/index.ts";
import { systemd } from "../../../src/render/systemd/index.ts";
import type { Rendered } from "../../../src/render/index.ts";
import { REFERENCE_SYSTEMS, deploymentOf, referenceDeployment } from "../deployments.ts";
import { hasSystemd, unitComplaints } from "./real-systemd.ts";
import { commandWords, noSpecifiers, readUnit, words } from "./unit-file.ts";

const NODE = `omni: 1
name: node
metal:
  address: 192.168.3.20
  memory: { size: 256GiB }
  gpus:
    big: { model: RTX PRO 6000 Blackwell, uuid: GPU-f4f210c1-5a52-7267-979e-fe922961190a }
    small: { model: RTX 5090, uuid: GPU-bfbb9aa1-3d36-b47b-988f-5752cfc54601 }
    spare: { model: RTX 5090 }
runtime: { kind: process, process: { systemd: true, logFolder: /var/log/omni } }
networks: { closed: { internal: true } }
models:
  large: { source: /models/large.gguf, size: 40GB, family: llama-3.3-70b }
  little: { source: /home/me/little.gguf, size: 2GB, family: qwen2.5-3b }
services:
  brain: { model: large, engine: llama.cpp, devices: big, context: 8192, weights: lock, memory: 32GiB, cpus: "0-23", numaNode: 1, networks: [closed], restart: { restarts: 3, window: 5m, backoffMin: 2s, backoffMax: 30s }, loadTimeout: 8m, drainTimeout: 45s, environment: { HF_TOKEN: { env: TOKEN_OF_HUB }, API: { file: /run/secrets/api }, GREETING: "50% of $HOME" } }
  helper: { model: little, engine: llama.cpp, devices: cpu, context: 4096, after: [brain], restart: { restarts: 0 } }
  loose: { model: little, engine: llama.cpp, devices: spare, context: 4096 }
  wrong: { model: large, engine: llama.cpp, devices: small, context: 131072, gpuLayers: 999 }
keys: { me: { env: OMNI_KEY }, you: { file: /run/secrets/you } }
gateway: { port: 4700 }
`;

const node = systemd.render(await deploymentOf(NODE));
const laptop = systemd.render(await referenceDeployment("laptop"));

function fileOf({ artifacts }: Rendered, name: string): string {
  const found = artifacts.find(({ path }) => path === `systemd/${name}`);
  if (found === undefined)
    throw new Error(`${name} is not among ${artifacts.map(({ path }) => path).join(", ")}`);
  return found.content;
}

const values = (rendered: Rendered, name: string, section: string, key: string): readonly string[] =>
  readUnit(fileOf(rendered, name)).get(section)?.get(key) ?? [];
const brain = (key: string, section = "Service"): readonly string[] =>
  values(node, "omni-brain.service", section, key);

describe("the unit of an engine", () => {
  it("starts its command on its cards by UUID, with secrets that only the unit can read", () => {
    const [program, flag, script, name, ...engine] = commandWords(brain("ExecStart")[0] ?? "");
    expect([program, flag, name]).toEqual(["/bin/sh", "-ec", "omni"]);
    expect(script).toBe(
      'HF_TOKEN=${TOKEN_OF_HUB?}; export HF_TOKEN; API=$(cat "$CREDENTIALS_DIRECTORY/API"); export API; exec "$@"',
    );
    expect(engine).toContain("/models/large.gguf");
    const environment = brain("Environment").flatMap((line) => words(line).map(noSpecifiers));
    expect(environment).toContain("CUDA_VISIBLE_DEVICES=GPU-f4f210c1-5a52-7267-979e-fe922961190a");
    expect(environment).toContain("CUDA_DEVICE_ORDER=PCI_BUS_ID");
    expect(environment).toContain("GREETING=50% of $HOME");
    expect(environment.filter((line) => line.startsWith("NVIDIA_VISIBLE_DEVICES"))).toEqual([]);
    expect(brain("EnvironmentFile")).toEqual(["/etc/omni/omni-brain.env"]);
    expect(brain("LoadCredential")).toEqual(["API:/run/secrets/api"]);
    expect(
      fileOf(node, "omni-brain.env.example")
        .split("\n")
        .filter((line) => !line.startsWith("#")),
    ).toEqual(["TOKEN_OF_HUB=", ""]);
  });

  it("is restarted by the policy, and ready when the engine answers", () => {
    expect(brain("StartLimitIntervalSec", "Unit")).toEqual(["300s"]);
    expect(brain("StartLimitBurst", "Unit")).toEqual(["4"]);
    expect([brain("Restart"), brain("RestartSec")]).toEqual([["always"], ["2s"]]);
    // 2, 4, 8, 16, 30: four steps from the first wait to the longest.
    expect([brain("RestartSteps"), brain("RestartMaxDelaySec")]).toEqual([["4"], ["30s"]]);
    expect([brain("TimeoutStartSec"), brain("TimeoutStopSec")]).toEqual([["480s"], ["45s"]]);
    expect(brain("ExecStartPost")[0]).toMatch(
      /^\/usr\/local\/lib\/omni\/wait-ready http:\/\/127\.0\.0\.1:\d+\/health$/,
    );
    expect(values(node, "omni-helper.service", "Service", "Restart")).toEqual(["no"]);
  });

  it("is bounded, and sees what it needs and nothing else", () => {
    expect(brain("MemoryMax")).toEqual([String(32 * 1024 ** 3)]);
    expect([brain("AllowedCPUs"), brain("NUMAPolicy"), brain("NUMAMask")]).toEqual([
      ["0-23"],
      ["bind"],
      ["1"],
    ]);
    expect(brain("LimitMEMLOCK")).toEqual(["infinity"]);
    expect(brain("DeviceAllow")).toEqual(["char-nvidia* rw"]);
    expect(brain("PrivateDevices")).toEqual([]);
    expect([brain("IPAddressDeny"), brain("IPAddressAllow")]).toEqual([["any"], ["localhost"]]);
    expect(brain("ReadOnlyPaths").map((path) => noSpecifiers(words(path, "plain")[0] ?? ""))).toEqual([
      "/models",
    ]);
    expect([brain("ProtectHome"), brain("NoNewPrivileges"), brain("DynamicUser")]).toEqual([
      ["yes"],
      ["yes"],
      ["yes"],
    ]);
    expect(brain("StandardOutput")).toEqual(["append:/var/log/omni/omni-brain.log"]);
    const helper = (key: string) => values(node, "omni-helper.service", "Service", key);
    expect([
      helper("PrivateDevices"),
      helper("DeviceAllow"),
      values(node, "omni-helper.service", "Unit", "Wants"),
    ]).toEqual([["yes"], [], ["omni-brain.service"]]);
    expect([helper("ProtectHome"), helper("SystemCallFilter")]).toEqual([["read-only"], ["@system-service"]]);
    expect([helper("IPAddressDeny"), helper("LimitMEMLOCK")]).toEqual([[], []]);
  });

  it("comes after the driver's device nodes, which systemd must know when it starts", () => {
    expect(brain("Wants", "Unit")).toEqual(["omni-nvidia.service"]);
    expect(brain("After", "Unit")).toContain("omni-nvidia.service");
    expect(values(node, "omni-nvidia.service", "Service", "ExecStart")).toEqual([
      "-/usr/bin/nvidia-modprobe -c 0 -u",
      "-/usr/bin/nvidia-smi -L",
    ]);
    expect(fileOf(node, "install.sh")).toMatch(/^copy 0644 omni-nvidia\.service /m);
    expect(fileOf(node, "install.sh")).not.toMatch(/enable .*omni-nvidia/);
  });

  it("comes after those that the spec names, once they answer, and does not share their fate", () => {
    const helper = (section: string, key: string) => values(node, "omni-helper.service", section, key);
    expect([helper("Unit", "Wants"), helper("Unit", "Requires")]).toEqual([["omni-brain.service"], []]);
    expect(helper("Service", "ExecStartPre")).toEqual(brain("ExecStartPost"));
    // Its own twenty minutes, and the eight of the other.
    const own = 20 * 60;
    expect(helper("Service", "TimeoutStartSec")).toEqual([`${own + 8 * 60}s`]);
    expect(values(node, "omni-helper.service", "Unit", "After").join(" ")).toContain("omni-brain.service");
  });

  it("never starts by itself where the plan refused the service", () => {
    const unit = readUnit(fileOf(node, "omni-wrong.service"));
    expect(unit.has("Install")).toBe(false);
    expect(unit.get("Unit")?.get("ConditionPathExists")).toEqual(["/etc/omni/start-refused/wrong"]);
    expect(fileOf(node, "omni-wrong.service")).toContain("# REFUSED by the plan");
    expect(
      node.diagnostics.filter(({ code }) => code === "render.refused-service").map(({ path }) => path),
    ).toEqual(["services.wrong"]);
    expect(fileOf(node, "install.sh")).not.toMatch(/enable .*omni-wrong/);
    expect(brain("WantedBy", "Install")).toEqual(["omni.target"]);
  });

  it("is not pinned where nothing is known of its card, and by index for want of a UUID, which is said", async () => {
    const pins = (rendered: Rendered): readonly string[] =>
      values(rendered, "omni-loose.service", "Service", "Environment").filter((line) =>
        line.startsWith("CUDA_"),
      );
    const said = ({ diagnostics }: Rendered) =>
      diagnostics.find(({ path }) => path === "machines.node.gpus.spare")?.message;
    expect(pins(node)).toEqual(["CUDA_DEVICE_ORDER=PCI_BUS_ID"]);
    expect(said(node)).toContain("loose is not pinned: spare has no UUID");
    const indexed = systemd.render(
      await deploymentOf(NODE.replace("spare: { model: RTX 5090", "spare: { model: RTX 5090, index: 2")),
    );
    expect(pins(indexed)).toEqual(["CUDA_DEVICE_ORDER=PCI_BUS_ID", "CUDA_VISIBLE_DEVICES=2"]);
    expect(said(indexed)).toContain("loose is given spare by its index 2");
  });
});

describe("Omni's own unit", () => {
  it("is the gateway beside engines' units, with a spec of its own that is valid", () => {
    const unit = "omni-gateway.service";
    expect(values(node, unit, "Service", "ExecStart")).toEqual([
      "/usr/local/bin/omni up /etc/omni/gateway.yaml",
    ]);
    expect(values(node, unit, "Service", "ExecStartPost")).toEqual([
      "/usr/local/lib/omni/wait-ready http://127.0.0.1:4700/healthz",
    ]);
    expect(values(node, unit, "Service", "LoadCredential")).toEqual(["secret-1:/run/secrets/you"]);
    const text = fileOf(node, "gateway.yaml");
    const spec: unknown = parse(text);
    expect(spec).toMatchObject({
      engines: { brain: { kind: "openai", url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/v1$/) } },
      keys: { me: { env: "OMNI_KEY" }, you: { file: `/run/credentials/${unit}/secret-1` } },
      gateway: { host: "127.0.0.1", port: 4700 },
    });
    expect(loadSpec(text, "gateway.yaml").diagnostics.filter(({ severity }) => severity === "error")).toEqual(
      [],
    );
  });

  it("is the node itself where all engines are embedded", () => {
    expect(laptop.artifacts.map(({ path }) => path)).toEqual(
      ["omni.service", "omni.target", "omni.slice", "wait-ready", "install.sh"].map(
        (name) => `systemd/${name}`,
      ),
    );
    expect(values(laptop, "omni.service", "Service", "ExecStart")).toEqual([
      "/usr/local/bin/omni up /etc/omni/omni.yaml",
    ]);
  });

  it("says which files it cannot be shown, and renders the rest", async () => {
    const { artifacts, diagnostics } = systemd.render(
      await deploymentOf(`omni: 1
name: small
runtime: { kind: process, process: { logFolder: ~/logs } }
models: { m: builtin:omni-demo }
services: { s: { model: m } }
keys: { me: { file: ~/key }, you: { file: /run/secrets/you } }
tools: { notes: { filesystem: { roots: { notes: ~/Notes } } } }
`),
    );
    expect(
      diagnostics.map(({ path, message }) => [path, message.slice(0, message.indexOf(" ", 16))]),
    ).toEqual([
      ["tools", expect.stringContaining("~/Notes")],
      ["keys", expect.stringContaining("~/key")],
      ["keys", expect.stringContaining("omni.service")],
      ["runtime.process.logFolder", expect.stringContaining("~/logs")],
    ]);
    expect(artifacts.find(({ path }) => path === "systemd/omni.service")?.content).not.toMatch(
      /~|LoadCredential|append/,
    );
  });

  it("steps aside where a service bears its name", async () => {
    const text = NODE.replace("  helper:", "  gateway:");
    const { artifacts } = systemd.render(await deploymentOf(text));
    expect(artifacts.map(({ path }) => path)).toContain("systemd/omni-gateway-2.service");
  });
});

describe("the systemd target", () => {
  it("is wanted by processes and compose projects, and has nothing for clusters", async () => {
    const wanted = await Promise.all(
      ["workstation", "laptop", ...REFERENCE_SYSTEMS].map(async (name) => {
        const deployment = await referenceDeployment(name);
        expect(systemd.render(deployment).artifacts.length > 0, name).toBe(systemd.wanted(deployment));
        return systemd.wanted(deployment) ? [name] : [];
      }),
    );
    expect(wanted.flat()).toEqual(["workstation", "laptop", "concrete-bunker", "concrete-bunker.fixed"]);
  });

  it("brings a compose project up at boot", async () => {
    const bunker = systemd.render(await referenceDeployment("concrete-bunker.fixed"));
    const unit = (key: string) => values(bunker, "omni-compose.service", "Service", key);
    expect(unit("WorkingDirectory")).toEqual(["/etc/omni/compose"]);
    expect(commandWords(unit("ExecStart")[0] ?? "").slice(0, 4)).toEqual([
      "/usr/bin/docker",
      "compose",
      "up",
      "--detach",
    ]);
  });

  it.skipIf(!hasSystemd)(
    "passes systemd-analyze verify (skipped where systemd is not installed)",
    async () => {
      const all = [
        node,
        laptop,
        systemd.render(await referenceDeployment("concrete-bunker.fixed")),
        systemd.render(await referenceDeployment("workstation")),
      ];
      for (const { artifacts } of all) {
        const units = artifacts.filter(({ path }) => /\.(?:service|target|slice)$/.test(path));
        const named = units.map(({ path, content }) => [path.slice("systemd/".length), content]);
        expect(unitComplaints(Object.fromEntries(named))).toEqual([]);
      }
    },
  );
});
