import type { Diagnostic } from "../../core/index.ts";
import { OmniError } from "../../core/index.ts";
import type { DeployedService, Deployment } from "../../deployment/index.ts";
import type { Artifact } from "../artifact.ts";
import { unitCommand, unitPath, unitRestPath, unitText } from "../escape/systemd.ts";
import { isSealed, pinnedCards, seenPaths } from "./engine-seen.ts";
import { environmentExample, unitEnvironment } from "./environment.ts";
import { OPT_IN, processServices, unitName, WAIT_READY } from "./names.ts";
import { nvidiaUnitName, wantsNvidia } from "./nvidia-unit.ts";
import { restartLines, startLimit } from "./restart.ts";
import { sandboxLines } from "./sandbox.ts";
import { timeSpan, unitFile } from "./unit.ts";
import { wholeLogFolder } from "./whole-path.ts";
import type { UnitLine } from "./unit.ts";

export interface RenderedUnit {
  readonly artifacts: readonly Artifact[];
  readonly diagnostics: readonly Diagnostic[];
}

/** The unit of one engine, with an environment file to fill in where it needs secrets. */
export function engineUnit(service: DeployedService, deployment: Deployment): RenderedUnit {
  const unit = unitName(service);
  const { user } = deployment.process;
  const seen = seenPaths(service, user);
  const pinned = pinnedCards(service, deployment);
  const environment = unitEnvironment(service, unit, pinned.environment);
  const gpu = service.cards.length > 0;
  const at = `services.${service.name}`;
  const after = orderOf(service, deployment);
  const content = unitFile({
    header: headerOf(service, unit),
    sections: [
      {
        name: "Unit",
        lines: [
          ["Description", unitText(`Omni: ${service.name}, served by ${service.kind}`)],
          ["PartOf", "omni.target"],
          ...wantsNvidia(gpu ? nvidiaUnitName(deployment) : undefined),
          ["After", ["network.target", ...after.units].join(" ")],
          ...(after.units.length === 0 ? [] : [["Requires", after.units.join(" ")] as const]),
          ...[...seen.paths.read, ...seen.paths.write].map((path): UnitLine => [
            "RequiresMountsFor",
            unitPath(path, at),
          ]),
          ...optIn(service),
          ...startLimit(service.planned.restart),
        ],
      },
      {
        name: "Service",
        lines: [
          ["Type", "exec"],
          ["Slice", "omni.slice"],
          ...userLines(user, unit),
          ...environment.lines,
          ["ExecStart", environment.command],
          {
            comment:
              "Active means ready: it waits until the engine answers, as long as its weights may take to load.",
          },
          ["ExecStartPost", unitCommand([WAIT_READY, readyUrl(service)], at)],
          ["TimeoutStartSec", timeSpan(service.loadTimeout)],
          { comment: "Time that running answers have to end after SIGTERM." },
          ["KillMode", "mixed"],
          ["TimeoutStopSec", timeSpan(service.drainTimeout)],
          ...restartLines(service.planned.restart),
          ...limitLines(service, deployment.process.cgroups),
          ...logLines(deployment.process.logFolder, unit),
          ...sandboxLines({
            ...seen.paths,
            gpu,
            sealed: deployment.process.cgroups && isSealed(service, deployment),
            filtered: !gpu && service.kind === "llama.cpp",
            at,
          }),
        ],
      },
      {
        name: "Install",
        lines: service.refused === undefined ? [["WantedBy", "omni.target"]] : [],
      },
    ],
  });
  return {
    artifacts: [
      {
        path: `systemd/${unit}.service`,
        content,
        mode: 0o644,
        reason: `asked for by ${at}: it runs as a process of the node`,
      },
      ...(environment.wanted.length === 0
        ? []
        : [
            {
              path: `systemd/${unit}.env.example`,
              content: environmentExample(unit, environment.wanted),
              mode: 0o644,
              reason: `asked for by ${at}.environment: secrets that the owner writes on the node`,
            },
          ]),
    ],
    diagnostics: [
      ...seen.diagnostics,
      ...environment.diagnostics,
      ...pinned.diagnostics,
      ...after.diagnostics,
      ...findings(service),
    ],
  };
}

const headerOf = ({ name, kind, refused, machine }: DeployedService, unit: string): string[] => [
  `${unit}.service: the service ${name}, served by ${kind} as a process of ${machine ?? "the node"}.`,
  "Rendered by Omni from omni.yaml; change that and render again. install.sh puts it into /etc/systemd/system.",
  `Logs: journalctl -u ${unit}. State: systemctl status ${unit}.`,
  ...(refused === undefined
    ? []
    : [
        `REFUSED by the plan (${refused.code}): ${refused.reason}`,
        refused.hint,
        "It is rendered as written, is not enabled, and starts only by hand where the file of its condition lies.",
      ]),
];

