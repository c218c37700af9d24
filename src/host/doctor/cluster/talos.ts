import { findTalosRelease } from "../../../catalog/index.ts";
import { nodesOf } from "./cluster-objects.ts";
import type { ClusterNodeObject } from "./cluster-objects.ts";
import { clusterCheck } from "./each-cluster.ts";
import type { Finding } from "../check.ts";

const ID = "cluster.talos";
const EXTENSION = "extensions.talos.dev/";

/** Version of Talos that a node runs: `1.12.11` of `Talos (v1.12.11)`. */
export const talosOf = ({ status }: ClusterNodeObject): string | undefined =>
  /^Talos \(v?([^)]+)\)/.exec(status.nodeInfo?.osImage ?? "")?.[1];

/** Names and versions of a node's extensions, by its labels; `schematic` stands among them. */
export const extensionsOf = ({ metadata }: ClusterNodeObject): ReadonlyMap<string, string> =>
  new Map(
    Object.entries({ ...metadata.labels, ...metadata.annotations }).flatMap(([key, value]) =>
      key.startsWith(EXTENSION) ? [[key.slice(EXTENSION.length), value] as const] : [],
    ),
  );

/** Talos runs in the version of the spec, which runs the Kubernetes of the spec. */
export const talosVersion = clusterCheck(ID, "Talos of the nodes", async (cluster, api) => {
  const wanted = cluster.talosVersion;
  if (wanted === undefined) return [];
  const asked = await nodesOf(api);
  if (!asked.answered) return [];
  return asked.found.map((node) => findingOf(node, wanted, cluster.version));
});

function findingOf(node: ClusterNodeObject, typed: string, kubernetes: string | undefined): Finding {
  const base = { check: ID, subject: `node ${node.metadata.name}` } as const;
  const wanted = typed.replace(/^v/, "");
  const seen = talosOf(node);
  if (seen === undefined)
    return {
      ...base,
      state: "error",
      seen: node.status.nodeInfo?.osImage ?? "an unknown system",
      wanted: `Talos ${wanted}`,
      why: "Volumes, modules and kernel arguments of the spec are written for Talos.",
      remedy: "Correct the guest in the spec: linux: in place of talos:",
    };
  const release = findTalosRelease(seen);
  if (release !== undefined && kubernetes !== undefined && !within(kubernetes, release.kubernetes))
    return {
      ...base,
      state: "error",
      seen: `Talos ${seen} for Kubernetes ${kubernetes}`,
      wanted: `Kubernetes ${release.kubernetes.join(" to ")}`,
      why: "This release line does not run that Kubernetes.",
      remedy: "Upgrade Talos first, one release line after another.",
      source: release.source,
    };
  if (seen === wanted) return { ...base, state: "ok", seen: `Talos ${seen}` };
  return {
    ...base,
    state: "warning",
    seen: `Talos ${seen}`,
    wanted: `Talos ${wanted}`,
    why: "Drivers come with the release: the same extension name is another driver in another one.",
    remedy: `talosctl upgrade --nodes ADDRESS --image factory.talos.dev/metal-installer/SCHEMATIC:v${wanted}   # reboots the node`,
  };
}

const minorOf = (version: string): number => Number(version.split(".")[1] ?? 0);
const within = (version: string, [least, most]: readonly [string, string]): boolean =>
  minorOf(version) >= minorOf(least) && minorOf(version) <= minorOf(most);
