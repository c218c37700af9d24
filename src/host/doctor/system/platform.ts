import type { Check, Finding } from "../check.ts";
import { platformOf } from "../facts/index.ts";

const ID = "system.platform";

/** What runs on the metal, beside `platform` and `version` of the spec. */
export const platform: Check = {
  id: ID,
  title: "Platform and release",
  async look({ view, host }): Promise<readonly Finding[]> {
    const found = await platformOf(view);
    if (found === undefined)
      return [
        { check: ID, state: "unknown", seen: "neither pveversion nor /etc/os-release tells what runs here" },
      ];
    const seen = found.title;
    if (host === undefined) return [{ check: ID, state: "ok", seen }];
    const path = `machines.${host.name}.platform`;
    // A Proxmox host is a Linux too; the reverse misses what passthrough needs.
    if (host.platform !== found.kind && host.platform !== "linux")
      return [
        {
          check: ID,
          state: "error",
          seen,
          wanted: host.platform,
          why: "What Omni would install and configure is for another system.",
          remedy: `Look whether this is the right host, or write platform: ${found.kind} in omni.yaml.`,
          path,
        },
      ];
    const { version } = host;
    const same =
      version === undefined || found.kind !== host.platform || isWithin(found.version ?? "", version);
    if (same) return [{ check: ID, state: "ok", seen, path }];
    return [
      {
        check: ID,
        state: "warning",
        seen,
        wanted: `release ${version}`,
        why: "Kernels, drivers and configuration differ between releases; the plan was made for the one in the spec.",
        remedy: `Upgrade the host, or write version: "${found.version ?? ""}" in omni.yaml.`,
        path: `machines.${host.name}.version`,
      },
    ];
  },
};

/** 9.1.1 is within 9 and within 9.1. */
const isWithin = (version: string, wanted: string): boolean =>
  version === wanted || version.startsWith(`${wanted}.`);
