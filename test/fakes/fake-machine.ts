/**
 * Machines that are not here: trees of /proc, /sys and /dev in a temporary folder, and programs that answer as
 * nvidia-smi does.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";

export interface FakeMachine {
  /** Stands for `/`; ends with a slash. */
  readonly root: string;
  files(files: Readonly<Record<string, string>>): void;
  /** Both paths below the root. */
  link(path: string, target: string): void;
  /** Writes an executable and returns its path. */
  program(name: string, text: string): string;
  remove(): void;
}

export function fakeMachine(): FakeMachine {
  const root = `${mkdtempSync(join(tmpdir(), "omni-machine-"))}/`;
  const prepared = (path: string): string => {
    mkdirSync(dirname(root + path), { recursive: true });
    return root + path;
  };
  return {
    root,
    files: (files) => {
      for (const [path, text] of Object.entries(files)) writeFileSync(prepared(path), text);
    },
    link: (path, target) => symlinkSync(relative(dirname(prepared(path)), root + target), root + path),
    program: (name, text) => {
      const path = prepared(`bin/${name}`);
      writeFileSync(path, text);
      chmodSync(path, 0o755);
      return path;
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

export interface FakeProcessor {
  readonly model: string;
  readonly sockets: number;
  readonly coresPerSocket: number;
  readonly nodesPerSocket: number;
  readonly gibPerNode: number;
}

/** A processor with two threads a core, numbered as Linux does: all first threads, then all second ones. */
export function addProcessor(machine: FakeMachine, cpu: FakeProcessor): void {
  const cores = cpu.sockets * cpu.coresPerSocket;
  const nodes = cpu.sockets * cpu.nodesPerSocket;
  const perNode = cores / nodes;
  const kibibytes = cpu.gibPerNode * 2 ** 20;
  const files: Record<string, string> = {
    "proc/cpuinfo": `processor\t: 0\nmodel name\t: ${cpu.model}\nflags\t\t: fpu avx2 avx512f amx_tile\n\n`,
    "proc/meminfo": `MemTotal: ${nodes * kibibytes} kB\nMemAvailable: ${nodes * kibibytes - 2 ** 20} kB\n`,
    "proc/self/status": `Cpus_allowed_list:\t0-${cores * 2 - 1}\n`,
    "proc/sys/kernel/hostname": "fake\n",
    "sys/devices/system/cpu/online": `0-${cores * 2 - 1}\n`,
  };
  for (let core = 0; core < cores; core++) {
    const node = Math.floor(core / perNode);
    const group = `${node * perNode}-${(node + 1) * perNode - 1}`;
    for (const thread of [core, core + cores]) {
      const folder = `sys/devices/system/cpu/cpu${thread}`;
      files[`${folder}/topology/physical_package_id`] = `${Math.floor(core / cpu.coresPerSocket)}\n`;
      files[`${folder}/topology/core_id`] = `${core % cpu.coresPerSocket}\n`;
      files[`${folder}/topology/thread_siblings_list`] = `${core},${core + cores}\n`;
      for (const [index, level, type, size, shared] of [
        [0, 1, "Data", "32K", `${core},${core + cores}`],
        [1, 1, "Instruction", "32K", `${core},${core + cores}`],
        [2, 2, "Unified", "1024K", `${core},${core + cores}`],
        [3, 3, "Unified", "32768K", group],
      ] as const) {
        const cache = `${folder}/cache/index${index}`;
        files[`${cache}/level`] = `${level}\n`;
        files[`${cache}/type`] = `${type}\n`;
        files[`${cache}/size`] = `${size}\n`;
        files[`${cache}/shared_cpu_list`] = `${shared}\n`;
      }
    }
    files[`sys/devices/system/node/node${node}/cpulist`] = `${group}\n`;
    files[`sys/devices/system/node/node${node}/meminfo`] = `Node ${node} MemTotal:       ${kibibytes} kB\n`;
  }
  machine.files(files);
}

export interface FakeCard {
  readonly pci: string;
  /** `10de:2b85`. */
  readonly id: string;
  readonly driver?: string;
  readonly numaNode?: number;
  readonly lanes?: number;
  /** GT/s of the port that the card hangs on. */
  readonly portSpeed?: string;
  readonly class?: string;
}

/** A card on the bus, behind a port of its own. */
export function addCard(machine: FakeMachine, card: FakeCard): void {
  const [vendor = "", device = ""] = card.id.split(":");
  const port = `sys/devices/pci0000:00/port-${card.pci}`;
  const folder = `${port}/${card.pci}`;
  machine.files({
    [`${port}/max_link_speed`]: `${card.portSpeed ?? "32.0 GT/s PCIe"}\n`,
    [`${folder}/vendor`]: `0x${vendor}\n`,
    [`${folder}/device`]: `0x${device}\n`,
    [`${folder}/class`]: `${card.class ?? "0x030000"}\n`,
    [`${folder}/numa_node`]: `${card.numaNode ?? -1}\n`,
    [`${folder}/current_link_speed`]: "2.5 GT/s PCIe\n",
    [`${folder}/max_link_speed`]: "32.0 GT/s PCIe\n",
    [`${folder}/current_link_width`]: `${card.lanes ?? 16}\n`,
  });
  if (card.driver !== undefined) machine.link(`${folder}/driver`, `sys/bus/pci/drivers/${card.driver}`);
  machine.link(`sys/bus/pci/devices/${card.pci}`, folder);
}

export interface FakeSmi {
  /** What each card answers by field; a field that a card lacks is `[N/A]`. */
  readonly cards: readonly Readonly<Record<string, string>>[];
  /** Fields that this driver does not know yet. */
  readonly unknown?: readonly string[];
  readonly banner?: string;
}

/** Installs a program that answers queries as nvidia-smi does, and returns its path. */
export function addNvidiaSmi(machine: FakeMachine, { cards, unknown = [], banner = "" }: FakeSmi): string {
  return machine.program(
    "nvidia-smi",
    `#!${process.execPath}
const query = process.argv[2]?.match(/^--query-gpu=(.*)$/);
if (query === null || query === undefined) {
  console.log(${JSON.stringify(banner)});
  process.exit(0);
}
const fields = query[1].split(",");
const refused = fields.find((field) => ${JSON.stringify(unknown)}.includes(field));
if (refused !== undefined) {
  console.log(\`Field "\${refused}" is not a valid field to query.\\n\`);
  process.exit(2);
}
for (const card of ${JSON.stringify(cards)}) console.log(fields.map((field) => card[field] ?? "[N/A]").join(", "));
`,
  );
}
