import { formatBytes } from "../../../core/index.ts";
import type { DeployedModel } from "../../../deployment/index.ts";
import { modelFolder } from "../../../render/kubernetes/storage/download-place.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Step } from "../../step.ts";
import { applyHere, precheckHere, verifyHere } from "./pull-here.ts";
import { applyThere, precheckThere, verifyThere } from "./pull-there.ts";
import type { WantedModel } from "./wanted-model.ts";

/** A day: a terabyte at 12 MB a second. What was cut off goes on with the next attempt. */
const TIMEOUT = 24 * 3_600_000;

/** `model/NAME` for each model that the machine itself fetches, and not a Job of its cluster. */
export function modelSteps(input: RunbookInput): readonly Step[] {
  const { models, runtime } = input.deployment;
  return models.flatMap((model) => {
    const { download } = model;
    const here = download?.by === "node" || (download?.by === undefined && runtime !== "kubernetes");
    if (download === undefined || !here) return [];
    const several = models.filter(({ name }) => name === model.name).length > 1;
    const id =
      several && model.machine !== undefined ? `model/${model.machine}-${model.name}` : `model/${model.name}`;
    return [modelStep(input, id, { model, download, folder: modelFolder(model) })];
  });
}

function modelStep(input: RunbookInput, id: string, wanted: WantedModel): Step {
  const { model, download, folder } = wanted;
  const { connections, bandwidth, repository, revision } = download;
  return {
    id,
    phase: "models",
    title: `${repository} at ${revision} in ${folder}${model.machine === undefined ? "" : ` on ${model.machine}`}`,
    asked: `models.${model.name}`,
    needs: needsOf(input, model),
    // How fast it is fetched makes no other model of it.
    inputs: { repository, revision, files: download.files, endpoint: download.endpoint, folder },
    timeout: TIMEOUT,
    retries: { times: 3, delay: 30_000 },
    precheck: async (context) => {
      const host = await context.host(model.machine);
      await (host.kind === "local"
        ? precheckHere(input, wanted, context)
        : precheckThere(host, wanted, context));
    },
    verify: async (context) => {
      const host = await context.host(model.machine);
      return host.kind === "local" ? verifyHere(wanted) : verifyThere(host, wanted, context);
    },
    apply: async (context) => {
      const host = await context.host(model.machine);
      await (host.kind === "local"
        ? applyHere(input, wanted, context)
        : applyThere(input, host, wanted, context));
    },
    preview: [
      `fetch ${download.files.join(" ") || "the files that engines read"} of ${repository} at ${revision} from ${download.endpoint}`,
      `into ${folder}, ${model.sizeBytes > 0 ? `${formatBytes(model.sizeBytes)}, ` : ""}${connections} connections${bandwidth === undefined ? "" : `, at most ${formatBytes(bandwidth)}/s`}`,
      "verify each file by the hub's checksum",
    ],
  };
}

/** The disk that it goes to, where the spec has one prepared. */
function needsOf({ deployment }: RunbookInput, { disk, machine }: DeployedModel): readonly string[] {
  if (disk === undefined) return [];
  const hosts = deployment.hosts.filter(({ name }) => machine === undefined || name === machine);
  const prepared = hosts.some(({ disks }) => disks?.[disk]?.prepare !== undefined);
  return prepared ? [`disk/${disk}`] : [];
}
