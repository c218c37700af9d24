import { OmniError } from "../../core/index.ts";
import type { DeployedService } from "../../deployment/index.ts";
import { unitRestPath } from "../escape/systemd.ts";
import type { UnitLine } from "./unit.ts";
import { wholeLogFolder } from "./whole-path.ts";

/** The user of all engines, or one that systemd makes up for each; a state folder of its own as home either way. */
export function userLines(user: string | undefined, unit: string): readonly UnitLine[] {
  if (user !== undefined && !/^[A-Za-z_][A-Za-z0-9_.-]{0,30}$/.test(user)) {
    throw new OmniError(
      "render.unrepresentable",
      `runtime.process.user: ${JSON.stringify(user)} is no name of a user to systemd.`,
      { hint: "Letters, digits, _ . and -, at most 31." },
    );
  }
  return [
    user === undefined ? ["DynamicUser", "yes"] : ["User", user],
    ["StateDirectory", unit],
    ["WorkingDirectory", `/var/lib/${unit}`],
    ["Environment", `HOME=/var/lib/${unit}`],
  ];
}

/** Bounds of memory, processors and NUMA node, and what locked weights need. */
export function limitLines(service: DeployedService, cgroups: boolean): readonly UnitLine[] {
  const { memoryLimit, cpus, numaNode, name } = service;
  if (cpus !== undefined && !/^[0-9]+(?:-[0-9]+)?(?:,[0-9]+(?:-[0-9]+)?)*$/.test(cpus))
    throw new OmniError(
      "render.unrepresentable",
      `services.${name}.cpus: ${JSON.stringify(cpus)} is no set of CPUs.`,
      {
        hint: 'cpus: "0-23,48-71"',
      },
    );
  return [
    ...(memoryLimit !== undefined && cgroups ? ([["MemoryMax", String(memoryLimit)]] as const) : []),
    ...(cpus === undefined ? [] : ([[cgroups ? "AllowedCPUs" : "CPUAffinity", cpus]] as const)),
    ...(numaNode === undefined
      ? []
      : ([
          ["NUMAPolicy", "bind"],
          ["NUMAMask", String(numaNode)],
        ] as const)),
    ["LimitNOFILE", "65536"],
    ...(service.options.weights === "lock"
      ? ([{ comment: "Weights are locked into memory." }, ["LimitMEMLOCK", "infinity"]] as const)
      : []),
  ];
}

/** The journal, or a file of the owner's folder that systemd opens as root and appends to. */
export function logLines(given: string | undefined, unit: string): readonly UnitLine[] {
  const folder = wholeLogFolder(given);
  return folder === undefined
    ? [["SyslogIdentifier", unit]]
    : [
        { comment: "Nobody shortens this file; logrotate does with copytruncate." },
        [
          "StandardOutput",
          `append:${unitRestPath(`${folder.replace(/\/+$/, "")}/${unit}.log`, "runtime.process.logFolder")}`,
        ],
        ["StandardError", "inherit"],
      ];
}

/** A URL of something that listens on this machine. */
export function localUrl(host: string, port: number, path: string, tls = false): string {
  const local = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return `${tls ? "https" : "http"}://${local.includes(":") ? `[${local}]` : local}:${port}${path}`;
}
