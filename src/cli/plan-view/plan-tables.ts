import { stripVTControlCharacters } from "node:util";
import { formatBytes } from "../../core/index.ts";
import type { Plan } from "../../plan/index.ts";
import { table } from "../terminal.ts";
import type { Terminal } from "../terminal.ts";
import { memoryBars } from "./memory-bars.ts";

type Service = Plan["services"][number];

/** Everything a plan decided, for a person: services, memory, what was not taken, ladder, turns, routes. */
export function printPlan(plan: Plan, terminal: Terminal): void {
  section(terminal, "SERVICES", servicesTable(plan, terminal));
  section(terminal, "MEMORY", memoryBars(plan, terminal));
  section(terminal, "NOT TAKEN", notTaken(plan, terminal));
  section(terminal, "BY TURNS", swapSets(plan));
  section(terminal, "WHEN MEMORY RUNS SHORT", ladders(plan, terminal));
  section(terminal, "ROUTES", routes(plan));
}

function section(terminal: Terminal, title: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  terminal.out(terminal.style("bold", title));
  for (const line of lines) terminal.out(line === "" ? "" : `  ${line}`);
  terminal.out("");
}

function servicesTable(plan: Plan, terminal: Terminal): readonly string[] {
  const whole = servicesRows(plan, terminal, []);
  const wide = Math.max(...whole.map((line) => stripVTControlCharacters(line).length)) + 2 > terminal.columns;
  return terminal.interactive && wide ? servicesRows(plan, terminal, NAMES) : whole;
}

function servicesRows(plan: Plan, { style }: Terminal, most: readonly number[]): readonly string[] {
  const cut = (name: string, column: number): string => shortened(name, most[column] ?? Infinity);
  if (plan.services.length === 0) return ["none could be placed"];
  const head = ["SERVICE", "ENGINE", "MODEL", "ON", "CONTEXT", "PARALLEL", "KV TOKENS", "MEMORY", ""];
  const rows = plan.services.map((service) => [
    style("bold", cut(service.name, 0)),
    cut([service.engine.name, service.engine.version].filter((part) => part !== "unknown").join(" "), 1),
    // What reads no model (ComfyUI) has none to name.
    service.model.path === "" && service.model.sizeBytes === 0 ? "" : cut(service.model.name, 2),
    cut(onDevices(service), 3),
    service.contextTokens > 0 ? String(service.contextTokens) : "",
    service.parallel > 0 ? String(service.parallel) : "",
    kvTokens(service),
    service.memory.length === 0 ? "elsewhere" : formatBytes(sum(service.memory.map((terms) => terms.total))),
    style(service.band === "tight" ? "yellow" : "green", service.band ?? ""),
  ]);
  return table([head.map((cell) => style("dim", cell)), ...rows]).split("\n");
}

/** Columns of long names that give way on a narrow terminal, and what they keep. */
const NAMES = [24, 16, 24, 24];

/** A name with its middle left out. */
const shortened = (name: string, columns: number): string =>
  name.length <= columns
    ? name
    : `${name.slice(0, Math.ceil((columns - 1) / 2))}…${name.slice(-Math.floor((columns - 1) / 2))}`;

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

const onDevices = (service: Service): string =>
  service.devices.length === 0 ? "remote" : service.devices.join(" + ");

const kvTokens = ({ kvCache }: Service): string =>
  kvCache === undefined || kvCache.tokens === 0 || kvCache.bytes === 0
    ? ""
    : `${kvCache.tokens} (${kvCache.concurrency.toFixed(2)}×)`;

export function notTaken(plan: Plan, { style }: Terminal, service?: string): readonly string[] {
  const alike = Map.groupBy(
    plan.rejected.filter((rejection) => service === undefined || rejection.service === service),
    (rejection) => JSON.stringify([rejection.service, rejection.devices, rejection.reason]),
  );
  return [...alike.values()].flatMap((rejections) => {
    const engines = rejections.map(({ engine }) => engine).join(", ");
    return rejections.slice(0, 1).flatMap((rejection) => {
      const on = rejection.devices.length === 0 ? "" : ` on ${rejection.devices.join(" + ")}`;
      const mark = rejection.alternative === true ? "smaller" : rejection.code;
      return [
        `${style("bold", rejection.service)} with ${engines}${on} ${style("dim", `(${mark})`)}`,
        `  ${rejection.reason}`,
        ...(rejection.alternative === true || rejection.hint === ""
          ? []
          : [`  ${style("green", "→")} ${rejection.hint}`]),
      ];
    });
  });
}

const swapSets = (plan: Plan): readonly string[] =>
  (plan.swapSets ?? []).map((set) => {
    const reserves = set.reserves
      .filter((reserve) => reserve.bytes > 0)
      .map((reserve) => `${formatBytes(reserve.bytes)} on ${reserve.device}`);
    return `${set.services.join(" ⇄ ")}: one at a time, ${set.standing} when idle; ${reserves.join(", ")}`;
  });

/** The steps of every ladder that would change something; those of one service (`name`) all, with why some would not. */
export function ladders(plan: Plan, { style }: Terminal, name?: string): readonly string[] {
  const shown = plan.services.flatMap((service) => {
    const steps = [...(service.ladder ?? []).entries()].filter(
      ([, rung]) => name !== undefined || rung.noEffect === undefined,
    );
    return (name === undefined || service.name === name) && steps.length > 0 ? [{ service, steps }] : [];
  });
  return shown.flatMap(({ service, steps }) => [
    style("bold", service.name),
    ...steps.map(([index, rung]) => {
      const frees = rung.frees.map(({ device, bytes }) =>
        bytes >= 0 ? `frees ${formatBytes(bytes)} on ${device}` : `takes ${formatBytes(-bytes)} of ${device}`,
      );
      const effect =
        rung.noEffect === undefined ? frees.join(", ") : style("dim", `no effect: ${rung.noEffect}`);
      return `  ${index + 1}. ${rung.change}${effect === "" ? "" : ` – ${effect}`}`;
    }),
  ]);
}

const routes = (plan: Plan): readonly string[] =>
  plan.routes.length === 0
    ? []
    : table(plan.routes.map((route) => [route.name, route.services.join(" → ")])).split("\n");
