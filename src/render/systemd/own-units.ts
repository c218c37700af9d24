import type { Diagnostic } from "../../core/index.ts";
import type { DeployedService, Deployment, SecretReference } from "../../deployment/index.ts";
import type { Artifact } from "../artifact.ts";
import { yamlDocument } from "../documents/yaml.ts";
import { unitCommand, unitRestPath, unitText } from "../escape/systemd.ts";
import type { RenderedUnit } from "./engine-unit.ts";
import { environmentExample, environmentFile, variablesOf } from "./environment.ts";
import { seenPaths } from "./engine-seen.ts";
import { ETC, OMNI, ownUnit, processServices, unitServices, unitName, WAIT_READY } from "./names.ts";
import { nvidiaUnitName, wantsNvidia } from "./nvidia-unit.ts";
import { localUrl, logLines, userLines } from "./process-lines.ts";
import { restartLines, startLimit } from "./restart.ts";
import { sandboxLines } from "./sandbox.ts";
import { timeSpan, unitFile } from "./unit.ts";
import { needsWholePath } from "./whole-path.ts";
import type { UnitLine } from "./unit.ts";

/** Omni itself ends an engine's answers and closes its store; longer than any drain of the spec's default. */
const STOPPING = 60_000;
const RESTART = { restarts: 5, window: 600_000, backoffMin: 1000, backoffMax: 60_000 };

/** Where Omni itself runs: with engines of its own by the owner's spec, or as the gateway of the engines' units. */
export interface OwnUnit {
  readonly unit: string;
  /** File in /etc/omni that it runs. */
  readonly spec: string;
  /** The gateway of units beside it, and not a node that runs its engines. */
  readonly gateway: boolean;
}

export const ownUnitOf = (deployment: Deployment): OwnUnit =>
  unitServices(deployment).length === 0
    ? { unit: "omni", spec: "omni.yaml", gateway: false }
    : { unit: ownUnit(deployment, "omni-gateway"), spec: "gateway.yaml", gateway: true };

/** Omni's own unit: the gateway beside the engines' units, or the whole node where it runs them. */
export function omniUnit(deployment: Deployment): RenderedUnit {
  const own = ownUnitOf(deployment);
  const { unit, gateway } = own;
  const secrets = secretsOf(deployment, own);
  const credentials = gateway ? credentialsOf(deployment.gateway.secrets) : new Map<string, string>();
  const content = unitFile({
    header: headerOf(own),
    sections: [
      { name: "Unit", lines: unitLines(deployment, own) },
      { name: "Service", lines: serviceLines(deployment, own, credentials) },
      { name: "Install", lines: [["WantedBy", "omni.target"]] },
    ],
  });
  return {
    artifacts: [
      {
        path: `systemd/${unit}.service`,
        content,
        mode: 0o644,
        reason: gateway
          ? "asked for by gateway: one address for the engines' units"
          : "asked for by services: Omni runs these engines itself",
      },
      ...(gateway ? [gatewaySpec(deployment, own, credentials), ...gatewayWorkflows(deployment)] : []),
      ...environmentExample(
        unit,
        variablesOf(secrets, "gateway"),
        gateway ? "keys, tools and remote engines" : "keys, tools and engines",
      ),
    ],
    diagnostics: [
      ...foldersOf(deployment).diagnostics,
      ...secretFindings(deployment, own),
      ...enginesOf(deployment, own).flatMap(
        (service) => seenPaths(service, deployment.process.user).diagnostics,
      ),
    ],
  };
}

const headerOf = ({ unit, spec, gateway }: OwnUnit): readonly string[] => [
  gateway
    ? `${unit}.service: Omni's gateway, the one address of all engines that run as units of this machine.`
    : `${unit}.service: Omni itself, and the engines that it runs.`,
  `Rendered by Omni from omni.yaml; change that and render again. It runs ${OMNI} up ${ETC}/${spec}.`,
  `Logs: journalctl -u ${unit}. What it serves: omni status.`,
];

const unitLines = (deployment: Deployment, { gateway }: OwnUnit): readonly UnitLine[] => [
  ["Description", unitText(`Omni: ${gateway ? "gateway" : "node"} ${deployment.name}`)],
  ["PartOf", "omni.target"],
  ["Wants", "network-online.target"],
  ...(gateway
    ? [{ comment: "It does not wait for the engines: what is not ready yet is answered by what is." }]
    : wantsNvidia(nvidiaUnitName(deployment))),
  ["After", "network-online.target"],
  ...startLimit(RESTART),
];

