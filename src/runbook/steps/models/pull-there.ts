import { join } from "node:path";
import { OmniError } from "../../../core/index.ts";
import type { HostTransport } from "../../../host/transport/index.ts";
import { DOWNLOAD_SCRIPT } from "../../../render/kubernetes/storage/download-script.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Observation, StepContext } from "../../step.ts";
import type { WantedModel } from "./wanted-model.ts";

/** Where the program keeps its notes, and where it lies itself. */
const NOTES = ".omni-download";
const PROGRAM = "download.sh";
/** What is written down when it has verified everything. */
const COMPLETE = "complete";
const LOOK = 60_000;
const DAY = 24 * 3_600_000;
/** What the program calls, beside what a shell brings by itself. */
const PROGRAMS = ["sh", "curl", "awk", "find", "sha256sum", "sha1sum", "xargs", "df"] as const;

/** The program runs on the host itself. Throws `OmniError` `host.command-failed` where something that it calls is missing. */
export async function precheckThere(
  host: HostTransport,
  { model }: WantedModel,
  context: StepContext,
): Promise<void> {
  const missing: string[] = [];
  for (const program of PROGRAMS) {
    const found = await context.look(host, { argv: ["which", program], timeout: LOOK });
    if (!found.ended || found.code !== 0) missing.push(program);
  }
  if (missing.length === 0) return;
  throw new OmniError(
    "host.command-failed",
    `${host.name} has no ${missing.join(", ")}, which the download of ${model.name} needs there.`,
    {
      hint: "Install it on that host (apt-get install curl), or fetch on a machine of a cluster: runbook.downloads.by: job.",
    },
  );
}

/** Fetches the model on the host, with the program that Jobs run: it resumes and verifies by the hub's checksums. */
export async function applyThere(
  input: RunbookInput,
  host: HostTransport,
  wanted: WantedModel,
  context: StepContext,
): Promise<void> {
  const { download, folder, model } = wanted;
  const notes = join(folder, NOTES);
  await context.run(host, { argv: ["mkdir", "-p", notes], timeout: LOOK });
  await host.writeFile(join(notes, PROGRAM), DOWNLOAD_SCRIPT, { mode: 0o755 });
  const token = download.token === undefined ? undefined : await input.secret(download.token);
  if (token !== undefined) context.hide(token);
  let done = 0;
  await context.run(host, {
    argv: ["sh", join(notes, PROGRAM)],
    timeout: DAY,
    environment: {
      OMNI_ENDPOINT: download.endpoint,
      OMNI_REPOSITORY: download.repository,
      OMNI_REVISION: download.revision,
      OMNI_FILES: download.files.join("\n"),
      OMNI_TARGET: folder,
      OMNI_CONNECTIONS: `${download.connections}`,
      ...(download.bandwidth === undefined ? {} : { OMNI_RATE: `${Math.floor(download.bandwidth)}` }),
      ...(token === undefined ? {} : { HF_TOKEN: token }),
    },
    onOutput: (_stream, text) => {
      for (const [, bytes] of text.matchAll(/: (\d+) bytes, [\w-]+ verified/g)) {
        done += Number(bytes);
        context.progress({
          done,
          unit: "bytes",
          ...(model.sizeBytes > 0 ? { total: Math.max(model.sizeBytes, done) } : {}),
        });
      }
    },
  });
  const files = await filesThere(host, folder, context);
  await host.writeFile(join(notes, COMPLETE), completion(wanted, files ?? ""), { mode: 0o644 });
}

/** Presence, sizes and times of change, as they were when every file had been verified there. */
export async function verifyThere(
  host: HostTransport,
  wanted: WantedModel,
  context: StepContext,
): Promise<Observation> {
  const { folder, download } = wanted;
  const written = await host.readFile(join(folder, NOTES, COMPLETE));
  if (written === undefined)
    return { done: false, missing: `${folder} on ${host.name} holds no finished download` };
  const files = await filesThere(host, folder, context);
  if (files === undefined || Buffer.from(written).toString("utf8") !== completion(wanted, files))
    return { done: false, missing: `${folder} on ${host.name} is not what was fetched there` };
  const lines = files.split("\n").filter((line) => line !== "");
  return {
    done: true,
    evidence: [
      `${download.repository} at ${download.revision}: ${lines.length} files in ${folder} on ${host.name}`,
      ...lines.slice(0, 20),
    ],
  };
}

/** Size, time of change and path of each file, in order; `undefined` where the folder cannot be read. */
async function filesThere(
  host: HostTransport,
  folder: string,
  context: StepContext,
): Promise<string | undefined> {
  const found = await context.look(host, {
    argv: ["find", folder, "-type", "f", "-not", "-path", `*/${NOTES}/*`, "-printf", "%s %T@ %P\\n"],
    timeout: LOOK,
  });
  return found.ended && found.code === 0 ? found.stdout.split("\n").toSorted().join("\n") : undefined;
}

const completion = ({ download }: WantedModel, files: string): string =>
  `${download.repository} ${download.revision} ${download.files.join(" ")}\n${files}\n`;
