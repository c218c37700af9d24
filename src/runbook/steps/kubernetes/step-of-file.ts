import type { RunbookInput } from "../../runbook.ts";
import type { Phase, Step } from "../../step.ts";
import { imageStepId } from "../engines/index.ts";
import type { ClusterParts, ManifestFile } from "./cluster-parts.ts";

const MINUTE = 60_000;
/** A download of some hundred GB over a slow line takes days; it goes on where it stopped anyhow. */
const DOWNLOAD = 3 * 24 * 60 * MINUTE;

type Placed = Pick<Step, "id" | "phase" | "needs" | "timeout" | "asked">;

const placed = (
  id: string,
  phase: Phase,
  needs: readonly string[],
  timeout: number,
  asked: string,
): Placed => ({
  id,
  phase,
  needs,
  timeout,
  asked,
});

/** Where a file of manifests belongs in a runbook, by what it stands for. */
export function stepOfFile(
  file: ManifestFile,
  cluster: ClusterParts["cluster"],
  { deployment }: RunbookInput,
): Placed {
  const base = [`namespace/${cluster.name}`, `secret/${cluster.name}`];
  const { brings } = file;
  const name = brings?.name ?? "";
  switch (brings?.kind) {
    case "namespace":
      return placed(
        `namespace/${name}`,
        "storage",
        [`cluster/${cluster.name}`],
        2 * MINUTE,
        "runtime.kubernetes",
      );
    case "disk":
      return placed(`disk/${name}`, "storage", base, 30 * MINUTE, `metal.disks.${name}`);
    case "model":
      return placed(
        `model/${name}`,
        "models",
        [...base, ...storageOf(name, deployment)],
        DOWNLOAD,
        `models.${name}`,
      );
    case "service":
      return servicePlace(name, base, deployment);
    case "gateway": {
      const needs = [
        ...base,
        "engine/omni",
        ...deployment.services.map((service) => `service/${service.name}`),
      ];
      return placed("gateway", "services", needs, 10 * MINUTE, "gateway");
    }
    case undefined:
      return placed(otherId(file), "storage", base, 5 * MINUTE, "runtime.kubernetes");
  }
}

function servicePlace(name: string, base: readonly string[], deployment: RunbookInput["deployment"]): Placed {
  const service = deployment.services.find((one) => one.name === name);
  const models = service === undefined ? [] : [service.planned.model.name, service.draftModel ?? ""];
  const disks =
    service?.mounts.flatMap(({ source }) =>
      source.kind === "folder" && source.disk !== undefined ? [source.disk] : [],
    ) ?? [];
  return {
    id: `service/${name}`,
    phase: "services",
    asked: `services.${service?.replicaOf ?? name}`,
    needs: [
      ...base,
      ...models.filter((model) => model !== "").map((model) => `model/${model}`),
      ...disks.map((disk) => `disk/${disk}`),
      `engine/${service?.planned.engine.name ?? ""}`,
      ...(service === undefined ? [] : [imageStepId(service)]),
      ...(service?.after ?? []).map((before) => `service/${before}`),
    ],
    // Pulling a large image comes before the engine begins to load.
    timeout: (service?.loadTimeout ?? 0) + 30 * MINUTE,
  };
}

/** A download waits for the disk that it goes to, and for the program that does it. */
const storageOf = (name: string, { models }: RunbookInput["deployment"]): readonly string[] => [
  ...models.flatMap((model) =>
    model.name === name && model.disk !== undefined ? [`disk/${model.disk}`] : [],
  ),
  "manifest/download-program",
  "manifest/volumes",
];

/** `manifest/` and the file's own name. */
const otherId = ({ path }: ManifestFile): string =>
  `manifest/${(path.split("/").at(-1) ?? path).replace(/\.yaml$/, "")}`;
