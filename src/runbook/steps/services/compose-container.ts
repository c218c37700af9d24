import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { formatDuration, OmniError } from "../../../core/index.ts";
import type { ComposeProject } from "./compose-project.ts";

const PATIENCE = 60_000;
/** Between two looks, milliseconds. */
const PAUSE = 1000;
/** Docker starts a container again and again; after so many times it will not come. */
const MOST_RESTARTS = 3;
const LAST_LINES = 20;

const CONTAINER = z.object({
  Id: z.string(),
  Name: z.string(),
  Image: z.string(),
  RestartCount: z.number().default(0),
  State: z.object({
    Status: z.string(),
    ExitCode: z.number().default(0),
    Health: z.object({ Status: z.string() }).nullish(),
  }),
  Config: z.object({ Image: z.string(), Labels: z.record(z.string(), z.string()).nullish() }),
});

/** A container of a compose project. */
export interface ComposeContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  /** `running`, `exited`, `restarting`… */
  readonly status: string;
  /** Absent for one without a health check. */
  readonly health?: string;
  readonly exitCode: number;
  readonly restarts: number;
  readonly hash?: string;
}

/** The container of a service; nothing where there is none. */
export async function containerOf(
  { context, host }: ComposeProject,
  project: string,
  service: string,
): Promise<ComposeContainer | undefined> {
  const listed = await context.look(host, {
    argv: [
      "docker",
      "ps",
      "--all",
      "--no-trunc",
      "--quiet",
      "--filter",
      `label=com.docker.compose.project=${project}`,
      "--filter",
      `label=com.docker.compose.service=${service}`,
      "--filter",
      "label=com.docker.compose.oneoff=False",
    ],
    timeout: PATIENCE,
  });
  if (!listed.ended || listed.code !== 0)
    throw new OmniError(
      "image.no-builder",
      `Docker on ${host.name} does not answer: ${listed.ended ? listed.stderr.trim() : listed.message}`,
    );
  const [id = ""] = listed.stdout.trim().split("\n");
  if (id === "") return undefined;
  const seen = await context.look(host, {
    argv: ["docker", "inspect", "--type", "container", "--format", "{{json .}}", id],
    timeout: PATIENCE,
    mostBytes: 2 ** 20,
  });
  if (!seen.ended || seen.code !== 0) return undefined;
  const { Id, Name, Image, RestartCount, State, Config } = CONTAINER.parse(JSON.parse(seen.stdout));
  const hash = Config.Labels?.["com.docker.compose.config-hash"];
  const health = State.Health?.Status;
  return {
    id: Id,
    name: Name.replace(/^\//, ""),
    image: `${Config.Image} (${Image.slice(0, 19)})`,
    status: State.Status,
    exitCode: State.ExitCode,
    restarts: RestartCount,
    ...(health === undefined ? {} : { health }),
    ...(hash === undefined ? {} : { hash }),
  };
}

export const isServing = ({ status, health }: ComposeContainer): boolean =>
  status === "running" && (health === undefined || health === "healthy" || health === "none");

const hasFailed = ({ status, health, restarts }: ComposeContainer): boolean =>
  status === "exited" || status === "dead" || health === "unhealthy" || restarts >= MOST_RESTARTS;

/**
 * Waits until a service serves, by its own health check, at most so many milliseconds. Throws `OmniError`
 * `service.unhealthy` with the last lines of its log.
 */
export async function awaitServing(
  project: ComposeProject,
  names: { readonly project: string; readonly service: string },
  patience: number,
): Promise<void> {
  const { context } = project;
  const since = performance.now();
  for (;;) {
    const container = await containerOf(project, names.project, names.service);
    if (container !== undefined && isServing(container)) return;
    const waited = performance.now() - since;
    if (container === undefined || hasFailed(container) || waited > patience)
      throw await unhealthy(project, names.service, container, waited);
    context.progress({
      done: Math.round(waited / 1000),
      total: Math.round(patience / 1000),
      unit: "seconds",
      text: `${names.service} is ${container.health ?? container.status}`,
    });
    await sleep(PAUSE, undefined, { signal: context.signal });
  }
}

async function unhealthy(
  { context, host }: ComposeProject,
  service: string,
  container: ComposeContainer | undefined,
  waited: number,
): Promise<OmniError> {
  const after = `after ${formatDuration(Math.round(waited / 1000) * 1000)}`;
  if (container === undefined)
    return new OmniError("service.unhealthy", `${service} has no container on ${host.name} ${after}.`);
  const log = await context.look(host, {
    argv: ["docker", "logs", "--tail", String(LAST_LINES), container.id],
    timeout: PATIENCE,
  });
  const words = `${log.stdout}${log.stderr}`.trimEnd().split("\n").slice(-LAST_LINES);
  const { name, status, health, exitCode, restarts } = container;
  const state = [
    status === "exited" ? `ended with status ${exitCode}` : status,
    ...(health === undefined ? [] : [health]),
    ...(restarts === 0 ? [] : [`started again ${restarts} times`]),
  ].join(", ");
  return new OmniError(
    "service.unhealthy",
    `${service} does not serve on ${host.name} ${after}: ${name} is ${state}. Its last words:${words.map((line) => `\n  ${line}`).join("")}`,
  );
}
