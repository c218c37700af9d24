/**
 * Target `systemd`: units for plain Linux. Engines that run as processes get one each, sandboxed, bounded and restarted;
 * Omni's gateway stands beside them, or Omni itself where it runs the engines within. Compose projects get a unit that
 * brings them up with the machine. Never here: what an engine's command line is, and whether containers are healthy.
 */
import type { Diagnostic } from "../../core/index.ts";
import type { Deployment } from "../../deployment/index.ts";
import type { Artifact, Target } from "../artifact.ts";
import { composeProjects, composeUnit } from "./compose-units.ts";
import { engineUnit } from "./engine-unit.ts";
import { groupUnits } from "./group-units.ts";
import { installScript } from "./install-script.ts";
import { processServices, unitServices } from "./names.ts";
import { nvidiaUnit, nvidiaUnitName } from "./nvidia-unit.ts";
import { omniUnit, ownUnitOf } from "./own-units.ts";
import { pinnedCards } from "./engine-seen.ts";
import { VISIBLE_CARDS_SCRIPT } from "./visible-cards.ts";
import { WAIT_READY_SCRIPT } from "./wait-ready.ts";
import { needsWholePath, wholeLogFolder } from "./whole-path.ts";

export const systemd: Target = {
  name: "systemd",
  about: "Units for plain Linux: engines as processes, Omni's gateway, compose projects at boot.",
  wanted: (deployment) =>
    deployment.runtime === "process" || deployment.services.some(({ runtime }) => runtime !== "kubernetes"),
  render(deployment) {
    const engines = unitServices(deployment).map((service) => engineUnit(service, deployment));
    // In a compose project the gateway is one of its containers.
    const omni = deployment.runtime === "process" ? [omniUnit(deployment)] : [];
    const scripts = scriptsOf(deployment, engines.length + omni.length > 0);
    const projects = composeProjects(deployment).map((project) => composeUnit(deployment, project));
    const units = [...engines, ...omni];
    if (units.length + projects.length === 0)
      return { artifacts: [], diagnostics: startedByNobody(deployment) };
    const nvidia = nvidiaUnitName(deployment);
    const artifacts = [
      ...units.flatMap((unit) => unit.artifacts),
      ...projects,
      ...(nvidia === undefined ? [] : [nvidiaUnit(nvidia)]),
      ...groupUnits,
    ];
    return {
      artifacts: [...artifacts, ...scripts, install(deployment, artifacts, scripts)],
      diagnostics: [
        ...units.flatMap(({ diagnostics }) => diagnostics),
        ...severalMachines(deployment),
        ...startedByNobody(deployment),
        ...logFindings(deployment),
      ],
    };
  },
};

/** Scripts that the units call, each only where one of them does. */
const scriptsOf = (deployment: Deployment, waits: boolean): readonly Artifact[] => [
  ...(waits ? [waitReady] : []),
  ...(unitServices(deployment).some((service) => pinnedCards(service, deployment).lookUp.length > 0)
    ? [visibleCards]
    : []),
];

const visibleCards: Artifact = {
  path: "systemd/visible-cards",
  content: VISIBLE_CARDS_SCRIPT,
  mode: 0o755,
  reason: "asked for by the units of vLLM, which takes its cards by number and is given them by UUID",
};

const waitReady: Artifact = {
  path: "systemd/wait-ready",
  content: WAIT_READY_SCRIPT,
  mode: 0o755,
  reason: "asked for by the units: active means that the engine can serve",
};

const isUnit = (name: string): boolean => /\.(?:service|target|slice)$/.test(name);

function install(
  deployment: Deployment,
  artifacts: readonly Artifact[],
  scripts: readonly Artifact[],
): Artifact {
  const names = artifacts.map(({ path }) => path.slice("systemd/".length));
  // The others come with the units that name them, and a refused one with nobody.
  const enabled = artifacts.filter(({ path, content }) => isUnit(path) && /^\[Install\]$/m.test(content));
  const { user } = deployment.process;
  const logFolder = wholeLogFolder(deployment.process.logFolder);
  const processes = deployment.runtime === "process";
  return {
    path: "systemd/install.sh",
    content: installScript({
      units: names.filter(isUnit),
      enabled: enabled.map(({ path }) => path.slice("systemd/".length)),
      environments: names.flatMap((name) =>
        name.endsWith(".env.example") ? [name.slice(0, -".env.example".length)] : [],
      ),
      specs: names.filter((name) => name.endsWith(".yaml") || name.endsWith(".json")),
      ownSpec: processes && !ownUnitOf(deployment).gateway,
      omni: processes,
      scripts: scripts.map(({ path }) => path.slice("systemd/".length)),
      projects: composeProjects(deployment).map(({ folder }) => folder),
      ...(logFolder === undefined ? {} : { logFolder }),
      ...(user === undefined ? {} : { user }),
    }),
    mode: 0o755,
    reason: "asked for by the units: copies, checks and enables them",
  };
}

const logFindings = ({ process: { logFolder } }: Deployment): readonly Diagnostic[] =>
  logFolder === wholeLogFolder(logFolder)
    ? []
    : [needsWholePath("runtime.process.logFolder", logFolder ?? "", "logs go to the journal")];

/** Engines that are processes beside containers or a cluster: Omni itself runs there as a container, and starts none. */
function startedByNobody(deployment: Deployment): readonly Diagnostic[] {
  if (deployment.runtime === "process" || deployment.process.systemd) return [];
  return processServices(deployment).map(({ name }) => ({
    code: "render.not-applicable",
    severity: "warning",
    path: `services.${name}.runtime`,
    message: `${name} runs as a process, beside a gateway in a container that starts no processes: nothing rendered starts it.`,
    hint: "runtime: { process: { systemd: true } } gives it a unit.",
  }));
}

/** Units of several machines lie side by side, and only their owner knows which machine install.sh runs on. */
function severalMachines(deployment: Deployment): readonly Diagnostic[] {
  const machines = [
    ...new Set(
      deployment.services.flatMap(({ runtime, machine }) =>
        runtime === "kubernetes" ? [] : (machine ?? []),
      ),
    ),
  ];
  return machines.length < 2
    ? []
    : [
        {
          code: "render.not-applicable",
          severity: "warning",
          path: "services",
          message: `The units are of ${machines.length} machines (${machines.join(", ")}), and install.sh installs all of them. Engines that run as processes listen on their own machine only, so the gateway reaches those beside it.`,
          hint: "On each machine, delete the units of the others before sh install.sh; or render one spec a machine.",
        },
      ];
}
