import { join } from "node:path";
import { OmniError } from "../../../core/index.ts";
import type { DeployedService } from "../../../deployment/index.ts";
import type { HostTransport } from "../../../host/transport/index.ts";
import { sha256 } from "../../../render/index.ts";
import { ETC, unitName, unitServices } from "../../../render/systemd/names.ts";
import { ownUnitOf } from "../../../render/systemd/own-units.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Observation, Step, StepContext } from "../../step.ts";
import { machineOf } from "../engines/machine-of.ts";
import { differingFiles, hostFolder, placedFiles, placeFiles, secretsFile } from "./placed-files.ts";
import type { PlacedFile } from "./placed-files.ts";
import { serviceNeeds } from "./service-needs.ts";

const UNITS = "/etc/systemd/system";
const PATIENCE = 60_000;
const INSTALLING = 600_000;
const GATEWAY_LOADS = 120_000;
const LAST_LINES = 20;

/** Units of a plain host: installed by the rendered script, then each started and waited for. None without systemd. */
export function systemdSteps(input: RunbookInput): readonly Step[] {
  const { deployment } = input;
  const services = unitServices(deployment).filter(({ refused }) => refused === undefined);
  if (services.length === 0) return [];
  const own = ownUnitOf(deployment);
  return [
    installStep(input, services),
    ...services.map((service) =>
      unitStep(input, {
        id: `service/${service.name}`,
        unit: unitName(service),
        asked: `services.${service.replicaOf ?? service.name}`,
        machine: service.machine,
        needs: [...serviceNeeds(service, deployment), INSTALL],
        loads: service.loadTimeout,
      }),
    ),
    ...(deployment.runtime === "process"
      ? [
          unitStep(input, {
            id: "gateway",
            unit: own.unit,
            asked: "gateway",
            machine: services[0]?.machine,
            needs: [INSTALL, ...services.map(({ name }) => `service/${name}`)],
            loads: GATEWAY_LOADS,
          }),
        ]
      : []),
  ];
}

const INSTALL = "units/systemd";

/** `units/systemd`: units, scripts and files of secrets where systemd looks for them. */
function installStep(input: RunbookInput, services: readonly DeployedService[]): Step {
  const { deployment, rendered } = input;
  const machines = [...new Set(services.map(({ machine }) => machine))];
  const [machine] = machines;
  return {
    id: INSTALL,
    phase: "services",
    title: "units installed for systemd",
    asked: "runtime.process.systemd",
    needs: machine === undefined ? [] : [`host/${machine}`],
    inputs: sha256(
      filesOf(rendered.files)
        .map(({ path, sha256: hash }) => `${path} ${hash}`)
        .join("\n"),
    ),
    timeout: INSTALLING,
    precheck: async () => {
      if (machines.length > 1)
        await Promise.reject(
          new OmniError(
            "render.not-applicable",
            `The units are of ${machines.length} machines (${machines.join(", ")}), and the script installs all of them on one.`,
            { hint: "Make a spec for each machine, with the services of that machine." },
          ),
        );
    },
    verify: async (context) => {
      const host = await context.host(machineOf(deployment, machine));
      const files = [...installedUnits(input), ...(await environmentFiles(input, context))];
      const wrong = await differingFiles(host, files);
      return wrong.length === 0
        ? { done: true, evidence: files.map(({ path }) => path) }
        : { done: false, missing: `not as rendered on ${host.name}: ${wrong.join(", ")}` };
    },
    apply: async (context) => {
      const host = await context.host(machineOf(deployment, machine));
      const folder = hostFolder(input, host);
      await placeFiles(
        context,
        host,
        placedFiles(input, host, (path) => /^(?:systemd|compose)\//.test(path)),
      );
      await context.run(host, { argv: ["mkdir", "-p", "--", ETC], timeout: PATIENCE });
      await placeFiles(context, host, await environmentFiles(input, context));
      await context.run(host, { argv: ["sh", join(folder, "systemd/install.sh")], timeout: INSTALLING });
    },
    preview: ["sh systemd/install.sh", ...installedUnits(input).map(({ path }) => path)],
  };
}

const filesOf = (files: RunbookInput["rendered"]["files"]): RunbookInput["rendered"]["files"] =>
  files.filter(({ path }) => path.startsWith("systemd/"));

const installedUnits = ({ rendered }: RunbookInput): readonly PlacedFile[] =>
  filesOf(rendered.files).flatMap(({ path, content, mode }) => {
    const name = path.slice("systemd/".length);
    return /\.(?:service|target|slice)$/.test(name) ? [{ path: `${UNITS}/${name}`, content, mode }] : [];
  });

/** Files of secrets, from what the units' examples name. */
const environmentFiles = (input: RunbookInput, context: StepContext): Promise<readonly PlacedFile[]> =>
  Promise.all(
    filesOf(input.rendered.files)
      .filter(({ path }) => path.endsWith(".env.example"))
      .map(async ({ path, content }) => ({
        path: `${ETC}/${path.slice("systemd/".length, -".example".length)}`,
        content: await secretsFile(input, context, content, doubleQuoted),
        mode: 0o600,
      })),
  );

/** Source: systemd.exec(5), EnvironmentFile: C-style escapes between double quotes. */
const doubleQuoted = (value: string): string => `"${value.replaceAll(/["\\`$]/g, (one) => `\\${one}`)}"`;

