import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { builderOf } from "../../../src/runbook/images/image-builder.ts";
import { chooseRecipe } from "../../../src/runbook/images/build-recipe.ts";
import { INPUTS_LABEL } from "../../../src/runbook/images/registry-proof.ts";
import { startDockerEngine } from "../../fakes/docker-engine.ts";
import type { DockerEngine } from "../../fakes/docker-engine.ts";
import { DownloadHub } from "../../fakes/download-hub.ts";
import { FakeKubernetes } from "../../fakes/kubernetes-api.ts";
import { loopDisks, loopsWork, pathOf } from "../../fakes/loop-disk.ts";
import type { LoopDisk } from "../../fakes/loop-disk.ts";
import { ProxmoxMachine } from "../../fakes/proxmox-machine.ts";
import { startRegistryServer, whyNoRegistry } from "../../fakes/registry-server.ts";
import { runbookInput } from "../../fakes/runbook-input.ts";
import { noSshServer, startSshServer } from "../../fakes/ssh-server.ts";
import type { SshServer } from "../../fakes/ssh-server.ts";
import { memoryContext } from "../../fakes/step-context.ts";
import { buildFolder, machineWith } from "../../runbook/images-bench.ts";
import { leviathanSpec } from "./spec.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
export const MODEL = join(ROOT, "demo/omni-demo.gguf");
/** The size of the spec, as a file without a byte in it. */
const DISK = 40 * 2 ** 30;
export const SERIAL = "S7XXNJ0W123456";
export const SECRET = "sk-leviathan-0123456789";

/** What is the same for all runs: an engine for containers, a hub, the folder that images are built from. */
export interface House {
  readonly engine: DockerEngine;
  readonly hub: DownloadHub;
  readonly folder: string;
  readonly llamaServer: string;
  close(): Promise<void>;
}

/** Why the runbook cannot be run here whole, or what it needs. */
export async function openHouse(): Promise<House | string> {
  const llamaServer = process.env["OMNI_LLAMA_SERVER"] ?? "";
  const lacking =
    (loopsWork() ? undefined : "loop devices cannot be made") ??
    noSshServer() ??
    whyNoRegistry() ??
    (llamaServer === "" ? "OMNI_LLAMA_SERVER names no llama-server" : undefined);
  if (lacking !== undefined) return lacking;
  const engine = await startDockerEngine();
  if (typeof engine === "string") return engine;
  const folder = mkdtempSync(join(tmpdir(), "omni-house-"));
  const build = join(folder, "docker");
  buildFolder(build, 120);
  writeFileSync(join(build, "Dockerfile.leviathan"), "FROM scratch\nCOPY ktransformers /ktransformers\n");
  const hub = await DownloadHub.start([
    { path: "deep-Q4_K_M.gguf", content: readFileSync(MODEL), large: true },
    { path: "deep-Q8_0.gguf", content: Buffer.from("another quantization"), large: true },
  ]);
  return {
    engine,
    hub,
    folder,
    llamaServer,
    close: async () => {
      await hub.stop();
      await engine.stop();
      // What was built from lies below the home of whoever logs in.
      for (const path of [folder, join(userInfo().homedir, ".omni-images/leviathan")])
        rmSync(path, { recursive: true, force: true });
    },
  };
}

/** One set of machines on which nothing was done yet. */
export interface Room {
  readonly spec: string;
  readonly state: string;
  readonly report: string;
  readonly mount: string;
  readonly host: ProxmoxMachine;
  readonly disk: LoopDisk;
  readonly cluster: FakeKubernetes;
  readonly gateway: string;
  /** Of a command of Omni's in this room. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

let rooms = 0;

export async function openRoom(house: House): Promise<Room> {
  const mark = `${process.pid}-${++rooms}`;
  await using opened = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "omni-room-"));
  opened.defer(() => rmSync(folder, { recursive: true, force: true }));
  const disks = loopDisks();
  opened.defer(() => disks.remove());
  const disk = disks.make(SERIAL, undefined, DISK);
  const host = opened.use(proxmoxHost(house));
  const environment = { ...host.environment, ...disks.roots };
  const ssh = opened.use(await startSshServer({ programs: host.programs, environment }));
  const cluster = opened.adopt(await clusterFor(house), (one) => one.close());
  // One for each room: Omni's own image has one name and, by its port, another recipe in each.
  const registry = opened.adopt(await startRegistryServer(), (one) => one.close());
  const gatewayPort = await freeNodePort();
  const spec = leviathanSpec({
    ssh: ssh.destination,
    registry: registry.host,
    hub: house.hub.endpoint,
    build: join(house.folder, "docker"),
    mount: disks.mount,
    serial: SERIAL,
    enginePort: await freeNodePort(),
    gatewayPort,
    mark,
  });
  writeFileSync(join(folder, "omni.yaml"), spec);
  // A line that breaks off on the way.
  house.hub.cuts.push(1_000_000, 500_000);
  const own = await ownImage(house, spec, folder);
  const main = join(ROOT, "src/cli/main.ts");
  const dns = join(ROOT, "test/fakes/kubernetes-api/cluster-dns.ts");
  cluster.kubelet.entrypoints.set(own, [process.execPath, "--import", dns, main]);
  const closing = opened.move();
  return {
    spec: join(folder, "omni.yaml"),
    state: join(folder, "state"),
    report: join(folder, "leviathan-report.md"),
    mount: disks.mount,
    host,
    disk,
    cluster,
    gateway: `http://127.0.0.1:${gatewayPort}`,
    environment: {
      HOME: home(folder, ssh),
      KUBECONFIG: cluster.kubeconfig(),
      OMNI_KNOWN_HOSTS: ssh.knownHosts,
      OMNI_KEY: SECRET,
      DOCKER_HOST: house.engine.socket,
    },
    close: () => closing.disposeAsync(),
  };
}

/** A free port among those that a cluster gives to nodes, a different one each time. */
async function freeNodePort(): Promise<number> {
  for (;;) {
    const port = 30_000 + (tried++ % 2700);
    if (await isFree(port)) return port;
  }
}
let tried = process.pid;

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "0.0.0.0", () => server.close(() => resolve(true)));
  });

