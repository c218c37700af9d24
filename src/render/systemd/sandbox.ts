import { unitPath } from "../escape/systemd.ts";
import type { UnitLine } from "./unit.ts";

export interface Sandbox {
  /** Cards are used: their device nodes are shown. */
  readonly gpu: boolean;
  /** Paths of the node that are only read, and those that are written, from the root. */
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** Folders shown elsewhere than where they are. */
  readonly bound: readonly { readonly from: string; readonly to: string; readonly readOnly: boolean }[];
  /** Homes may be read: what it starts from may lie in one. */
  readonly homes?: boolean;
  /** Nothing but this machine may be reached. */
  readonly sealed: boolean;
  /** System calls may be filtered: known engines on the processor alone. */
  readonly filtered: boolean;
  /** Place in omni.yaml that errors name. */
  readonly at: string;
}

const HOMES = /^\/(?:home|root|run\/user)(?:\/|$)/;

/** Whether a path lies where ProtectHome= shows nothing. */
export const inHome = (path: string): boolean => HOMES.test(path);

/** Hardening of `[Service]` (systemd.exec(5), systemd.resource-control(5)). */
export function sandboxLines(sandbox: Sandbox): readonly UnitLine[] {
  const { at, read, write, bound } = sandbox;
  const inHomes =
    sandbox.homes === true || [...read, ...write, ...bound.map(({ from }) => from)].some(inHome);
  return [
    ["NoNewPrivileges", "yes"],
    ["CapabilityBoundingSet", ""],
    ["UMask", "0077"],
    {
      comment:
        "The whole file system is read-only to it, except for its state folder and what is listed here.",
    },
    ["ProtectSystem", "strict"],
    ["ProtectHome", inHomes ? "read-only" : "yes"],
    ["PrivateTmp", "yes"],
    ...read.map((path): UnitLine => ["ReadOnlyPaths", unitPath(path, at)]),
    ...write.map((path): UnitLine => ["ReadWritePaths", unitPath(path, at)]),
    ...bound.map(({ from, to, readOnly }): UnitLine => [
      readOnly ? "BindReadOnlyPaths" : "BindPaths",
      `${unitPath(from, at)}:${unitPath(to, at)}`,
    ]),
    ...deviceLines(sandbox.gpu),
    ["ProtectKernelTunables", "yes"],
    ["ProtectKernelModules", "yes"],
    ["ProtectKernelLogs", "yes"],
    ["ProtectControlGroups", "yes"],
    ["ProtectClock", "yes"],
    ["ProtectHostname", "yes"],
    ["ProtectProc", "invisible"],
    ["RestrictNamespaces", "yes"],
    ["RestrictRealtime", "yes"],
    ["RestrictSUIDSGID", "yes"],
    ["LockPersonality", "yes"],
    ["SystemCallArchitectures", "native"],
    { comment: "AF_NETLINK is how libc lists network interfaces." },
    ["RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK"],
    ...(sandbox.filtered
      ? ([
          ["SystemCallFilter", "@system-service"],
          ["SystemCallErrorNumber", "EPERM"],
        ] as const)
      : []),
    {
      comment:
        "No MemoryDenyWriteExecute: code that is compiled while it runs (CUDA, Python, Node) needs such memory.",
    },
    ...(sandbox.sealed
      ? ([
          { comment: "Its networks are closed, so it reaches this machine and nothing else." },
          ["IPAddressDeny", "any"],
          ["IPAddressAllow", "localhost"],
        ] as const)
      : []),
  ];
}

const deviceLines = (gpu: boolean): readonly UnitLine[] =>
  gpu
    ? [
        {
          comment:
            "Nodes of the NVIDIA driver by their names in /proc/devices; CUDA_VISIBLE_DEVICES tells the card.",
        },
        ["DevicePolicy", "closed"],
        ["DeviceAllow", "char-nvidia* rw"],
      ]
    : [["PrivateDevices", "yes"]];
