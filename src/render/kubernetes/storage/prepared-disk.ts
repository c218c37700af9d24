import type { Diagnostic } from "../../../core/index.ts";
import type { Host } from "../../../deployment/index.ts";

/** Alpine with util-linux, xfsprogs and e2fsprogs. Source: openebs/linux-utils dockerfiles/linux-utils/Dockerfile. */
export const DISK_IMAGE = "docker.io/openebs/linux-utils:4.3.0";

/** What mkfs takes as a label: 12 characters for XFS, 16 for ext4. */
const LABEL = 12;

/** The label that the file system of a disk gets. */
export const labelOf = (name: string): string => `omni-${name}`.slice(0, LABEL).replace(/-+$/, "");

/** A disk that a pod prepares, and the node that has it where that is known. */
export interface PreparedDisk {
  readonly name: string;
  readonly disk: NonNullable<Host["disks"]>[string];
  readonly host: string;
  /** Path in omni.yaml. */
  readonly path: string;
  readonly node: string | undefined;
}

/** A kernel name is no identity: it can be another disk's at the next boot. */
export const isIdentified = ({ disk }: PreparedDisk): boolean =>
  disk.serial !== undefined || disk.wwn !== undefined || disk.byId !== undefined;

/** Where the disk is mounted, where that lies in a folder that a pod can be given; the root of the node is none. */
export const mountOf = ({ disk }: PreparedDisk): string | undefined =>
  disk.mount !== undefined && disk.mount.lastIndexOf("/") > 0 ? disk.mount : undefined;

/** What an owner should know of a disk that a pod prepares. */
export const diskDiagnostics = (prepared: PreparedDisk, onTalos: boolean): readonly Diagnostic[] => [
  ...withoutMount(prepared),
  ...withoutIdentity(prepared),
  ...withoutTool(prepared),
  ...withoutNode(prepared),
  {
    code: "render.not-applicable",
    severity: "warning",
    path: `${prepared.path}.prepare`,
    message: `A disk that a pod mounts is not mounted after a reboot of the node, and downloads would then fill the system partition under ${prepared.disk.mount ?? "the same path"}; Omni's download refuses that, others do not.`,
    hint: onTalos ? "prepare: user-volume" : "prepare: host",
    source: "siderolabs/talos v1.12 UserVolumeConfig",
  },
];

function withoutMount(prepared: PreparedDisk): Diagnostic[] {
  if (mountOf(prepared) !== undefined) return [];
  const { name, disk, path } = prepared;
  const why =
    disk.mount === undefined
      ? "nothing says where it is mounted"
      : `${disk.mount} has no folder above it that a pod could be given`;
  return [
    {
      code: "render.needs-value",
      severity: "error",
      path: `${path}.mount`,
      message: `${name} is to be prepared by a pod, and ${why}; no Job is rendered.`,
      hint: "mount: /var/mnt/data",
    },
  ];
}

function withoutIdentity(prepared: PreparedDisk): Diagnostic[] {
  const { name, disk, path } = prepared;
  if (disk.format !== "if-blank" || isIdentified(prepared)) return [];
  return [
    {
      code: "render.needs-value",
      severity: "warning",
      path,
      message: `Of ${name} only the kernel name ${disk.device ?? "is missing too"} is known, which can be another disk's at the next boot: the Job mounts a file system that is there and never makes one.`,
      hint: 'serial: "…"   # lsblk -dno NAME,SERIAL on the node',
    },
  ];
}

function withoutTool({ name, disk, path }: PreparedDisk): Diagnostic[] {
  if (disk.filesystem !== "zfs" && disk.filesystem !== "btrfs") return [];
  return [
    {
      code: "render.not-applicable",
      severity: "error",
      path: `${path}.filesystem`,
      message: `${DISK_IMAGE} has no tools for ${disk.filesystem}, so the Job refuses ${name}.`,
      hint: "filesystem: xfs, or prepare: host",
    },
  ];
}

function withoutNode({ name, node }: PreparedDisk): Diagnostic[] {
  if (node !== undefined) return [];
  return [
    {
      code: "render.needs-value",
      severity: "warning",
      path: "guest.kubernetes.nodes",
      message: `Nothing says which node has the disk ${name}; its Job runs on whichever the scheduler takes, and refuses where no disk has the identity.`,
      hint: "guest.kubernetes.nodes: { NODE: { machine: … } }, or runtime.kubernetes.nodeName",
    },
  ];
}
