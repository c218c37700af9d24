import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Artifact } from "../../src/render/artifact.ts";

/** Each fake program writes down how it was called, and fails where the test says so. */
const HEAD = `#!/bin/sh
call="\${0##*/} $*"
printf '%s\\n' "$call" >>"$FAKE/calls"
if [ -f "$FAKE/fail" ] && printf '%s' "$call" | grep -qE -- "$(cat "$FAKE/fail")"; then exit 1; fi
`;

const QM = `
verb=$1 id=$2
conf=$FAKE/vm-$id.conf
put() {
  value=$2
  case $1 in
  net*) case \${value%%,*} in *=*) ;; *) value="\${value%%,*}=BC:24:11:00:00:0\${1#net},\${value#*,}" ;; esac ;;
  efidisk*|scsi*|virtio*|sata*) case $value in /dev/*) ;; *:*) n=$(grep -c 'vm-.*-disk-' "$conf"); value="\${value%%:*}:vm-$id-disk-$n,size=\${value#*:}"; case $2 in *,*) ;; *) value=\${value}G ;; esac ;; esac ;;
  hostpci*|numa[0-9]*) value=$(printf '%s' "$value" | tr ',' '\\n' | sort -r | tr '\\n' ',' | sed 's/,$//') ;;
  esac
  grep -v "^$1: " "$conf" >"$conf.new"
  printf '%s: %s\\n' "$1" "$value" >>"$conf.new"
  mv "$conf.new" "$conf"
}
case $verb in
config) cat "$conf" 2>/dev/null || exit 2 ;;
create) [ ! -f "$conf" ] || exit 2; : >"$conf"; shift 2; while [ $# -gt 0 ]; do [ "$1" = --description ] || put "\${1#--}" "$2"; shift 2; done ;;
set) [ -f "$conf" ] || exit 2; shift 2; while [ $# -gt 0 ]; do put "\${1#--}" "$2"; shift 2; done ;;
status) if [ -f "$FAKE/running-$id" ]; then echo 'status: running'; else echo 'status: stopped'; fi ;;
start) : >"$FAKE/running-$id" ;;
esac
`;

const PVESH = `
case $1 in
get) cat "$FAKE/mapping-\${2##*/}" 2>/dev/null || exit 2 ;;
create) shift 2; printf '{"id":"%s","map":["%s"]}' "$2" "$4" >"$FAKE/mapping-$2" ;;
set) name=\${2##*/}; shift 2; list=''; while [ $# -gt 0 ]; do list="\${list:+$list,}\\"$2\\""; shift 2; done; printf '{"map":[%s]}' "$list" >"$FAKE/mapping-$name" ;;
esac
`;

const PROGRAMS: Readonly<Record<string, string>> = {
  id: `echo "\${FAKE_UID:-0}"`,
  pveversion: "echo 'pve-manager/9.1.1/42db4a6cf33dac83 (running kernel: 6.17.2-1-pve)'",
  hostname: `case $* in -I) echo '192.168.3.10 10.0.0.1 ' ;; *) echo pve ;; esac`,
  "proxmox-boot-tool": `case $1 in status) cat "$FAKE/boot-status" ;; kernel) mkdir -p "$OMNI_ROOT/etc/kernel"; printf '%s\\n' "$3" >"$OMNI_ROOT/etc/kernel/proxmox-boot-pin" ;; esac`,
  "update-grub": "",
  "update-initramfs": "",
  "dpkg-query": `grep -qx -- "$4" "$FAKE/packages" 2>/dev/null && printf 'install ok installed'`,
  "apt-get": `printf '%s\\n' "$4" >>"$FAKE/packages"; mkdir -p "$OMNI_ROOT/boot"; : >"$OMNI_ROOT/boot/vmlinuz-6.8.12-13-pve"`,
  qm: QM,
  pct: "exit 2",
  pvesh: PVESH,
  pvesm: `cat "$FAKE/storages"`,
  lsblk: `cat "$FAKE/mounted" 2>/dev/null || true`,
};

/** A finished run of a script. */
export interface ScriptRun {
  readonly status: number | null;
  readonly output: string;
  /** Calls of this run that change something, in order. */
  readonly calls: readonly string[];
}

/** A folder that stands for a Proxmox host, with fake programs that keep what they are told; a resource for `using`. */
export class ProxmoxMachine implements Disposable {
  readonly root: string;
  readonly #base: string;

