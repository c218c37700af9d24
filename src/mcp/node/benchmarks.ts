import { z } from "zod";

import { formatBytes, formatDuration } from "../../core/index.ts";
import type { Measurement } from "../../store/index.ts";
import type { NodeAccess } from "./node-access.ts";
import type { NodeTool } from "./node-tool.ts";
import { nodeTool, READS } from "./node-tool.ts";
import { requestFigures } from "./request-figures.ts";
import type { RequestFigures } from "./request-figures.ts";

/** Requests that figures are made of at most. */
const ROWS = 1000;
const LOADS = 20;

/** `benchmarks`: what was measured here, never what was promised. */
export const benchmarks = (access: NodeAccess): NodeTool =>
  nodeTool({
    name: "benchmarks",
    title: "Measured performance of this node",
    description:
      "What was measured on this node: latency (p50, p95), time to first token and tokens per second of the newest requests by route and service; and for each load of a model the memory predicted and really taken, load time and best tokens per second.",
    arguments: z.strictObject({
      service: z.string().min(1).max(200).optional().describe("Only this service."),
    }),
    annotations: READS,
    async run({ service }) {
      const filter = service === undefined ? {} : { service };
      const requests = requestFigures(await access.requests.latest(ROWS, filter));
      const loads = access
        .measurements()
        .filter((one) => service === undefined || one.service === service)
        .slice(0, LOADS)
        .map(loadOf);
      const lines = [...requests.map(requestLine), ...loads.map(loadLine)];
      return {
        text: lines.length === 0 ? "Nothing was measured yet: no request, no load." : lines.join("\n"),
        data: { requests, loads },
      };
    },
  });

interface Load {
  readonly service: string;
  readonly model: string;
  readonly engine: string;
  readonly version: string;
  readonly time: string;
  readonly load_time_ms?: number;
  readonly tokens_per_second?: number;
  readonly memory: readonly {
    readonly device: string;
    readonly predicted_bytes?: number;
    readonly took_bytes?: number;
  }[];
}

/** A measured load as data. */
export const loadOf = (one: Measurement): Load => ({
  service: one.service,
  model: one.model,
  engine: one.engine,
  version: one.version,
  time: new Date(one.time).toISOString(),
  ...(one.loadTime === undefined ? {} : { load_time_ms: Math.round(one.loadTime) }),
  ...(one.tokensPerSecond === undefined
    ? {}
    : { tokens_per_second: Math.round(one.tokensPerSecond * 10) / 10 }),
  memory: one.devices.map(({ device, predicted, took }) => ({
    device,
    ...(predicted.total === undefined ? {} : { predicted_bytes: predicted.total }),
    ...(took.total === undefined ? {} : { took_bytes: took.total }),
  })),
});

function requestLine(figures: RequestFigures): string {
  const { route, service, requests, failed, duration_ms, first_token_ms, tokens_per_second } = figures;
  const said = [
    `${requests} requests, ${failed} failed`,
    ...(duration_ms === undefined
      ? []
      : [`latency p50 ${formatDuration(duration_ms.p50)}, p95 ${formatDuration(duration_ms.p95)}`]),
    ...(first_token_ms === undefined
      ? []
      : [`first token p50 ${formatDuration(first_token_ms.p50)}, p95 ${formatDuration(first_token_ms.p95)}`]),
    ...(tokens_per_second === undefined ? [] : [`${tokens_per_second} tokens/s each`]),
  ];
  return `${route}${route === service ? "" : ` at ${service}`}: ${said.join("; ")}.`;
}

/** `oracle (Qwen with llama.cpp b4000): loaded in 3s; gpu0 predicted 4.00 GiB, took 4.10 GiB (+2.5 %).` */
export function loadLine(load: Load): string {
  const { service, model, engine, version, load_time_ms, tokens_per_second, memory } = load;
  const said = [
    ...(load_time_ms === undefined ? [] : [`loaded in ${formatDuration(load_time_ms)}`]),
    ...(tokens_per_second === undefined ? [] : [`at best ${tokens_per_second} tokens/s for all requests`]),
    ...memory.map(({ device, predicted_bytes: predicted, took_bytes: took }) => {
      const foreseen = predicted === undefined ? "" : `predicted ${formatBytes(predicted)}, `;
      if (took === undefined) return `${device} ${foreseen}nobody told what it took`;
      const error = predicted === undefined || predicted === 0 ? undefined : (took - predicted) / predicted;
      return `${device} ${foreseen}took ${formatBytes(took)}${error === undefined ? "" : ` (${signed(error * 100)} %)`}`;
    }),
  ];
  const on = `${engine}${version === "" ? "" : ` ${version}`}`;
  return `${service} (${model} with ${on}): ${said.join("; ")}.`;
}

const signed = (value: number): string => `${value < 0 ? "" : "+"}${value.toFixed(1)}`;
