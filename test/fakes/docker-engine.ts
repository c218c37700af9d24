import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Interface } from "node:readline";
import { tarArchive } from "../../src/runtimes/docker/tar-archive.ts";
import { removeCgroups, whyNoEngine } from "./docker-node.ts";

const SCRIPT = resolve(import.meta.dirname, "isolation/engine.sh");
const UNSHARE = "unshare";
const REAPER = "docker-init";

/** An image without a file: what runs in it is mounted from this machine. */
export const EMPTY_IMAGE = "omni-empty";

/**
 * A real Docker engine whose containers share this machine's network and whose processes this machine can number. It has
 * no bridge: containers are in the network `host`. What needs networks is tried in a `DockerNode`.
 */
export interface DockerEngine {
  /** `unix:///…/docker.sock`. */
  readonly socket: string;
  docker(...words: readonly string[]): string;
  /** Ends the engine and starts it again after a second; its containers live on (live restore). */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it with `EMPTY_IMAGE` in it, or says in one sentence why this machine cannot. */
export async function startDockerEngine(): Promise<DockerEngine | string> {
  const lacking = whyNoEngine(["dockerd", "docker", UNSHARE, REAPER]);
  if (lacking !== undefined) return lacking;
  const folder = mkdtempSync(join(tmpdir(), "omni-engine-"));
  const engine = new Engine(folder);
  const failure = await engine.heard();
  if (failure === undefined) {
    engine.docker(["import", "-", EMPTY_IMAGE], tarArchive([]));
    return {
      socket: engine.socket,
      docker: (...words) => engine.docker(words),
      restart: () => engine.restart(),
      stop: () => engine.stop(),
    };
  }
  await engine.stop();
  return failure;
}

class Engine {
  readonly socket: string;
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #lines: Interface;

  constructor(folder: string) {
    this.#folder = folder;
    this.socket = `unix://${folder}/docker.sock`;
    // What a container leaves behind is reaped: as process 1 of a container this machine may have no init.
    const words = ["--mount", REAPER, "-s", "--", "sh", SCRIPT, folder, `/${basename(folder)}`];
    const child = spawn(UNSHARE, words, { stdio: ["pipe", "pipe", "ignore"] });
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout });
  }

  /** Waits for `ready`; otherwise why it is not. */
  heard(): Promise<string | undefined> {
    return new Promise((done) => {
      const ended = (): void => done("its mount namespace cannot be made here");
      const hear = (line: string): void => {
        if (line !== "ready" && !line.startsWith("failed")) return;
        this.#lines.off("line", hear).off("close", ended);
        done(line === "ready" ? undefined : line.slice("failed ".length));
      };
      this.#lines.on("line", hear).once("close", ended);
    });
  }

  docker(words: readonly string[], input?: Buffer): string {
    const { status, stdout, stderr } = spawnSync("docker", words, {
      encoding: "utf8",
      ...(input === undefined ? {} : { input }),
      env: {
        PATH: process.env["PATH"],
        DOCKER_HOST: this.socket,
        DOCKER_CONFIG: join(this.#folder, "client"),
      },
    });
    if (status !== 0) throw new Error(`docker ${words.join(" ")}: ${stderr}`);
    return stdout.trim();
  }

  async restart(): Promise<void> {
    this.#child.stdin?.write("restart\n");
    const failure = await this.heard();
    if (failure !== undefined) throw new Error(failure);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.stdin?.end();
      await once(this.#child, "exit");
    }
    removeCgroups(basename(this.#folder));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
