import { OmniError } from "../../core/index.ts";
import type { DeployedService, Environment } from "../../deployment/index.ts";
import { composeText, environmentKey } from "../escape/compose.ts";
import { shellWord } from "../escape/shell.ts";
import { isFileSecret } from "./compose-draft.ts";
import type { ComposeDraft } from "./compose-draft.ts";
import type { ComposeSecretMount, ComposeService } from "./compose-file.ts";

/** Variables of a container, and those among them that are read from a mounted secret when it starts. */
export interface ContainerEnvironment {
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: readonly ComposeSecretMount[];
  readonly fromFiles: readonly { readonly variable: string; readonly path: string }[];
}

/** Several environments as one, later ones winning; secrets stay references. `at` is their place in omni.yaml. */
export function environmentOf(
  environments: readonly Environment[],
  draft: ComposeDraft,
  { at, who, optional }: { readonly at: string; readonly who: string; readonly optional: boolean },
): ContainerEnvironment {
  const values = new Map(environments.flatMap((one) => Object.entries(one)));
  const environment: [string, string][] = [];
  const secrets = new Map<string, ComposeSecretMount>();
  const fromFiles: { variable: string; path: string }[] = [];
  for (const [key, value] of values) {
    const place = `${at}.${key}`;
    const name = environmentKey(key, place);
    if (typeof value === "string") environment.push([name, composeText(value, place)]);
    else if (isFileSecret(value)) {
      const source = draft.secretFile(value.file, place);
      secrets.set(source, { source });
      fromFiles.push({ variable: shellName(name, place), path: `/run/secrets/${source}` });
    } else environment.push([name, draft.variable(value.env ?? "", { at: place, why: who, optional })]);
  }
  return { environment: Object.fromEntries(environment), secrets: [...secrets.values()], fromFiles };
}

function shellName(name: string, place: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name;
  throw new OmniError(
    "render.unrepresentable",
    `${place}: a shell sets this variable from its file, and ${JSON.stringify(name)} is no name to it.`,
    { hint: "Letters, digits and underscores, or `env` in place of `file`." },
  );
}

/**
 * Program and arguments in place of the image's own. Compose ignores the image's command where an entry point is given.
 * Variables that come from secret files are read by a shell that the engine then replaces, so no value of a secret is
 * ever in a file of Omni's or in `docker inspect`.
 */
export function commandOf(
  { start, name }: Pick<DeployedService, "start" | "name">,
  { fromFiles }: ContainerEnvironment,
): Required<Pick<ComposeService, "entrypoint">> & Pick<ComposeService, "command"> {
  const words = start.command.map((word) => composeText(word, `services.${name}, word of its command`));
  const [program, ...rest] = words;
  const reads = fromFiles.map(
    ({ variable, path }) => `${variable}="$(cat ${shellWord(path)})" && export ${variable} && `,
  );
  const entrypoint =
    reads.length === 0
      ? [program ?? ""]
      : ["sh", "-c", composeText(`${reads.join("")}exec "$@"`, "command"), "sh", program ?? ""];
  return rest.length === 0 ? { entrypoint } : { entrypoint, command: rest };
}