  /** `real` are programs that this machine's own stand for. */
  constructor({
    status = "1A2B-3C4D is configured with: grub (versions: 6.17.2-1-pve)",
    real = new Set<string>(),
  } = {}) {
    this.#base = mkdtempSync(join(tmpdir(), "omni-proxmox-"));
    this.root = join(this.#base, "root");
    for (const [name, body] of Object.entries(PROGRAMS)) {
      if (real.has(name)) continue;
      this.program(name, body);
    }
    this.fake("boot-status", `System currently booted with uefi\n${status}\n`);
    this.fake(
      "storages",
      "Name  Type  Status  Total Used Available %\nlocal-zfs  zfspool  active  100 10 90 10%\nold  dir  disabled  0 0 0 0%\n",
    );
    this.put("etc/kernel/cmdline", "root=ZFS=rpool/ROOT/pve-1 boot=zfs quiet\n");
    this.put("etc/default/grub", 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n');
  }

  /** Folder of its programs. */
  get programs(): string {
    return join(this.#base, "bin");
  }

  /** What its programs and the scripts have to find in their environment. */
  get environment(): Readonly<Record<string, string>> {
    return { FAKE: join(this.#base, "fake"), OMNI_ROOT: this.root };
  }

  /** Adds a program. */
  program(name: string, body: string): void {
    this.#write(`bin/${name}`, `${HEAD}${body}\n`);
    chmodSync(join(this.programs, name), 0o755);
  }

  /** Writes a file of the host. */
  put(path: string, text: string): void {
    this.#write(join("root", path), text);
  }

  remove(path: string): void {
    rmSync(join(this.root, path));
  }

  /** Writes a file of the fake programs: boot-status, packages, storages, fail, mapping-ID, vm-ID.conf, running-ID, mounted. */
  fake(name: string, text: string): void {
    this.#write(join("fake", name), text);
  }

  /** A file of the fake programs; empty where there is none. */
  told(name: string): string {
    return readText(join(this.#base, "fake", name));
  }

  heal(): void {
    rmSync(join(this.#base, "fake/fail"), { force: true });
  }

  /** A file of the host; empty where there is none. */
  read(path: string): string {
    return readText(join(this.root, path));
  }

  /** A PCI function in sysfs. */
  device(address: string, id: string, group: number, klass = "0x030000"): void {
    const folder = `sys/bus/pci/devices/${address}`;
    const [vendor = "", device = ""] = id.split(":");
    const facts = { vendor, device, class: klass, subsystem_vendor: vendor, subsystem_device: "0001" };
    for (const [name, value] of Object.entries(facts))
      this.put(`${folder}/${name}`, `${value.startsWith("0x") ? "" : "0x"}${value}\n`);
    mkdirSync(join(this.root, "sys/kernel/iommu_groups", String(group)), { recursive: true });
    symlinkSync(
      join(this.root, "sys/kernel/iommu_groups", String(group)),
      join(this.root, folder, "iommu_group"),
    );
  }

  /** Lays rendered files down as their owner would copy them, and returns the folder. */
  copy(artifacts: readonly Artifact[], host: string): string {
    const folder = join(this.#base, "copied");
    rmSync(folder, { recursive: true, force: true });
    for (const { path, content, mode } of artifacts) {
      const relative = path.slice(`proxmox/${host}/`.length);
      this.#write(join("copied", relative), content);
      chmodSync(join(folder, relative), mode);
    }
    return folder;
  }

  run(
    script: string,
    argumentsList: readonly string[] = [],
    environment: Record<string, string> = {},
  ): ScriptRun {
    this.#write("fake/calls", "");
    const { status, stdout, stderr } = spawnSync(
      "sh",
      [join(this.#base, "copied", script), ...argumentsList],
      {
        encoding: "utf8",
        env: {
          PATH: `${this.programs}:/usr/bin:/bin`,
          ...this.environment,
          TMPDIR: this.#base,
          LC_ALL: "C.UTF-8",
          ...environment,
        },
      },
    );
    const calls = this.told("calls")
      .split("\n")
      .filter((call) => CHANGING.test(call));
    return { status, output: stdout + stderr, calls };
  }

  /** All files of the host with their text, for comparing before and after. */
  snapshot(): Readonly<Record<string, string>> {
    const files = readdirSync(this.root, { recursive: true, withFileTypes: true }).filter((file) =>
      file.isFile(),
    );
    return Object.fromEntries(
      files.map(({ parentPath, name }) => [join(parentPath, name), readText(join(parentPath, name))]),
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.#base, { recursive: true, force: true });
  }

  #write(path: string, text: string): void {
    const file = join(this.#base, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

const CHANGING =
  /^(?:update-|apt-get|proxmox-boot-tool (?:kernel|refresh)|qm (?:create|set|start)|pvesh (?:create|set))/;

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
