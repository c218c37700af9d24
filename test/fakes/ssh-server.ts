import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../src/runtimes/free-port.ts";

const SSHD = "/usr/sbin/sshd";

/** Why there is no SSH server to test with; `undefined` when there is one. */
export function noSshServer(): string | undefined {
  if (process.getuid?.() !== 0) return "sshd needs root to let somebody in";
  return existsSync(SSHD) ? undefined : "openssh-server is not installed";
}

export interface SshServerOptions {
  /** Folder of programs that its commands find first. */
  readonly programs?: string;
  /** Set for all its commands. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Further lines of sshd_config. */
  readonly config?: readonly string[];
}

/** Debian's sshd on a port of the loopback, with keys of its own; a resource for `await using`. */
export interface SshServer extends AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  /** `root@127.0.0.1:PORT`. */
  readonly destination: string;
  /** Private key that it lets in. */
  readonly identity: string;
  /** Its key as a client knows it. */
  readonly knownHosts: string;
  /** Cuts all connections, as a cable that is pulled; what runs in them goes on or ends as its pipes do. */
  cut(): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Shows another key from the next start on; the known one stays as it is. */
  changeHostKey(): void;
  /** Process ids of its connections. */
  sessions(): readonly number[];
}

export async function startSshServer(options: SshServerOptions = {}): Promise<SshServer> {
  const folder = mkdtempSync(join(tmpdir(), "omni-sshd-"));
  const port = await freePort();
  const file = (name: string): string => join(folder, name);
  const makeKey = (name: string): void => {
    for (const path of [file(name), file(`${name}.pub`)]) rmSync(path, { force: true });
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file(name)]);
  };
  makeKey("host_key");
  makeKey("identity");
  writeFileSync(file("authorized_keys"), readFileSync(file("identity.pub")));
  const [type, key] = readFileSync(file("host_key.pub"), "utf8").split(" ");
  writeFileSync(file("known_hosts"), `[127.0.0.1]:${port} ${type} ${key}\n`);
  writeFileSync(file("sshd_config"), configuration(folder, port, options));
  // Its folder for privilege separation, which the service would make.
  mkdirSync("/run/sshd", { recursive: true });
  chmodSync(folder, 0o755);

  let server: ChildProcess | undefined;
  const sessions = (): readonly number[] => (server?.pid === undefined ? [] : childrenOf(server.pid));
  const cut = async (): Promise<void> => {
    const ended = sessions();
    for (const pid of ended) kill(pid);
    while (ended.some((pid) => existsSync(`/proc/${pid}`))) await sleep(5);
  };
  const stop = async (): Promise<void> => {
    const child = server;
    if (child === undefined) return;
    await cut();
    server = undefined;
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  };
  const start = async (): Promise<void> => {
    // It ends with the process that started it, however that ends.
    const words = ["--pdeathsig", "KILL", SSHD, "-D", "-e", "-f", file("sshd_config")];
    const child = spawn("setpriv", words, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-2000)));
    server = child;
    while (!(await answers(port))) {
      if (child.exitCode !== null) throw new Error(`sshd ended: ${said}`);
      await sleep(10);
    }
  };
  await start();
  return {
    folder,
    port,
    destination: `${userInfo().username}@127.0.0.1:${port}`,
    identity: file("identity"),
    knownHosts: file("known_hosts"),
    cut,
    stop,
    start,
    changeHostKey: () => makeKey("host_key"),
    sessions,
    [Symbol.asyncDispose]: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configuration(folder: string, port: number, options: SshServerOptions): string {
  const path = [...(options.programs === undefined ? [] : [options.programs]), process.env["PATH"] ?? ""];
  // A home without the settings of whoever runs the tests.
  const environment = Object.entries({ PATH: path.join(":"), HOME: folder, ...options.environment });
  return [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${folder}/host_key`,
    `AuthorizedKeysFile ${folder}/authorized_keys`,
    "PidFile none",
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "PermitRootLogin prohibit-password",
    "PrintLastLog no",
    "UseDNS no",
    `SetEnv ${environment.map(([name, value]) => `"${name}=${value}"`).join(" ")}`,
    ...(options.config ?? []),
    "",
  ].join("\n");
}

/** Source: /proc/PID/task/PID/children. */
function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", () => resolve(false));
    socket.once("data", () => {
      socket.destroy();
      resolve(true);
    });
  });
