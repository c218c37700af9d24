import { readFile } from "node:fs/promises";

import { messageOf, OmniError, present } from "../../core/index.ts";
import { isLoopback } from "../../gateway/access.ts";
import type { GatewayLimits, GatewayOptions } from "../../gateway/index.ts";
import type { Plan } from "../../plan/index.ts";
import type { MetricNames, TelemetryOptions } from "../../telemetry/index.ts";
import type { Spec } from "../../spec/index.ts";
import { readSecretOf, resolveFrom } from "../node-spec.ts";
import type { LocatedSpec } from "../node-spec.ts";

/** What the spec says of the gateway, as the gateway takes it, with its files and secrets read. */
export interface GatewaySettings extends Pick<
  GatewayOptions,
  "limits" | "corsOrigins" | "allowedHosts" | "tls" | "anthropic"
> {
  readonly telemetry: Pick<TelemetryOptions, "metrics" | "logs" | "traces">;
  /** Nowhere when absent. */
  readonly metricsPath?: string;
  readonly mcp: Spec["gateway"]["mcp"];
  /** Processes that share the port. */
  readonly workers: number;
  /** Milliseconds. */
  readonly drain: number;
}

/** A request outlives the load of its model by this, ms, so that the answer of an engine that fails then is retried. */
const AFTER_LOADING = 60_000;
const LEAST_RETRY_TIME = 180_000;

/** As `telemetry.traces.sampling` defaults. */
const USUAL_SAMPLING = 0.1;

/** Throws OmniError gateway.tls and key.unset. */
export async function gatewaySettings(located: LocatedSpec): Promise<GatewaySettings> {
  const { gateway, telemetry } = located.spec;
  const { metrics, logs } = telemetry;
  const { file, ...log } = logs;
  return {
    limits: limitsOf(located),
    corsOrigins: gateway.cors ?? [],
    allowedHosts: allowedHosts(located),
    anthropic: gateway.anthropic,
    ...present({ tls: await tlsFiles(located) }),
    telemetry: {
      metrics: metrics.enabled,
      logs: { ...log, ...(file === undefined ? {} : { file: resolveFrom(located.folder, file) }) },
      ...present({ traces: await tracesOf(located) }),
    },
    ...(metrics.enabled ? { metricsPath: metrics.path } : {}),
    mcp: gateway.mcp,
    workers: gateway.workers,
    drain: gateway.timeouts.drain,
  };
}

const limitsOf = ({ spec: { gateway, policies } }: LocatedSpec): Partial<GatewayLimits> => ({
  bodyBytes: gateway.bodyLimit,
  headerTime: gateway.timeouts.headers,
  bodyTime: gateway.timeouts.body,
  keepAliveTime: gateway.timeouts.idle,
  connectTime: gateway.timeouts.connect,
  loadingWait: policies.swap.maxWait,
  queueLimit: gateway.queue.limit,
  queueTime: gateway.queue.deadline,
  retryTime: Math.max(LEAST_RETRY_TIME, policies.swap.maxWait, gateway.queue.deadline) + AFTER_LOADING,
});

/** A name by which clients reach it through a proxy is one of its own. */
function allowedHosts({ spec: { gateway } }: LocatedSpec): readonly string[] {
  const { allowedHosts: listed = [], publicUrl } = gateway;
  // Without a list every name is accepted beyond the loopback; the public one alone must not become the only one.
  if (publicUrl === undefined || (listed.length === 0 && !isLoopback(gateway.host))) return listed;
  return [...listed, new URL(publicUrl).hostname];
}

async function tlsFiles({ spec, folder }: LocatedSpec): Promise<GatewayOptions["tls"]> {
  const { tls } = spec.gateway;
  if (tls === undefined) return undefined;
  const path = resolveFrom(folder, tls.certificate);
  const certificate = await readFile(path, "utf8").catch((thrown: unknown) => {
    throw new OmniError("gateway.tls", `The certificate ${path} cannot be read: ${messageOf(thrown)}.`, {
      cause: thrown,
    });
  });
  const key = await readSecretOf(tls.key, folder);
  if (key === undefined) {
    const from = tls.key.env === undefined ? `the file ${tls.key.file ?? ""}` : `the variable ${tls.key.env}`;
    throw new OmniError(
      "gateway.tls",
      `The private key of gateway.tls comes from ${from}, which is not set.`,
    );
  }
  return { certificate, key };
}

async function tracesOf({ spec, folder }: LocatedSpec): Promise<TelemetryOptions["traces"]> {
  const { traces } = spec.telemetry;
  if (traces === undefined) return undefined;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(traces.headers ?? {})) {
    const text = typeof value === "string" ? value : await readSecretOf(value, folder);
    if (text === undefined) {
      throw new OmniError("key.unset", `The header ${name} of telemetry.traces is not set.`, {
        hint: "Set the variable or write the file that the spec names for it.",
      });
    }
    headers[name] = text;
  }
  return { otlp: traces.otlp, headers, sampling: traces.sampling ?? USUAL_SAMPLING, node: spec.name };
}

/** Names that metrics may carry. */
export const metricNames = (plan: Plan, keys: readonly string[]): MetricNames => ({
  routes: [...new Set(plan.routes.map(({ name, rules }) => rules?.route ?? name))],
  services: plan.services.map(({ name, model, engine }) => ({
    name,
    model: model.name,
    kind: engine.kind ?? engine.name,
  })),
  keys,
});
