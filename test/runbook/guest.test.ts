import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { localTransport } from "../../src/host/transport/index.ts";
import type { Step } from "../../src/runbook/step.ts";
import { guestSteps } from "../../src/runbook/steps/guest/index.ts";
import { FakeKubernetes } from "../fakes/kubernetes-api.ts";
import { proxmoxOverSsh } from "../fakes/proxmox-over-ssh.ts";
import type { ProxmoxOverSsh } from "../fakes/proxmox-over-ssh.ts";
import { runbookInput } from "../fakes/runbook-input.ts";
import { noSshServer } from "../fakes/ssh-server.ts";
import { memoryContext, takeCutShort, takeStep } from "../fakes/step-context.ts";
import type { MemoryContext, MemoryContextOptions } from "../fakes/step-context.ts";
import { startTalosFactory } from "../fakes/talos-factory.ts";
import { fakeTalosctl } from "../fakes/talosctl.ts";

const missing = noSshServer();
const because = missing === undefined ? "" : ` (${missing})`;
const ISO = "/var/lib/vz/template/iso/omni-talos-1.12.11.iso";
const KEPT = ["PATH", "KUBECONFIG", "OMNI_TALOS_SECRETS"] as const;

let folder = "";
let kept: readonly (readonly [string, string | undefined])[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-guest-"));
  kept = KEPT.map((name) => [name, process.env[name]] as const);
  process.env["OMNI_TALOS_SECRETS"] = join(folder, "secrets");
});
afterEach(() => {
  for (const [name, value] of kept) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  rmSync(folder, { recursive: true, force: true });
});

const spec = (factory: string, memory = "8GiB"): string => `
omni: 1
name: prime
metal:
  platform: proxmox
  address: 192.168.3.10
  ssh: root@192.168.3.10
  cpu: { cores: 8, threads: 16 }
  memory: { size: 64GB }
  gpus: { rtx5090: { model: RTX 5090, pci: "0000:11:00" } }
guest:
  address: 192.168.3.2
  vm: { id: 105, cores: 4, memory: ${memory}, disks: { scsi0: { storage: local-zfs, size: 32GiB } } }
  talos: { version: "1.12.11", factory: "${factory}", extensions: [siderolabs/qemu-guest-agent] }
  kubernetes: { version: "1.35.0", distribution: talos, nodes: { node-0: { address: 192.168.3.2, role: both } } }
runtime: { kind: kubernetes }
models: { small: { source: "hf:Qwen/Qwen3-0.6B-GGUF:Q8_0", size: 1GB, format: gguf, family: Qwen3-0.6B } }
services: { chat: { model: small } }
`;

const stepsOf = async (text: string): Promise<(kind: string) => Step> => {
  const steps = guestSteps(await runbookInput(text, { workFolder: join(folder, "work") }));
  return (kind) => {
    const step = steps.find(({ id }) => id.startsWith(`${kind}/`));
    if (step === undefined) throw new Error(`no step ${kind} among ${steps.map(({ id }) => id).join(" ")}`);
    return step;
  };
};

const contextOf = (host?: ProxmoxOverSsh, more: Partial<MemoryContextOptions> = {}): MemoryContext =>
  memoryContext({
    hosts: { "": localTransport(), ...(host === undefined ? {} : { prime: host.transport }) },
    ...more,
  });

describe.skipIf(missing !== undefined)(`a guest on a Proxmox host${because}`, () => {
  it("gets its image: posted, fetched with resume, and not asked for again", async () => {
    await using factory = await startTalosFactory();
    await using host = await proxmoxOverSsh();
    const step = await stepsOf(spec(factory.url));
    expect(await step("schematic").verify(contextOf(host))).toMatchObject({ done: false });
    expect(await takeStep(step("schematic"), contextOf(host))).toMatchObject({ done: true });

    factory.cutAfter(100_000);
    await expect(takeStep(step("iso"), contextOf(host))).rejects.toMatchObject({
      code: "host.command-failed",
    });
    expect(host.machine.read(ISO)).toBe("");
    expect(await takeStep(step("iso"), contextOf(host))).toMatchObject({ done: true });
    expect(readFileSync(host.machine.root + ISO)).toEqual(factory.image);

    const questions = factory.asked.length;
    expect(await takeStep(step("iso"), contextOf(host))).toMatchObject({ done: true });
    expect(await takeStep(step("schematic"), contextOf(host))).toMatchObject({ done: true });
    expect(factory.asked, "what is there needs no factory").toHaveLength(questions);

    const other = await stepsOf(
      spec(factory.url).replace("qemu-guest-agent]", "qemu-guest-agent, siderolabs/util-linux-tools]"),
    );
    expect(await other("iso").verify(contextOf(host)), "the same name of another schematic").toMatchObject({
      done: false,
    });
    host.machine.put(ISO.slice(1), "short");
    expect(await step("iso").verify(contextOf(host))).toMatchObject({ done: false });
  });

  it("is refused by a factory that is away or answers another id", async () => {
    await using host = await proxmoxOverSsh();
    const gone = await stepsOf(spec("http://127.0.0.1:9"));
    await expect(takeStep(gone("schematic"), contextOf(host))).rejects.toMatchObject({
      code: "guest.image-factory",
    });
    await using factory = await startTalosFactory();
    factory.lie();
    await expect(
      takeStep((await stepsOf(spec(factory.url)))("schematic"), contextOf(host)),
    ).rejects.toMatchObject({
      code: "guest.image-factory",
      message: expect.stringContaining("computed was"),
    });
  });

  it("is made once, however often the run is cut off, and follows the spec", async () => {
    await using host = await proxmoxOverSsh();
    const url = "http://127.0.0.1:9";
    const step = (await stepsOf(spec(url)))("vm");
    const journal = new Map<string, "before" | "after">();
    const cuts: boolean[] = [];
    for (let cutAt = 2; cutAt <= 5; cutAt++)
      cuts.push(await takeCutShort(step, contextOf(host, { journal, cutAt })));
    expect(cuts[0]).toBe(true);
    expect(await takeStep(step, contextOf(host, { journal }))).toMatchObject({ done: true });
    const calls = (): string => host.machine.told("calls");
    expect(calls().match(/^qm create/gm)).toHaveLength(1);
    expect(calls().match(/^qm start/gm)).toHaveLength(1);
    expect(host.machine.told("vm-105.conf")).toContain("memory: 8192");
    const again = contextOf(host, { journal });
    expect(await takeStep(step, again)).toMatchObject({ done: true });
    expect(again.ran).toEqual([]);

    const larger = (await stepsOf(spec(url, "16GiB")))("vm");
    expect(await takeStep(larger, contextOf(host))).toMatchObject({ done: true });
    expect(host.machine.told("vm-105.conf")).toContain("memory: 16384");
    expect(calls().match(/^qm create/gm)).toHaveLength(1);
  });

  it("whose number another VM has is refused, and that VM stays as it is", async () => {
    await using host = await proxmoxOverSsh();
    host.machine.fake("vm-105.conf", "name: mail\n");
    await expect(
      takeStep((await stepsOf(spec("http://127.0.0.1:9")))("vm"), contextOf(host)),
    ).rejects.toMatchObject({
      code: "host.refused",
      message: expect.stringContaining("VM 105 is called mail"),
    });
    expect(host.machine.told("vm-105.conf")).toBe("name: mail\n");
  });
});

