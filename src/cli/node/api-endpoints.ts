import { join } from "node:path";

import { consoleEndpoints } from "../../api/console-files/index.ts";
import { sessionEndpoint } from "../../api/endpoints/index.ts";
import { createNodeStream, openRunLook } from "../../api/stream/index.ts";
import type { GatewayInside } from "../../gateway/index.ts";
import { DEFAULT_LIMITS } from "../../gateway/limits.ts";
import type { Endpoint } from "../../gateway/surface.ts";
import type { LocatedSpec } from "../node-spec.ts";
import { VERSION } from "../version.ts";
import { hardwareOf } from "./gateway-parts.ts";
import type { GatewayParts, NodeGatewayOptions } from "./gateway-parts.ts";
import { countsOf } from "./node-counts.ts";
import type { NodeCounts } from "./node-counts.ts";

/** Beside the compiled program and beside the source alike. */
const CONSOLE = join(import.meta.dirname, "../../../dist/console");

/** What a node has of `/api` beside what its gateway has of its own, and the console. */
export interface NodeApi {
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  /** Takes over another spec. */
  reload(located: LocatedSpec): void;
  /** From now on the node is what these tell: several processes serve it. */
  count(counts: NodeCounts): void;
  /** Ends every stream in good order. */
  close(): void;
}

/** Puts together what answers `/api`. */
export function nodeApi(
  options: NodeGatewayOptions,
  { books, imageModels }: GatewayParts,
  inside: GatewayInside,
): NodeApi {
  const { events, watch, supervisor, stateFolder, simulated } = options;
  let { located } = options;
  let counts = countsOf(inside);
  const hardware = hardwareOf(options);
  const stream = createNodeStream(
    {
      status: () => counts.status(),
      frame: () => ({ routes: supervisor.routes(), diagnostics: supervisor.diagnostics() }),
      services: () => supervisor.services(),
      traffic: () => counts.traffic(),
      hardware,
      onReading: (listener) => watch.onReading(listener),
      events,
      onRequest: (listener) => books.finished.listen(listener),
      open: () => counts.open(),
      openRuns: () => openRunLook(stateFolder),
    },
    options.settings.limits?.heartbeatTime ?? DEFAULT_LIMITS.heartbeatTime,
  );
  /** By the name that the session tells each part by. */
  const parts: Readonly<Record<string, Readonly<Record<string, Endpoint>>>> = {};
  const there = ["tools", ...Object.keys(parts), ...(imageModels.size > 0 ? ["images"] : [])];
  return {
    endpoints: {
      ...consoleEndpoints(CONSOLE, VERSION),
      ...sessionEndpoint(() => ({
        node: located.spec.name,
        version: VERSION,
        keysRequired: !books.keys.gate.open,
        simulated,
        parts: there,
      })),
      "/api/stream": { admin: true, GET: (call) => stream.follow(call) },
      ...Object.assign({}, ...Object.values(parts)),
    },
    reload: (next) => {
      located = next;
    },
    count: (told) => {
      counts = told;
    },
    close: () => stream.close(),
  };
}
