import { formatBytes } from "../../../core/index.ts";
import { fileIs, pullModel, readManifests } from "../../../pull/index.ts";
import type { PullOptions } from "../../../pull/index.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Observation, StepContext } from "../../step.ts";
import type { WantedModel } from "./wanted-model.ts";

/** Asks the hub for the files and looks whether they fit. Throws `OmniError` `hub.*` or `pull.*`. */
export async function precheckHere(
  input: RunbookInput,
  wanted: WantedModel,
  context: StepContext,
): Promise<void> {
  await pullModel({ ...(await optionsOf(input, wanted, context)), dryRun: true });
}

/** Fetches the model with Omni's own downloads, which go on where an earlier run was cut off. */
export async function applyHere(
  input: RunbookInput,
  wanted: WantedModel,
  context: StepContext,
): Promise<void> {
  const pulled = await pullModel(await optionsOf(input, wanted, context));
  context.note(
    `${pulled.repository} at ${pulled.commit}: ${pulled.files.length} files, ${formatBytes(pulled.bytes)}, ${formatBytes(pulled.fetched)} fetched, all verified`,
  );
}

/** By what was written down when it was verified; a file that has changed since is read again. */
export async function verifyHere({ download, folder }: WantedModel): Promise<Observation> {
  const manifest = (await readManifests(folder)).find(({ repository }) => repository === download.repository);
  if (manifest === undefined || manifest.revision !== download.revision)
    return { done: false, missing: `${folder} has no ${download.repository} at ${download.revision}` };
  for (const { path, size, algorithm, hex } of manifest.files)
    if (!(await fileIs(folder, { path, size, digest: { algorithm, hex } }, manifest)))
      return { done: false, missing: `${folder}/${path} is missing or not what was fetched` };
  const bytes = manifest.files.reduce((sum, { size }) => sum + size, 0);
  return {
    done: true,
    evidence: [
      `${download.repository} at commit ${manifest.commit}: ${manifest.files.length} files, ${formatBytes(bytes)} in ${folder}`,
      ...manifest.files.slice(0, 20).map(({ path, algorithm, hex }) => `${algorithm} ${hex} ${path}`),
    ],
  };
}

async function optionsOf(
  input: RunbookInput,
  { download, folder }: WantedModel,
  context: StepContext,
): Promise<PullOptions> {
  const { repository: repo, revision, endpoint, connections, bandwidth } = download;
  const token = download.token === undefined ? undefined : await input.secret(download.token);
  if (token !== undefined) context.hide(token);
  return {
    repository: { repo, revision, endpoint, token },
    choice: download.files.length > 0 ? { include: download.files } : {},
    folder,
    connections,
    bandwidth,
    signal: context.signal,
    tell: (event) => {
      if (event.kind === "progress")
        context.progress({ done: event.progress.done, total: event.progress.total, unit: "bytes" });
      else if (event.kind === "waiting") context.note(`${event.path}: another process is fetching it`);
      else if (event.kind === "repair")
        context.note(
          `${event.path}: the checksum is wrong; what may be damaged is compared with a second copy`,
        );
    },
  };
}
