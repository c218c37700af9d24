import type { Diagnostic } from "../../core/index.ts";
import type { DeployedService, Environment, SecretReference } from "../../deployment/index.ts";
import type { Artifact } from "../artifact.ts";
import { hashComment } from "../escape/shell.ts";
import { unitAssignment, unitCommand, unitRestPath } from "../escape/systemd.ts";
import { ETC, VISIBLE_CARDS } from "./names.ts";
import { needsWholePath } from "./whole-path.ts";
import type { UnitLine } from "./unit.ts";

/** Environment of a unit, and its command, which sets the variables that hold secrets when it starts. */
export interface UnitEnvironment {
  readonly lines: readonly UnitLine[];
  /** Value of `ExecStart=`. */
  readonly command: string;
  /** Variables that the owner puts into the unit's environment file; none means there is no file. */
  readonly wanted: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Path of the file with the secrets of a unit; mode 0600, written by the owner, never by Omni. */
export const environmentFile = (unit: string): string => `${ETC}/${unit}.env`;

/**
 * Plain values become `Environment=`. A secret by variable is read from the unit's own environment file; one by file
 * becomes a credential, which systemd reads as root and shows to this unit alone (systemd.exec(5), Credentials).
 */
export function unitEnvironment(
  service: DeployedService,
  unit: string,
  pinned: { readonly environment: Environment; readonly lookUp: readonly string[] },
): UnitEnvironment {
  const values = new Map(
    [service.start.environment, pinned.environment, service.environment].flatMap((one) =>
      Object.entries(one),
    ),
  );
  const lines: UnitLine[] = [];
  const credentials: UnitLine[] = [];
  const setting: string[] = [];
  const wanted = new Set<string>();
  const diagnostics: Diagnostic[] = [];
  for (const [name, value] of values) {
    const at = `services.${service.name}.environment.${name}`;
    if (typeof value === "string") {
      lines.push(["Environment", unitAssignment(name, value, at)]);
      continue;
    }
    unitAssignment(name, "", at);
    if (value.file !== undefined && !value.file.startsWith("/")) {
      diagnostics.push(
        needsWholePath(at, value.file, `${name} is asked for in ${environmentFile(unit)} instead`),
      );
      wanted.add(name);
    } else if (value.file === undefined) {
      const from = variableOf(value, at);
      wanted.add(from);
      if (from !== name) setting.push(`${name}=\${${from}?}; export ${name}`);
    } else {
      credentials.push(["LoadCredential", `${name}:${unitRestPath(value.file, at)}`]);
      setting.push(`${name}=$(cat "$CREDENTIALS_DIRECTORY/${name}"); export ${name}`);
    }
  }
  const file: UnitLine[] =
    wanted.size === 0
      ? []
      : [
          { comment: `Secrets, mode 0600; ${unit}.env.example names them.` },
          ["EnvironmentFile", environmentFile(unit)],
        ];
  const { command } = service.start;
  const engine =
    pinned.lookUp.length === 0 ? command : ([VISIBLE_CARDS, pinned.lookUp.join(","), ...command] as const);
  return {
    lines: [...file, ...credentials, ...lines],
    command: unitCommand(
      setting.length === 0
        ? engine
        : ["/bin/sh", "-ec", `${setting.join("; ")}; exec "$@"`, "omni", ...engine],
      `services.${service.name}`,
    ),
    wanted: [...wanted],
    diagnostics,
  };
}

/** Names of variables that references ask the environment for, each once. */
export const variablesOf = (references: readonly SecretReference[], at: string): readonly string[] => [
  ...new Set(
    references.filter(({ file }) => file === undefined).map((reference) => variableOf(reference, at)),
  ),
];

function variableOf({ env = "" }: SecretReference, at: string): string {
  unitAssignment(env, "", at);
  return env;
}

/** An environment file to fill in, where there is anything: names without values, because no secret passes through Omni. */
export const environmentExample = (
  unit: string,
  names: readonly string[],
  askedBy: string,
): readonly Artifact[] =>
  names.length === 0
    ? []
    : [
        {
          path: `systemd/${unit}.env.example`,
          content: [
            hashComment(
              `Secrets of ${unit}.service, rendered by Omni from omni.yaml. install.sh copies it to ${environmentFile(unit)} (mode 0600) when there is none; write the values there, not here. One NAME=VALUE a line; a value with blanks or quotes goes into double quotes.`,
            ),
            ...names.map((name) => `${name}=`),
            "",
          ].join("\n"),
          mode: 0o644,
          reason: `asked for by ${askedBy}: secrets that the owner writes on the node`,
        },
      ];
