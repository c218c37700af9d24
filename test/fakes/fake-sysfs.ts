import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import {
  chmodSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

export interface FakeFunction {
  readonly vendor?: string;
  readonly device?: string;
  readonly class: string;
  readonly group: number;
  readonly driver?: string;
  readonly override?: string;
  readonly bootVga?: "0" | "1";
  readonly power?: string;
  /** The bridge above a card: has a bus behind it and stays with the host. */
  readonly bridge?: boolean;
  /** Driver that takes the function when nothing is overridden. */
  readonly native?: string;
}

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const DRIVERS = ["nvidia", "snd_hda_intel", "vfio-pci", "nouveau"] as const;
const ALIVE = Buffer.from([0xde, 0x10, 0x85, 0x2b]);

/**
 * A /sys, /proc and /dev of plain files in a folder of its own. `unbind`, `bind` and `drivers_probe` are named pipes,
 * and what the kernel would do on a write is done by whoever reads them here.
 */
export class FakeSysfs {
  readonly root = mkdtempSync(join(tmpdir(), "omni-switch-"));
  readonly sys = join(this.root, "sys");
  readonly proc = join(this.root, "proc");
  readonly dev = join(this.root, "dev");
  readonly run = join(this.root, "run");
  /** What was written where, in order: `unbind nvidia 0000:f1:00.0`. */
  readonly writes: string[] = [];
  /** Drivers that a function gets on its next probes, whatever is overridden; empty for none. */
  readonly probeGives = new Map<string, string[]>();
  /** Functions whose `bind` to vfio-pci the kernel refuses to act on. */
  readonly bindFails = new Set<string>();
  private readonly native = new Map<string, string>();
  private readonly pipes = new Map<string, Socket>();

  /** A machine without any card. A pipe that nobody reads holds its writer as a driver that does not let go would. */
  static async make(pipeNobodyReads?: string): Promise<FakeSysfs> {
    const fake = new FakeSysfs();
    const paths = [...fake.actions.keys()].map((path) => join(fake.sys, "bus/pci", path));
    await promisify(execFile)("mkfifo", paths);
    for (const [path, act] of fake.actions) if (path !== pipeNobodyReads) fake.answer(path, act);
    return fake;
  }

  private readonly actions = new Map<string, (fn: string) => void>();

  private constructor() {
    for (const folder of ["sys/class/iommu", "sys/bus/pci/devices", "sys/kernel/iommu_groups", "run", "bin"])
      mkdirSync(join(this.root, folder), { recursive: true });
    mkdirSync(join(this.sys, "class/iommu/ivhd0"));
    for (const driver of DRIVERS) {
      mkdirSync(join(this.sys, "bus/pci/drivers", driver), { recursive: true });
      this.actions.set(`drivers/${driver}/bind`, (fn) => this.bind(fn, driver));
      this.actions.set(`drivers/${driver}/unbind`, (fn) => this.unbind(fn, driver));
    }
    this.actions.set("drivers_probe", (fn) => this.probe(fn));
    this.process(1, "systemd", "S", []);
  }

  /** Path of a file below a PCI function. */
  at = (fn: string, ...rest: string[]): string => join(this.sys, "bus/pci/devices", fn, ...rest);

  add(fn: string, about: FakeFunction): void {
    const at = this.at(fn);
    mkdirSync(join(at, "power"), { recursive: true });
    const files = {
      vendor: about.vendor ?? "0x10de",
      device: about.device ?? "0x2b85",
      class: about.class,
      driver_override: about.override ?? "(null)",
      power_state: about.power ?? "D0",
      d3cold_allowed: "1",
      "power/control": "auto",
      ...(about.bootVga === undefined ? {} : { boot_vga: about.bootVga }),
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(at, name), `${text}\n`);
    writeFileSync(join(at, "config"), Buffer.concat([ALIVE, Buffer.alloc(60)]));
    if (about.bridge === true) mkdirSync(join(at, "pci_bus/0000:f1"), { recursive: true });
    const group = join(this.sys, "kernel/iommu_groups", String(about.group));
    mkdirSync(join(group, "devices"), { recursive: true });
    symlinkSync(group, join(at, "iommu_group"));
    symlinkSync(at, join(group, "devices", fn));
    if (about.native !== undefined) this.native.set(fn, about.native);
    if (about.driver !== undefined) this.attach(fn, about.driver);
  }

  /** A card with display and audio function in a group of their own. */
  card(slot: string, group: number, driver: "host" | "vfio-pci", display: Partial<FakeFunction> = {}): void {
    const drivers = driver === "host" ? ["nvidia", "snd_hda_intel"] : ["vfio-pci", "vfio-pci"];
    const override = driver === "host" ? {} : { override: "vfio-pci" };
    const video = { class: "0x030000", bootVga: "0", native: "nvidia", driver: drivers[0] ?? "" } as const;
    const audio = { class: "0x040300", device: "0x22e8", native: "snd_hda_intel", driver: drivers[1] ?? "" };
    this.add(`${slot}.0`, { ...video, group, ...override, ...display });
    this.add(`${slot}.1`, { ...audio, group, ...override });
    const nvidia = join(this.proc, "driver/nvidia/gpus", `${slot}.0`);
    mkdirSync(nvidia, { recursive: true });
    writeFileSync(join(nvidia, "information"), `Model: \t\t Fake\nDevice Minor: \t ${group}\n`);
    writeFileSync(join(nvidia, "unbindLock"), "0\n");
  }

  /** A process with open files below /dev (or anywhere, by an absolute path). */
  process(pid: number, name: string, state: string, nodes: readonly string[]): void {
    const folder = join(this.proc, String(pid));
    mkdirSync(join(folder, "fd"), { recursive: true });
    writeFileSync(join(folder, "status"), `Name:\t${name}\nUmask:\t0022\nState:\t${state} (as it is)\n`);
    nodes.forEach((node, fd) => {
      symlinkSync(node.startsWith("/") ? node : join(this.dev, node), join(folder, "fd", String(fd)));
    });
  }

  driverOf(fn: string): string | undefined {
    const link = this.at(fn, "driver");
    return isLink(link) ? readlinkSync(link).split("/").at(-1) : undefined;
  }

  read = (fn: string, file: string): string => readFileSync(this.at(fn, file), "utf8").trim();

  /** A command that the script finds before the system's own. */
  command(name: string, body: string): void {
    const path = join(this.root, "bin", name);
    writeFileSync(path, `#!/bin/sh\n${body}\n`);
    chmodSync(path, 0o755);
  }

  /** Runs the script to its end; `saw` and `heard` get all that it has said on stderr and stdout so far. */
  async start(
    script: string,
    args: readonly string[],
    {
      shell = "sh",
      patience = "20",
      saw,
      heard,
    }: {
      shell?: string;
      patience?: string;
      saw?: (err: string) => void;
      heard?: (out: string, child: ChildProcess) => void;
    } = {},
  ): Promise<Outcome> {
    const file = join(this.root, "omni-switch");
    writeFileSync(file, script);
    const child = spawn(shell, [file, ...args], {
      env: {
        PATH: `${join(this.root, "bin")}:${process.env["PATH"] ?? ""}`,
        OMNI_SYSFS: this.sys,
        OMNI_PROC: this.proc,
        OMNI_DEV: this.dev,
        OMNI_RUNTIME: this.run,
        OMNI_PATIENCE: patience,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      heard?.(out, child);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
      saw?.(err);
    });
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, out, err }));
    return promise;
  }

  /** Reads a pipe that nobody read so far, so that a writer that hangs in it comes back. */
  release(path: string): void {
    this.listen(join(this.sys, "bus/pci", path), () => undefined);
  }

  remove(): void {
    for (const socket of this.pipes.values()) socket.destroy();
    rmSync(this.root, { recursive: true, force: true });
  }

  private answer(path: string, act: (fn: string) => void): void {
    const words = path.split("/");
    this.listen(join(this.sys, "bus/pci", path), (fn) => {
      this.writes.push([words.at(-1), ...words.slice(1, -1), fn].join(" "));
      act(fn);
    });
  }

  private listen(file: string, heard: (line: string) => void): void {
    // Read and write at once: the pipe then neither waits for a writer nor ends with one.
    const socket = new Socket({
      fd: openSync(file, constants.O_RDWR | constants.O_NONBLOCK),
      readable: true,
    });
    let text = "";
    socket.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) heard(line);
    });
    this.pipes.set(file, socket);
  }

  private attach(fn: string, driver: string): void {
    const folder = join(this.sys, "bus/pci/drivers", driver);
    if (this.driverOf(fn) !== undefined || !existsSync(folder)) return;
    symlinkSync(this.at(fn), join(folder, fn));
    const link = this.at(fn, "driver");
    symlinkSync(folder, `${link}.new`);
    renameSync(`${link}.new`, link);
  }

  private unbind(fn: string, driver: string): void {
    if (this.driverOf(fn) !== driver) return;
    unlinkSync(join(this.sys, "bus/pci/drivers", driver, fn));
    unlinkSync(this.at(fn, "driver"));
    if (driver === "nvidia") rmSync(dirname(this.lockOf(fn)), { recursive: true, force: true });
  }

  private bind(fn: string, driver: string): void {
    if (driver === "vfio-pci" && this.bindFails.has(fn)) return;
    const override = this.read(fn, "driver_override");
    if (override === driver || this.native.get(fn) === driver) this.attach(fn, driver);
  }

  private probe(fn: string): void {
    const override = this.read(fn, "driver_override");
    const kept = override === "" || override === "(null)" ? undefined : override;
    const driver = this.probeGives.get(fn)?.shift() ?? kept ?? this.native.get(fn);
    if (driver !== undefined && driver !== "") this.attach(fn, driver);
  }

  lockOf = (fn: string): string => join(this.proc, "driver/nvidia/gpus", fn, "unbindLock");
}

const isLink = (path: string): boolean => {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
};
