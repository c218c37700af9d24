import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { z } from "zod";

const HEX = (digits: number) => z.string().regex(new RegExp(`^(?!0+$)[0-9a-f]{${digits}}$`));
const INT64 = z.string().regex(/^-?\d+$/);
const ATTRIBUTE = z.strictObject({
  key: z.string().min(1),
  value: z.union([
    z.strictObject({ stringValue: z.string() }),
    z.strictObject({ intValue: INT64 }),
    z.strictObject({ doubleValue: z.number() }),
    z.strictObject({ boolValue: z.boolean() }),
  ]),
});
const SPAN = z.strictObject({
  traceId: HEX(32),
  spanId: HEX(16),
  parentSpanId: HEX(16).optional(),
  name: z.string().min(1),
  kind: z.int().min(1).max(5),
  startTimeUnixNano: INT64,
  endTimeUnixNano: INT64,
  attributes: z.array(ATTRIBUTE),
  status: z.strictObject({ code: z.int().min(0).max(2).optional(), message: z.string().optional() }),
});

/** ExportTraceServiceRequest with the field names of opentelemetry-proto in their JSON form, and no others. */
const REQUEST = z.strictObject({
  resourceSpans: z.array(
    z.strictObject({
      resource: z.strictObject({ attributes: z.array(ATTRIBUTE) }),
      scopeSpans: z.array(
        z.strictObject({
          scope: z.strictObject({ name: z.string(), version: z.string() }),
          spans: z.array(SPAN),
        }),
      ),
    }),
  ),
});

export type CollectedSpan = z.infer<typeof SPAN>;

export interface Collected {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly spans: readonly CollectedSpan[];
  readonly resource: Readonly<Record<string, unknown>>;
}

/** How a collector answers a request; `n` counts from 1. */
export type Answer = (res: ServerResponse, n: number) => void;

/** A collector of traces that reads strictly: what is no request of OTLP is kept as a complaint. */
export async function startCollector(answer: Answer = (res) => res.end("{}")) {
  const got: Collected[] = [];
  const complaints: string[] = [];
  let asked = 0;
  const server = createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on("data", (part: Buffer) => parts.push(part));
    req.on("end", () => {
      asked++;
      const body = Buffer.concat(parts);
      const text = req.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
      const read = REQUEST.safeParse(JSON.parse(text.toString()));
      if (!read.success) complaints.push(z.prettifyError(read.error));
      else {
        const spans = read.data.resourceSpans.flatMap(({ scopeSpans }) =>
          scopeSpans.flatMap(({ spans }) => spans),
        );
        const resource = valuesOf(read.data.resourceSpans[0]?.resource.attributes ?? []);
        got.push({ path: req.url ?? "", headers: req.headers, spans, resource });
      }
      answer(res, asked);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = addressOf(server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    got,
    complaints,
    asked: () => asked,
    spans: () => got.flatMap(({ spans }) => spans),
    async close(): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === "string") throw new Error("no port");
  return address;
}

/** Attributes as plain values. */
export const valuesOf = (attributes: CollectedSpan["attributes"]): Record<string, unknown> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      "intValue" in value ? Number(value.intValue) : Object.values<unknown>(value)[0],
    ]),
  );
