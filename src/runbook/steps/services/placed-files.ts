import { dirname, join } from "node:path";
import { OmniError } from "../../../core/index.ts";
import type { HostTransport } from "../../../host/transport/index.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { StepContext } from "../../step.ts";

/** Folder of a deployment on a host: in the work folder here, below /var/lib elsewhere. */
export const hostFolder = ({ deployment, workFolder }: RunbookInput, { kind }: HostTransport): string =>
  kind === "local"
    ? join(workFolder, "placed")
    : `/var/lib/omni/${deployment.name.replaceAll(/[^\w.-]+/g, "-").replace(/^\.+/, "-")}`;

/** A rendered file where it is to lie on a host. */
export interface PlacedFile {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
}

/** Files of rendered folders below the deployment's folder on a host. */
export const placedFiles = (
  input: RunbookInput,
  host: HostTransport,
  belongs: (path: string) => boolean,
): readonly PlacedFile[] =>
  input.rendered.files
    .filter(({ path }) => belongs(path))
    .map(({ path, content, mode }) => ({ path: join(hostFolder(input, host), path), content, mode }));

/** Names of files that are not there as they should be. */
export async function differingFiles(
  host: HostTransport,
  files: readonly PlacedFile[],
): Promise<readonly string[]> {
  const found = await Promise.all(
    files.map(async ({ path, content }) => {
      const bytes = await host.readFile(path);
      return bytes !== undefined && Buffer.from(bytes).equals(Buffer.from(content)) ? [] : [path];
    }),
  );
  return found.flat();
}

/** Writes what differs, and leaves what is the same. */
export async function placeFiles(
  context: StepContext,
  host: HostTransport,
  files: readonly PlacedFile[],
): Promise<void> {
  const differing = new Set(await differingFiles(host, files));
  for (const folder of new Set([...differing].map((path) => dirname(path))))
    await context.run(host, { argv: ["mkdir", "-p", "--", folder], timeout: 60_000 });
  for (const { path, content, mode } of files)
    if (differing.has(path)) await host.writeFile(path, content, { mode });
}

/** Variables that a rendered example names, in its order. */
const namesInExample = (example: string): readonly string[] =>
  [...example.matchAll(/^([A-Za-z_]\w*)=$/gm)].map(([, name = ""]) => name);

/**
 * A file of secrets for a host, never for the journal: their values are hidden before anything is done with them. Throws
 * `OmniError` `key.unset` where one is not set, `spec.secret-unreadable` is its reader's.
 */
export async function secretsFile(
  input: RunbookInput,
  context: StepContext,
  example: string,
  quoted: (value: string) => string,
): Promise<string> {
  const lines: string[] = [];
  for (const name of namesInExample(example)) {
    const value = await input.secret({ env: name });
    if (value !== "") context.hide(value);
    if (/[\r\n\0]/.test(value))
      throw new OmniError(
        "render.unrepresentable",
        `${name} has several lines, which a file of variables cannot hold.`,
        {
          hint: "Keep it in a file and refer to it in the spec: { file: PATH }.",
        },
      );
    lines.push(`${name}=${quoted(value)}`);
  }
  return `${lines.join("\n")}\n`;
}