interface Unit {
  readonly id: string;
  readonly unit: string;
  readonly asked: string;
  readonly machine: string | undefined;
  readonly needs: readonly string[];
  /** Longest time until it serves, milliseconds. */
  readonly loads: number;
}

function unitStep(input: RunbookInput, { id, unit, asked, machine, needs, loads }: Unit): Step {
  const { deployment } = input;
  const content = input.rendered.files.find(({ path }) => path === `systemd/${unit}.service`)?.content ?? "";
  const hash = sha256(content);
  const hostOf = (context: StepContext): Promise<HostTransport> =>
    context.host(machineOf(deployment, machine));
  const marker = (host: HostTransport): string => join(hostFolder(input, host), "started", unit);
  return {
    id,
    phase: "services",
    title: `${unit}.service started${machine === undefined ? "" : ` on ${machine}`}`,
    asked,
    needs,
    inputs: { unit, hash },
    timeout: loads + INSTALLING,
    verify: async (context) => {
      const host = await hostOf(context);
      const active = await context.look(host, {
        argv: ["systemctl", "is-active", `${unit}.service`],
        timeout: PATIENCE,
      });
      const state = active.ended ? active.stdout.trim() : active.message;
      const started = Buffer.from((await host.readFile(marker(host))) ?? "").toString("utf8");
      return observed(unit, host, state, started === hash);
    },
    apply: async (context) => {
      const host = await hostOf(context);
      await startUnit(context, host, unit, loads);
      await placeFiles(context, host, [{ path: marker(host), content: hash, mode: 0o644 }]);
    },
    preview: [`systemctl restart ${unit}.service`],
  };
}

function observed(unit: string, host: HostTransport, state: string, isCurrent: boolean): Observation {
  if (state !== "active") return { done: false, missing: `${unit}.service is ${state} on ${host.name}` };
  return isCurrent
    ? { done: true, evidence: [`${unit}.service is active on ${host.name}: its own check has been answered`] }
    : { done: false, missing: `${unit}.service runs on ${host.name} from another rendering` };
}

/** Active means that the engine serves: the unit waits for its health. */
async function startUnit(
  context: StepContext,
  host: HostTransport,
  unit: string,
  loads: number,
): Promise<void> {
  const name = `${unit}.service`;
  const result = await context.run(
    host,
    { argv: ["systemctl", "restart", name], timeout: loads + PATIENCE },
    [0, 1],
  );
  if (result.code === 0) return;
  const log = await context.look(host, {
    argv: ["journalctl", "--unit", name, "--lines", String(LAST_LINES), "--no-pager", "--output", "cat"],
    timeout: PATIENCE,
  });
  const words = log.stdout
    .trimEnd()
    .split("\n")
    .map((line) => `\n  ${line}`);
  throw new OmniError(
    "service.unhealthy",
    `${name} does not start on ${host.name}: ${result.stderr.trim()}. Its last words:${words.join("")}`,
  );
}