const optIn = ({ refused, name }: DeployedService): readonly UnitLine[] =>
  refused === undefined ? [] : [["ConditionPathExists", `${OPT_IN}/${name}`]];

/** Units that it comes after, and names of `after` that no unit here stands for. */
function orderOf(
  { after, name }: DeployedService,
  deployment: Deployment,
): { readonly units: readonly string[]; readonly diagnostics: readonly Diagnostic[] } {
  const services = processServices(deployment);
  const diagnostics: Diagnostic[] = [];
  const units = after.flatMap((wanted) => {
    const found = services.filter((one) => (one.replicaOf ?? one.name) === wanted);
    if (found.length === 0)
      diagnostics.push({
        code: "render.not-applicable",
        severity: "note",
        path: `services.${name}.after`,
        message: `${name} comes after ${wanted}, which has no unit here, so systemd does not wait for it.`,
      });
    return found.map((one) => `${unitName(one)}.service`);
  });
  return { units, diagnostics };
}

/** The user of all engines, or one that systemd makes up for each; a state folder of its own as home either way. */
export function userLines(user: string | undefined, unit: string): readonly UnitLine[] {
  if (user !== undefined && !/^[A-Za-z_][A-Za-z0-9_.-]{0,30}$/.test(user)) {
    throw new OmniError(
      "render.unrepresentable",
      `runtime.process.user: ${JSON.stringify(user)} is no name of a user to systemd.`,
      { hint: "Letters, digits, _ . and -, at most 31." },
    );
  }
  return [
    user === undefined ? ["DynamicUser", "yes"] : ["User", user],
    ["StateDirectory", unit],
    ["WorkingDirectory", `/var/lib/${unit}`],
    ["Environment", `HOME=/var/lib/${unit}`],
  ];
}

function readyUrl({ place, start }: DeployedService): string {
  const host = place.host === "0.0.0.0" || place.host === "::" ? "127.0.0.1" : place.host;
  return `http://${host.includes(":") ? `[${host}]` : host}:${place.port}${start.readyPath}`;
}

function limitLines(service: DeployedService, cgroups: boolean): readonly UnitLine[] {
  const { memoryLimit, cpus, numaNode, name } = service;
  if (cpus !== undefined && !/^[0-9]+(?:-[0-9]+)?(?:,[0-9]+(?:-[0-9]+)?)*$/.test(cpus))
    throw new OmniError(
      "render.unrepresentable",
      `services.${name}.cpus: ${JSON.stringify(cpus)} is no set of CPUs.`,
      {
        hint: 'cpus: "0-23,48-71"',
      },
    );
  return [
    ...(memoryLimit !== undefined && cgroups ? ([["MemoryMax", String(memoryLimit)]] as const) : []),
    ...(cpus === undefined ? [] : ([[cgroups ? "AllowedCPUs" : "CPUAffinity", cpus]] as const)),
    ...(numaNode === undefined
      ? []
      : ([
          ["NUMAPolicy", "bind"],
          ["NUMAMask", String(numaNode)],
        ] as const)),
    ["LimitNOFILE", "65536"],
    ...(service.options.weights === "lock"
      ? ([{ comment: "Weights are locked into memory." }, ["LimitMEMLOCK", "infinity"]] as const)
      : []),
  ];
}

/** The journal, or a file of the owner's folder that systemd opens as root and appends to. */
export function logLines(given: string | undefined, unit: string): readonly UnitLine[] {
  const folder = wholeLogFolder(given);
  return folder === undefined
    ? [["SyslogIdentifier", unit]]
    : [
        { comment: "Nobody shortens this file; logrotate does with copytruncate." },
        [
          "StandardOutput",
          `append:${unitRestPath(`${folder.replace(/\/+$/, "")}/${unit}.log`, "runtime.process.logFolder")}`,
        ],
        ["StandardError", "inherit"],
      ];
}

const findings = ({ name, refused, privileged }: DeployedService): readonly Diagnostic[] => [
  ...(refused === undefined
    ? []
    : [
        {
          code: "render.refused-service" as const,
          severity: "warning" as const,
          path: `services.${name}`,
          message: `The unit of ${name} is as written, is not enabled, and starts only where ${OPT_IN}/${name} exists: ${refused.reason}`,
          hint: refused.hint,
        },
      ]),
  ...(privileged
    ? [
        {
          code: "render.not-applicable" as const,
          severity: "note" as const,
          path: `services.${name}.privileged`,
          message: `privileged is about containers; the unit of ${name} is sandboxed like all others.`,
          hint: `systemctl edit ${unitName({ name })}   # loosen what it needs`,
        },
      ]
    : []),
];
