import type { Diagnostic } from "../../core/index.ts";
import type { DeployedService, Deployment } from "../../deployment/index.ts";
import type { Artifact } from "../artifact.ts";
import { unitCommand, unitPath, unitText } from "../escape/systemd.ts";
import { isSealed, pinnedCards, seenPaths } from "./engine-seen.ts";
import type { SeenPaths } from "./engine-seen.ts";
import { environmentExample, unitEnvironment } from "./environment.ts";
import type { UnitEnvironment } from "./environment.ts";
import { OPT_IN, unitServices, unitName, WAIT_READY } from "./names.ts";
import { nvidiaUnitName, wantsNvidia } from "./nvidia-unit.ts";
import { limitLines, localUrl, logLines, userLines } from "./process-lines.ts";
import { restartLines, startLimit } from "./restart.ts";
import { inHome, sandboxLines } from "./sandbox.ts";
import { timeSpan, unitFile } from "./unit.ts";
import type { UnitLine } from "./unit.ts";

export interface RenderedUnit {
  readonly artifacts: readonly Artifact[];
  readonly diagnostics: readonly Diagnostic[];
}

/** The unit of one engine, with an environment file to fill in where it needs secrets. */
export function engineUnit(service: DeployedService, deployment: Deployment): RenderedUnit {
  const unit = unitName(service);
  const at = `services.${service.name}`;
  const seen = seenPaths(service, deployment.process.user);
  const pinned = pinnedCards(service, deployment);
  const environment = unitEnvironment(service, unit, pinned);
  const after = orderOf(service, deployment);
  const content = unitFile({
    header: headerOf(service, unit),
    sections: [
      { name: "Unit", lines: unitLines(service, deployment, seen.paths, after.services) },
      { name: "Service", lines: serviceLines(service, deployment, seen.paths, environment, after.services) },
      { name: "Install", lines: service.refused === undefined ? [["WantedBy", "omni.target"]] : [] },
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
      ...environmentExample(unit, environment.wanted, `${at}.environment`),
    ],
    diagnostics: [
      ...seen.diagnostics,
      ...environment.diagnostics,
      ...pinned.diagnostics,
      ...after.diagnostics,
      ...findings(service),
      ...programAtHome(service, deployment.process.user),
    ],
  };
}

function unitLines(
  service: DeployedService,
  deployment: Deployment,
  { read, write }: SeenPaths,
  before: readonly DeployedService[],
): readonly UnitLine[] {
  const after = before.map((one) => `${unitName(one)}.service`);
  return [
    ["Description", unitText(`Omni: ${service.name}, served by ${service.kind}`)],
    ["PartOf", "omni.target"],
    ...wantsNvidia(service.cards.length > 0 ? nvidiaUnitName(deployment) : undefined),
    ["After", ["network.target", ...after].join(" ")],
    // Not Requires: a first start that fails would take this one along for good, and a restart would end it.
    ...(after.length === 0 ? [] : [["Wants", after.join(" ")] as const]),
    ...[...read, ...write].map((path): UnitLine => [
      "RequiresMountsFor",
      unitPath(path, `services.${service.name}.mounts`),
    ]),
    ...optIn(service),
    ...startLimit(service.planned.restart),
  ];
}

function serviceLines(
  service: DeployedService,
  deployment: Deployment,
  paths: SeenPaths,
  environment: UnitEnvironment,
  before: readonly DeployedService[],
): readonly UnitLine[] {
  const { planned } = service;
  const { user, cgroups, logFolder } = deployment.process;
  const unit = unitName(service);
  const at = `services.${service.name}`;
  const gpu = service.cards.length > 0;
  return [
    ["Type", "exec"],
    ["Slice", "omni.slice"],
    ...userLines(user, unit),
    ...environment.lines,
    ...(before.length === 0
      ? []
      : [{ comment: "What it comes after has to answer first; TimeoutStartSec has the time for both." }]),
    ...before.map((one): UnitLine => ["ExecStartPre", waitFor(one, at)]),
    ["ExecStart", environment.command],
    {
      comment:
        "Active means ready: it waits until the engine answers, as long as its weights may take to load.",
    },
    ["ExecStartPost", waitFor(service, at)],
    [
      "TimeoutStartSec",
      timeSpan(service.loadTimeout + Math.max(0, ...before.map(({ loadTimeout }) => loadTimeout))),
    ],
    { comment: "Time that running answers have to end after SIGTERM." },
    ["KillMode", "mixed"],
    ["TimeoutStopSec", timeSpan(service.drainTimeout)],
    ...restartLines(planned.restart),
    ...limitLines(service, cgroups),
    ...logLines(logFolder, unit),
    ...sandboxLines({
      ...paths,
      gpu,
      sealed: cgroups && isSealed(service, deployment),
      filtered: !gpu && service.kind === "llama.cpp",
      homes: service.start.command.some(inHome),
      at,
    }),
  ];
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

/** Returns when a service answers, and fails when its unit's own engine ended before. */
const waitFor = ({ place, start }: DeployedService, at: string): string =>
  unitCommand([WAIT_READY, localUrl(place.host, place.port, start.readyPath)], at);

/** Services whose units it comes after, and names of `after` that no unit here stands for or that never start. */
function orderOf(
  { after, name }: DeployedService,
  deployment: Deployment,
): { readonly services: readonly DeployedService[]; readonly diagnostics: readonly Diagnostic[] } {
  const services = unitServices(deployment);
  const diagnostics: Diagnostic[] = [];
  const before = after.flatMap((wanted) => {
    const found = services.filter((one) => (one.replicaOf ?? one.name) === wanted);
    const starting = found.filter(({ refused }) => refused === undefined);
    if (starting.length === 0)
      diagnostics.push({
        code: "render.not-applicable",
        severity: "note",
        path: `services.${name}.after`,
        message: `${name} comes after ${wanted}, which ${found.length === 0 ? "has no unit here" : "the plan refused"}, so nothing waits for it.`,
      });
    return starting;
  });
  return { services: before, diagnostics };
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

/** Homes are closed to others on most systems, and a unit's user is another. */
const programAtHome = ({ name, start }: DeployedService, user: string | undefined): readonly Diagnostic[] => {
  const program = start.command[0];
  if (!inHome(program)) return [];
  return [
    {
      code: "render.needs-value",
      severity: "warning",
      path: `services.${name}.engine`,
      message: `${program} lies in a home, which ${user ?? "a user that systemd makes up"} may not be allowed to enter: the unit then ends with status=203/EXEC.`,
      hint: "Install it under /opt, or let the owner of that home run it: runtime.process.user.",
    },
  ];
};
