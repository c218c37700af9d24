import { join } from "node:path";
import { OmniError } from "../../../core/index.ts";
import type { HostTransport } from "../../../host/transport/index.ts";
import type { ComposePlace } from "../../../render/compose/place.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { StepContext } from "../../step.ts";
import { machineOf } from "../engines/machine-of.ts";
import { differingFiles, hostFolder, placedFiles, placeFiles, secretsFile } from "./placed-files.ts";
import type { PlacedFile } from "./placed-files.ts";

const PATIENCE = 120_000;

/** A compose project where it runs. */
export interface ComposeProject {
  readonly context: StepContext;
  readonly host: HostTransport;
  /** Folder of the project on the host. */
  readonly folder: string;
  /** The words before every subcommand. */
  readonly compose: readonly [string, ...string[]];
  readonly files: readonly PlacedFile[];
}

/** Opens the project of a place. Throws `OmniError` `service.no-compose`. */
export async function openProject(
  input: RunbookInput,
  place: ComposePlace,
  context: StepContext,
): Promise<ComposeProject> {
  const { deployment, rendered } = input;
  const host = await context.host(machineOf(deployment, place.machine));
  const program = await composeProgram(context, host);
  const folder = join(hostFolder(input, host), place.folder);
  const example = rendered.files.find(({ path }) => path === `${place.folder}/.env.example`)?.content;
  const environment = join(folder, ".env");
  const secrets =
    example === undefined
      ? []
      : [
          {
            path: environment,
            content: await secretsFile(input, context, example, quoted),
            mode: 0o600,
          },
        ];
  const belongs = (path: string): boolean => path.startsWith(`${place.folder}/`);
  return {
    context,
    host,
    folder,
    compose: [
      ...program,
      "--project-name",
      deployment.docker.project,
      "--project-directory",
      folder,
      "--file",
      join(folder, "compose.yaml"),
      ...(secrets.length === 0 ? [] : ["--env-file", environment]),
    ],
    files: [...placedFiles(input, host, belongs), ...secrets],
  };
}

/** Compose reads what stands between quotes as it is; what its versions read differently is refused. */
function quoted(value: string): string {
  if (!value.includes("'")) return `'${value}'`;
  if (!/["$\\]/.test(value)) return `"${value}"`;
  throw new OmniError(
    "render.unrepresentable",
    "A secret has an apostrophe beside a quote, dollar or backslash, which versions of Compose read differently.",
    { hint: "Keep it in a file and refer to it in the spec: { file: PATH }." },
  );
}

/** Asked once a host: starting the program of its own name takes seconds. */
const known = new WeakMap<HostTransport, readonly [string, ...string[]]>();

/** The plugin, or the program of its own name. */
async function composeProgram(
  context: StepContext,
  host: HostTransport,
): Promise<readonly [string, ...string[]]> {
  const before = known.get(host);
  if (before !== undefined) return before;
  for (const way of [["docker", "compose"], ["docker-compose"]] as const) {
    const result = await context.look(host, { argv: [...way, "version"], timeout: PATIENCE });
    if (!result.ended || result.code !== 0) continue;
    known.set(host, way);
    return way;
  }
  throw new OmniError(
    "service.no-compose",
    `Neither docker compose nor docker-compose answers on ${host.name}.`,
  );
}

/** Files of the project that are not on the host as they are rendered. */
export const differing = ({ host, files }: ComposeProject): Promise<readonly string[]> =>
  differingFiles(host, files);

export const placeProject = ({ context, host, files }: ComposeProject): Promise<void> =>
  placeFiles(context, host, files);

/** Hash by which Compose knows whether a container is of this file. */
export async function configHash(
  { context, host, compose }: ComposeProject,
  service: string,
): Promise<string> {
  const result = await context.look(host, {
    argv: [...compose, "config", "--hash", service],
    timeout: PATIENCE,
  });
  const hash = result.ended && result.code === 0 ? result.stdout.trim().split(/\s+/).at(-1) : undefined;
  if (hash !== undefined && /^[0-9a-f]{64}$/.test(hash)) return hash;
  throw new OmniError(
    "service.unhealthy",
    `Compose on ${host.name} does not take the file of ${service}: ${result.ended ? result.stderr.trim() : result.message}`,
  );
}

/** Creates or replaces the container of one service. Throws `OmniError` `host.command-failed`. */
export async function upService({ context, host, compose }: ComposeProject, service: string): Promise<void> {
  await context.run(host, {
    argv: [...compose, "up", "--detach", "--no-deps", "--no-build", service],
    timeout: 6 * 3_600_000,
    mostBytes: 65_536,
  });
}
