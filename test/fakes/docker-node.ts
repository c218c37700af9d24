import { execFile, spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { createInterface } from "node:readline";

const FAKES = resolve(import.meta.dirname, "isolation");
const COMPILER = "cc";
const UNSHARE = "unshare";
const TOOLS = ["dockerd", "docker", UNSHARE, "nsenter", "ip", "iptables", COMPILER];

/** Image of the probe, built FROM scratch. */
export const PROBE_IMAGE = "omni-probe";

export interface Answer {
  readonly code: number;
  readonly output: string;
}

/** A real Docker engine in namespaces of its own, with a world outside it; see `isolation/node.sh`. */
export interface DockerNode {
  /** `unix:///…/docker.sock`, open to this machine; what it publishes is on the node's own loopback. */
  readonly socket: string;
  /** Runs the docker client; rejects with what it said when it fails. */
  docker(...words: readonly string[]): Promise<string>;
  /** What the probe is told by a container, by the node itself, or by the world: `dial HOST PORT`. */
  dial(from: { readonly container: string } | "node" | "world", host: string, port: number): Promise<Answer>;
  stop(): Promise<void>;
}

/** Starts it, or says in one sentence why this machine cannot. */
export async function startDockerNode(): Promise<DockerNode | string> {
  const lacking = whyNoEngine(TOOLS);
  if (lacking !== undefined) return lacking;
  const folder = mkdtempSync(join(tmpdir(), "omni-docker-"));
  const probe = join(folder, "probe");
  const compiled = spawnSync(COMPILER, ["-static", "-O1", "-o", probe, join(FAKES, "probe.c")], {
    encoding: "utf8",
  });
  if (compiled.status !== 0) {
    rmSync(folder, { recursive: true, force: true });
    return `the C compiler makes no static program: ${compiled.stderr.trim().split("\n").at(-1) ?? ""}`;
  }
  const machine = new Machine(folder, probe);
  const failure = await machine.start();
  if (failure !== undefined) {
    await machine.stop();
    return failure;
  }
  try {
    await machine.build();
  } catch (thrown) {
    await machine.stop();
    throw thrown;
  }
  return machine;
}

/** Why this machine starts no Docker engine for a test, in one sentence; nothing when it has what that needs. */
export function whyNoEngine(tools: readonly string[]): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "a Docker engine is started by root on Linux only";
  const missing = tools.filter((tool) => spawnSync("sh", ["-c", `command -v ${tool}`]).status !== 0);
  return missing.length > 0 ? `not installed: ${missing.join(", ")}` : undefined;
}

class Machine implements DockerNode {
  readonly socket: string;
  readonly #folder: string;
  readonly #probe: string;
  readonly #cgroup: string;
  readonly #child: ChildProcess;
  #world = "";

  constructor(folder: string, probe: string) {
    this.#folder = folder;
    this.#probe = probe;
    this.socket = `unix://${folder}/docker.sock`;
    this.#cgroup = basename(folder);
    const node = ["sh", join(FAKES, "node.sh"), folder, probe, `/${this.#cgroup}`];
    this.#child = spawn(
      UNSHARE,
      ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", ...node],
      { stdio: ["pipe", "pipe", "pipe"] },
    );
  }

  /** Why it did not start; nothing when it did. */
  async start(): Promise<string | undefined> {
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) return "no pipes";
    let said = "";
    stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    for await (const line of createInterface({ input: stdout })) {
      const [word, ...rest] = line.split(" ");
      if (word === "world") this.#world = rest[0] ?? "";
      if (word === "ready") return undefined;
      if (word === "failed") return rest.join(" ");
    }
    return `its namespaces cannot be made here: ${said.trim().split("\n").at(-1) ?? ""}`;
  }

  async build(): Promise<void> {
    const context = join(this.#folder, "context");
    spawnSync("mkdir", ["-p", context]);
    spawnSync("cp", [this.#probe, context]);
    writeFileSync(join(context, "Dockerfile"), 'FROM scratch\nCOPY probe /probe\nENTRYPOINT ["/probe"]\n');
    await this.docker("build", "--quiet", "--tag", PROBE_IMAGE, context);
  }

  async docker(...words: readonly string[]): Promise<string> {
    const { code, output } = await run("docker", words, {
      // The classic builder needs no plugin and pulls nothing for an image FROM scratch.
      env: {
        PATH: process.env["PATH"],
        DOCKER_HOST: this.socket,
        DOCKER_CONFIG: join(this.#folder, "client"),
        DOCKER_BUILDKIT: "0",
      },
    });
    if (code !== 0) throw new Error(`docker ${words.join(" ")}: ${output}`);
    return output.trim();
  }

  async dial(
    from: { readonly container: string } | "node" | "world",
    host: string,
    port: number,
  ): Promise<Answer> {
    const words = ["dial", host, String(port)];
    if (typeof from !== "string")
      return this.docker("exec", from.container, "/probe", ...words).then(
        (output) => ({ code: 0, output }),
        (thrown: unknown) => ({ code: 1, output: String(thrown) }),
      );
    const inside = ["--target", String(this.#first()), "--net", "--mount", "--pid", "--"];
    const world = ["nsenter", `--net=/proc/${this.#world}/ns/net`, "--"];
    return run("nsenter", [...inside, ...(from === "world" ? world : []), this.#probe, ...words]);
  }

  /** Process 1 of the namespaces, as this machine numbers it. */
  #first(): number {
    const pid = this.#child.pid ?? 0;
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.stdin?.end();
      await once(this.#child, "exit");
    }
    removeCgroups(this.#cgroup);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const folders = (path: string): readonly string[] =>
  readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [join(path, entry.name)] : [],
  );

/** Removes a control group of that name from every hierarchy. */
export function removeCgroups(name: string): void {
  for (const root of ["/sys/fs/cgroup", ...folders("/sys/fs/cgroup")]) removeCgroup(join(root, name));
}

/** Cgroups have no files that could be removed: folders go from the innermost outwards. */
function removeCgroup(path: string): void {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return;
  for (const inner of folders(path)) removeCgroup(inner);
  rmdirSync(path);
}

const run = (
  program: string,
  words: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Answer> =>
  new Promise((done) => {
    execFile(program, words, { ...options, encoding: "utf8", timeout: 30_000 }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : 1, output: error === null ? stdout : `${stdout}${stderr}` });
    });
  });