describe("Talos on a guest", () => {
  it("is installed and started once, also after a cut; a change of patches is applied", async () => {
    const talos = fakeTalosctl(folder);
    process.env["PATH"] = `${talos.programs}:${process.env["PATH"] ?? ""}`;
    const step = (await stepsOf(spec("http://127.0.0.1:9")))("talos");
    await expect(takeStep(step, contextOf())).rejects.toMatchObject({
      code: "runbook.consent",
      message: expect.stringContaining("--consent install:prime"),
    });
    expect(talos.calls().filter((call) => call.startsWith("apply-config"))).toEqual([]);
    talos.fail("^kubeconfig");
    await expect(takeStep(step, contextOf(), ["install:prime"])).rejects.toMatchObject({
      code: "host.command-failed",
    });
    talos.fail("");
    expect(await takeStep(step, contextOf(), ["install:prime"])).toMatchObject({ done: true });
    const bootstraps = (): number => talos.calls().filter((call) => call.startsWith("bootstrap")).length;
    expect(bootstraps()).toBe(1);
    expect(statSync(join(folder, "work/kubeconfig-prime")).mode & 0o777).toBe(0o600);
    const again = contextOf();
    expect(await takeStep(step, again)).toMatchObject({ done: true });
    expect(again.ran).toEqual([]);

    const changed = (
      await stepsOf(
        spec("http://127.0.0.1:9").replace("talos: {", 'talos: { sysctls: { vm.swappiness: "1" },'),
      )
    )("talos");
    expect(await changed.verify(contextOf())).toMatchObject({
      done: false,
      missing: expect.stringContaining("changed"),
    });
    expect(await takeStep(changed, contextOf())).toMatchObject({ done: true });
    expect(bootstraps()).toBe(1);

    talos.runs("v1.12.1");
    await expect(takeStep(step, contextOf())).rejects.toMatchObject({
      code: "host.refused",
      hint: expect.stringContaining("upgrade.sh"),
    });
  });

  it("needs talosctl, and says where it is", async () => {
    process.env["PATH"] = join(folder, "empty");
    const step = (await stepsOf(spec("https://factory.talos.dev")))("talos");
    await expect(takeStep(step, contextOf())).rejects.toMatchObject({
      code: "host.refused",
      hint: expect.stringContaining("https://factory.talos.dev/talosctl/v1.12.11/talosctl-linux-amd64"),
    });
    expect(existsSync(join(folder, "secrets"))).toBe(false);
  });
});

it("a cluster is waited for until its nodes are ready", async () => {
  const cluster = await FakeKubernetes.start({ namespace: "ai", bare: true });
  try {
    process.env["KUBECONFIG"] = cluster.kubeconfig();
    const step = (await stepsOf(spec("http://127.0.0.1:9")))("cluster");
    expect(await step.verify(contextOf())).toMatchObject({
      done: false,
      missing: expect.stringContaining("there is no node node-0"),
    });
    const context = contextOf();
    const taken = takeStep(step, context);
    await expect.poll(() => context.progressed.length).toBeGreaterThan(0);
    cluster.addNode("node-0", { "nvidia.com/gpu": "2" });
    expect(await taken).toMatchObject({ done: true, evidence: ["node node-0: Ready, nvidia.com/gpu: 2"] });
  } finally {
    await cluster.close();
  }
});
