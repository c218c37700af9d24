import type { DeployedService, Deployment } from "../../deployment/index.ts";

/** Annotations that many Prometheus setups look for on pods; `tls` and job names are theirs. */
export const scrape = (port: number, path: string, tls = false): Record<string, string> => ({
  "prometheus.io/scrape": "true",
  "prometheus.io/port": `${port}`,
  "prometheus.io/path": path,
  ...(tls ? { "prometheus.io/scheme": "https" } : {}),
});

/** Whether pods carry annotations for Prometheus: metrics are on, and no ServiceMonitor finds them. */
export const isAnnotated = ({ telemetry }: Deployment): boolean =>
  telemetry.metrics.enabled && !telemetry.metrics.serviceMonitor;

/** Where Prometheus finds the metrics of an engine that has some. */
export const scrapeAnnotations = (
  { start, port }: DeployedService,
  deployment: Deployment,
): Record<string, string> =>
  start.metrics === undefined || !isAnnotated(deployment)
    ? {}
    : scrape(start.metrics.port ?? port, start.metrics.path);