function serviceLines(
  deployment: Deployment,
  own: OwnUnit,
  credentials: ReadonlyMap<string, string>,
): readonly UnitLine[] {
  const { unit, spec, gateway } = own;
  const at = "gateway";
  const { host, port } = deployment.gateway;
  const secrets = secretsOf(deployment, own);
  const engines = enginesOf(deployment, own);
  const { folders } = foldersOf(deployment);
  const data = engines.flatMap((service) => seenPaths(service, deployment.process.user).paths.write);
  return [
    ["Type", "exec"],
    ["Slice", "omni.slice"],
    ...userLines(deployment.process.user, unit),
    ["Environment", `OMNI_STATE=/var/lib/${unit}`],
    ...(variablesOf(secrets, at).length === 0 ? [] : ([["EnvironmentFile", environmentFile(unit)]] as const)),
    ...[...credentials].map(([file, id]): UnitLine => ["LoadCredential", `${id}:${unitRestPath(file, at)}`]),
    ["ExecStart", unitCommand([OMNI, "up", `${ETC}/${spec}`], at)],
    [
      "ExecStartPost",
      unitCommand([WAIT_READY, localUrl(host, port, "/healthz", deployment.gateway.tls)], at),
    ],
    ["TimeoutStartSec", "10min"],
    ["KillMode", "mixed"],
    [
      "TimeoutStopSec",
      timeSpan(Math.max(STOPPING, ...engines.map(({ drainTimeout }) => drainTimeout + 30_000))),
    ],
    ...restartLines(RESTART),
    ["LimitNOFILE", "65536"],
    ...(engines.some(({ options }) => options.weights === "lock")
      ? ([{ comment: "Its engines lock weights into memory." }, ["LimitMEMLOCK", "infinity"]] as const)
      : []),
    ...logLines(deployment.process.logFolder, unit),
    ...sandboxLines({
      read: folders.filter(({ writable }) => !writable).map(({ path }) => path),
      write: [...new Set([...folders.filter(({ writable }) => writable).map(({ path }) => path), ...data])],
      bound: [],
      // Its repository may lie in somebody's home, where it is read and never written.
      homes: true,
      gpu: !gateway,
      sealed: false,
      filtered: false,
      at,
    }),
  ];
}

/** Secrets that Omni itself reads: the gateway's, and those of the engines where it starts them. */
const secretsOf = (deployment: Deployment, own: OwnUnit): readonly SecretReference[] => [
  ...deployment.gateway.secrets,
  ...enginesOf(deployment, own).flatMap(({ environment }) =>
    Object.values(environment).flatMap((value) => (typeof value === "string" ? [] : [value])),
  ),
];

/** Engines that Omni starts itself, beside those within it. */
const enginesOf = (deployment: Deployment, { gateway }: OwnUnit): readonly DeployedService[] =>
  gateway ? [] : processServices(deployment);

const filesOf = (secrets: readonly SecretReference[]): readonly string[] => [
  ...new Set(secrets.flatMap(({ file }) => file ?? [])),
];

/** Secrets that the unit cannot be shown: by no whole path, or where the owner's own spec names their place. */
const secretFindings = (deployment: Deployment, own: OwnUnit): readonly Diagnostic[] => {
  const { unit, gateway } = own;
  return filesOf(secretsOf(deployment, own)).flatMap((file): readonly Diagnostic[] => {
    if (!file.startsWith("/")) return [needsWholePath("keys", file, "Omni will not find it")];
    if (gateway) return [];
    return [
      {
        code: "render.needs-value",
        severity: "warning",
        path: "keys",
        message: `${unit}.service reads ${file} as ${deployment.process.user ?? "a user that systemd makes up"}, who may not be allowed to.`,
        hint: `Refer to it by { env: NAME } and put the value into ${environmentFile(unit)}, or set runtime.process.user and give that user the file.`,
      },
    ];
  });
};

/** Files with secrets, each with the name of its credential. */
const credentialsOf = (secrets: readonly SecretReference[]): ReadonlyMap<string, string> =>
  new Map(
    filesOf(secrets)
      .filter((file) => file.startsWith("/"))
      .map((file, index) => [file, `secret-${index + 1}`]),
  );

function foldersOf({ gateway }: Deployment): {
  readonly folders: Deployment["gateway"]["folders"];
  readonly diagnostics: readonly Diagnostic[];
} {
  const whole = gateway.folders.filter(({ path }) => path.startsWith("/"));
  return {
    folders: whole,
    diagnostics: gateway.folders
      .filter(({ path }) => !path.startsWith("/"))
      .map(({ path }) => needsWholePath("tools", path, "its ~ is an empty folder of Omni's own user")),
  };
}

/** The gateway's own spec. It listens where the owner's does, and finds file secrets among its credentials. */
function gatewaySpec(
  deployment: Deployment,
  { unit, spec }: OwnUnit,
  credentials: ReadonlyMap<string, string>,
): Artifact {
  const { host, port } = deployment.gateway;
  const config = deployment.gateway.config(({ place }) => `http://${place.host}:${place.port}`);
  const gateway = isPlain(config["gateway"]) ? config["gateway"] : {};
  return {
    path: `systemd/${spec}`,
    content: yamlDocument(
      withCredentials({ ...config, gateway: { ...gateway, host, port } }, (file) => {
        const id = credentials.get(file);
        return id === undefined ? undefined : `/run/credentials/${unit}.service/${id}`;
      }),
      `What ${unit}.service runs, rendered by Omni from omni.yaml; install.sh puts it into ${ETC}.\nThe engines are units of their own, so here they are remote ones on this machine: ${unitServices(deployment).map(unitName).join(", ")}.`,
    ),
    mode: 0o644,
    reason: "asked for by gateway, which finds the engines' units by it",
  };
}

/** Templates of images beside that spec, at the paths that it names relative to itself. */
const gatewayWorkflows = ({ gateway }: Deployment): readonly Artifact[] =>
  gateway.files.map(({ path, content }) => ({
    path: `systemd/${path}`,
    content,
    mode: 0o644,
    reason: "asked for by workflows of services: the gateway makes images by it",
  }));

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The same data with `{ file: PATH }` of a secret, and the certificate beside it, pointing to where systemd shows it to the unit. */
function withCredentials(value: unknown, shownAt: (file: string) => string | undefined): unknown {
  if (Array.isArray(value)) return value.map((one) => withCredentials(one, shownAt));
  if (!isPlain(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      ((key === "file" || key === "certificate") && typeof inner === "string" ? shownAt(inner) : undefined) ??
        withCredentials(inner, shownAt),
    ]),
  );
}
