import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { OmniError } from "../../../core/index.ts";
import type { Deployment } from "../../../deployment/index.ts";
import type { Observation, Step, StepContext } from "../../step.ts";
import type { StorageDisk } from "./storage-disks.ts";

/** Milliseconds: Talos makes the file system while it boots. */
const TIMEOUT = 15 * 60_000;
const ASK = 30_000;
const ASK_AGAIN = 3000;
const MOUNTS = "/var/mnt/";

/** What `talosctl get volumestatus -o json` tells of a volume. Source: siderolabs/talos block.VolumeStatus. */
const STATUS = z.object({
  spec: z.object({
    phase: z.string(),
    location: z.string().optional(),
    filesystem: z.string().optional(),
    errorMessage: z.string().optional(),
  }),
});
type VolumeStatus = z.infer<typeof STATUS>["spec"];

/** A disk that Talos prepares by itself, as its machine config says; the step waits for it and looks. */
export function userVolumeStep(storage: StorageDisk, deployment: Deployment): Step {
  const { id, name, disk, host, asked } = storage;
  const volume = volumeOf(storage, deployment);
  const nodes = nodesOf(storage, deployment);
  return {
    id,
    phase: "storage",
    title: `Talos user volume ${volume} on disk ${name}, mounted at ${MOUNTS}${volume}`,
    asked,
    needs: deployment.guests.map((guest) => `guest/${guest.name}`),
    inputs: { disk, host: host.name, volume, nodes },
    timeout: TIMEOUT,
    precheck: async (context) => {
      if (nodes.length === 0)
        throw new OmniError("disk.not-talos", `No address of a Talos node with disk ${name} is known.`, {
          hint: "guest.address, or guest.kubernetes.nodes.NODE.address in the spec",
        });
      for (const node of nodes) await statusOf(context, node, volume);
    },
    verify: (context) => verify(context, nodes, volume),
    apply: (context) => wait(context, nodes, volume),
    preview: [
      `Talos finds disk ${name} by the selector of its UserVolumeConfig and formats it only where it is empty`,
      ...nodes.map((node) => `talosctl --nodes ${node} --endpoints ${node} get volumestatus u-${volume}`),
    ],
  };
}

/** The volume that names the disk, else the one that its mount names. */
function volumeOf({ name, disk, host }: StorageDisk, { guests }: Deployment): string {
  const named = guests
    .filter(({ machine }) => machine === undefined || machine === host.name)
    .flatMap(({ talos }) => Object.entries(talos?.userVolumes ?? {}))
    .find(([, volume]) => volume.disk === name)?.[0];
  return (
    named ??
    (disk.mount?.startsWith(MOUNTS) === true ? disk.mount.slice(MOUNTS.length).replace(/\/+$/, "") : name)
  );
}

/** Addresses of the nodes that have the disk. */
function nodesOf({ host }: StorageDisk, { clusters, guests, hosts }: Deployment): readonly string[] {
  const isHere = (machine: string | undefined): boolean =>
    machine === host.name || (machine === undefined && hosts.length === 1);
  const nodes = clusters
    .flatMap((cluster) => cluster.nodes)
    .flatMap(({ machine, address }) => (isHere(machine) && address !== undefined ? [address] : []));
  if (nodes.length > 0) return nodes;
  return guests.flatMap(({ machine, address }) =>
    isHere(machine) && address !== undefined ? [address] : [],
  );
}

/** `undefined` where Talos knows no such volume yet. Throws `OmniError` `disk.not-talos` and `disk.failed`. */
async function statusOf(
  context: StepContext,
  node: string,
  volume: string,
): Promise<VolumeStatus | undefined> {
  const result = await context.look(await context.host(), {
    argv: [
      "talosctl",
      "--nodes",
      node,
      "--endpoints",
      node,
      "get",
      "volumestatus",
      `u-${volume}`,
      "-o",
      "json",
    ],
    timeout: ASK,
  });
  if (!result.ended) {
    throw result.why === "absent"
      ? new OmniError("disk.not-talos", `talosctl is not installed here, and Talos on ${node} has no shell.`)
      : new OmniError("disk.failed", `talosctl asked ${node} for the volume ${volume}: ${result.message}`);
  }
  if (result.code !== 0) {
    if (/not ?found/i.test(result.stderr)) return undefined;
    throw new OmniError(
      "disk.failed",
      `talosctl asked ${node} for the volume ${volume}: ${result.stderr.trim()}`,
      {
        hint: "Look that TALOSCONFIG is the cluster's: talosctl config info",
      },
    );
  }
  const parsed = STATUS.safeParse(parsedJson(result.stdout));
  if (parsed.success) return parsed.data.spec;
  throw new OmniError(
    "disk.failed",
    `talosctl tells of the volume ${volume} on ${node} what Omni does not know.`,
  );
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function verify(context: StepContext, nodes: readonly string[], volume: string): Promise<Observation> {
  const evidence: string[] = [];
  for (const node of nodes) {
    const status = await statusOf(context, node, volume).catch((error: unknown) => {
      if (error instanceof OmniError && error.code === "disk.not-talos") return error.message;
      throw error;
    });
    if (typeof status === "string") return { done: false, missing: status };
    if (status?.phase !== "ready")
      return { done: false, missing: `volume ${volume} on ${node} is ${stateText(status)}` };
    evidence.push(
      `${node}: volume ${volume} is ready on ${status.location ?? "its disk"} (${status.filesystem ?? "no file system"}), at ${MOUNTS}${volume}`,
    );
  }
  return nodes.length === 0 ? { done: false, missing: "no node is known" } : { done: true, evidence };
}

const stateText = (status: VolumeStatus | undefined): string =>
  status === undefined
    ? "not known there: its machine config has no such UserVolumeConfig yet"
    : `${status.phase}${status.errorMessage === undefined || status.errorMessage === "" ? "" : `: ${status.errorMessage}`}`;

/** Talos acts by itself; what it refuses it says once and keeps saying. Throws `OmniError` `disk.refused`. */
async function wait(context: StepContext, nodes: readonly string[], volume: string): Promise<void> {
  for (const node of nodes) {
    for (;;) {
      const status = await statusOf(context, node, volume);
      if (status?.phase === "ready") break;
      if (status?.phase === "failed")
        throw new OmniError(
          "disk.refused",
          `Talos on ${node} does not make the volume ${volume}: ${stateText(status)}`,
        );
      context.progress({ done: 0, unit: "seconds", text: `${node}: ${stateText(status)}` });
      await sleep(ASK_AGAIN, undefined, { signal: context.signal });
    }
  }
}