/** A Proxmox host that writes down what is asked of it; disks, users and the builder of images are this machine's own. */
function proxmoxHost({ engine }: House): ProxmoxMachine {
  const host = new ProxmoxMachine({ real: new Set(["id", "lsblk"]) });
  host.program("hostname", "echo 127.0.0.1");
  host.put("proc/cmdline", "BOOT_IMAGE=/boot/vmlinuz-6.17.2-1-pve root=ZFS=rpool/ROOT/pve-1 quiet\n");
  host.put("proc/sys/kernel/random/boot_id", "0d7f0e0a-0000-4000-8000-000000000001\n");
  host.program("docker", `DOCKER_HOST=${engine.socket} exec ${pathOf("docker") ?? "docker"} "$@"`);
  host.program("mkfs.xfs", `exec ${pathOf("mkfs.xfs") ?? "mkfs.xfs"} "$@"`);
  return host;
}

/** A cluster with one node that has both cards, on which llama-server is the real one. */
async function clusterFor({ llamaServer }: House): Promise<FakeKubernetes> {
  const cluster = await FakeKubernetes.start({ namespace: "ai-workloads", bare: true });
  cluster.kubelet.cards = 2;
  cluster.kubelet.programs.set("llama-server", llamaServer);
  cluster.addNode("talos-node-0", { "nvidia.com/gpu": "2" });
  return cluster;
}

/** Omni's own image as an earlier run left it in the registry: its recipe fetches packages, which is no part of this. */
async function ownImage({ engine, folder }: House, text: string, workFolder: string): Promise<string> {
  const input = await runbookInput(text, { workFolder });
  const build = input.deployment.images.find(({ kind }) => kind === "omni");
  if (build === undefined) throw new Error("the spec has no image of Omni's own");
  const context = memoryContext({ hosts: { "": machineWith({ DOCKER_HOST: engine.socket }) } });
  const { hash } = await chooseRecipe({ input, build }, await builderOf(context, build));
  const recipe = join(folder, "Dockerfile.omni");
  writeFileSync(recipe, `FROM scratch\nCOPY program /program\nLABEL ${INPUTS_LABEL}=${hash}\n`);
  engine.docker("build", "-q", "-t", build.tag, "-f", recipe, join(folder, "docker"));
  // The registry's door is in this process, which must not stand still meanwhile.
  const client = spawn("docker", ["push", "-q", build.tag], {
    env: { ...process.env, DOCKER_HOST: engine.socket },
  });
  const [code] = await once(client, "close");
  if (code !== 0) throw new Error(`docker push ended with ${code}`);
  return build.tag;
}

/** A home with the key that the host lets in. */
function home(folder: string, ssh: SshServer): string {
  const path = join(folder, "home");
  mkdirSync(join(path, ".ssh"), { recursive: true, mode: 0o700 });
  copyFileSync(ssh.identity, join(path, ".ssh/id_ed25519"));
  return path;
}

/** How often what must happen once has happened in a room. */
export function effectsOf({ host }: Room): Readonly<Record<"created" | "started" | "formatted", number>> {
  const calls = host.told("calls").split("\n");
  const count = (call: RegExp): number => calls.filter((line) => call.test(line)).length;
  return {
    created: count(/^qm create 105\b/),
    started: count(/^qm start 105\b/),
    formatted: count(/^mkfs\.xfs\b/),
  };
}
