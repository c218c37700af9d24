import type { Sourced } from "./fact.ts";

/** What a release line of Talos Linux brings and takes. */
export interface TalosRelease extends Sourced {
  /** `1.12`. */
  readonly line: string;
  /** Kubernetes lines that it runs, first and last. */
  readonly kubernetes: readonly [least: string, most: string];
  /** The oldest line that upgrades to this one. */
  readonly upgradesFrom: string;
  /** NVIDIA driver behind the endings `-lts` and `-production` of its extensions, by the patch release that brought it. */
  readonly drivers: readonly { readonly since: string; readonly lts: string; readonly production: string }[];
}

const release = (
  line: string,
  upgradesFrom: string,
  kubernetes: readonly [string, string],
  drivers: TalosRelease["drivers"] = [],
): TalosRelease => ({
  line,
  kubernetes,
  upgradesFrom,
  drivers,
  source: `https://github.com/siderolabs/talos (pkg/machinery/compatibility), https://github.com/siderolabs/extensions (tags v${line}.*)`,
  date: "2026-10-30",
});

const RELEASES: readonly TalosRelease[] = [
  release("1.11", "1.9", ["1.29", "1.34"]),
  release(
    "1.12",
    "1.10",
    ["1.30", "1.35"],
    [
      { since: "1.12.1", lts: "580.105.08", production: "570.195.03" },
      { since: "1.12.11", lts: "580.126.20", production: "570.211.01" },
    ],
  ),
  release(
    "1.13",
    "1.11",
    ["1.31", "1.36"],
    [{ since: "1.13.0", lts: "580.178.04", production: "595.91.07" }],
  ),
  release(
    "1.14",
    "1.12",
    ["1.32", "1.37"],
    [{ since: "1.14.0", lts: "580.178.04", production: "595.91.07" }],
  ),
];

/** The release line of a Talos version such as `1.12.1` or `v1.12.1`; nothing for a line that is not in the list. */
export function findTalosRelease(version: string): TalosRelease | undefined {
  const match = /^v?(\d+\.\d+)(?:$|[.-])/.exec(version);
  return match === null ? undefined : RELEASES.find(({ line }) => line === match[1]);
}
