import { OmniError } from "../../core/index.ts";

const TRACES = "/v1/traces";

/**
 * Where traces go: the spec's address is the collector's own (`http://collector:4318`), to which the path of traces is
 * added unless it stands there. Throws OmniError `telemetry.otlp` for addresses of OTLP over gRPC and for what is no address.
 */
export function otlpUrl(address: string): URL {
  const url = URL.parse(address);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) throw notHttp(address, url);
  if (!url.pathname.endsWith(TRACES)) url.pathname = url.pathname.replace(/\/+$/, "") + TRACES;
  return url;
}

function notHttp(address: string, url: URL | null): OmniError {
  const scheme = url === null ? "no scheme" : url.protocol.slice(0, -1);
  const host = /^[a-z]+:\/\/(?:[^@/]*@)?([^:/?#]+)/i.exec(address)?.[1] ?? "otel-collector";
  return new OmniError(
    "telemetry.otlp",
    `telemetry.traces.otlp has ${scheme}; Omni sends traces by OTLP over HTTP, and not over gRPC.`,
    { hint: `otlp: http://${host}:4318 (collectors listen for HTTP on 4318, for gRPC on 4317)` },
  );
}
