import { join } from "node:path";

import { consoleEndpoints } from "../../api/console-files/index.ts";
import {
  historyEndpoints,
  openApiEndpoint,
  serviceEndpoints,
  sessionEndpoint,
} from "../../api/endpoints/index.ts";
import { createNodeStream, openRunLook } from "../../api/stream/index.ts";
import type { StreamSources } from "../../api/stream/index.ts";
import type { GatewayInside } from "../../gateway/index.ts";
import { DEFAULT_LIMITS } from "../../gateway/limits.ts";
import { joinedEndpoints } from "../../gateway/surface.ts";
import type { Endpoint } from "../../gateway/surface.ts";
import type { SpecKey } from "../../keys/index.ts";
import type { LocatedSpec } from "../node-spec.ts";
import { VERSION } from "../version.ts";
import { controlParts } from "./control-parts.ts";
import type { ControlParts } from "./control-parts.ts";
import { hardwareOf } from "./gateway-parts.ts";
import type { GatewayParts, NodeGatewayOptions } from "./gateway-parts.ts";
import { allOpen, countsOf } from "./node-counts.ts";
import type { NodeCounts } from "./node-counts.ts";
import { specSecrets } from "./spec-secrets.ts";

/** Beside the compiled program and beside the source alike. */
const CONSOLE = join(import.meta.dirname, "../../../dist/console");

/** What a node has of `/api` beside what its gateway has of its own, and the console. */
export interface NodeApi {
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  /** Takes over another spec and its keys. */
  reload(located: LocatedSpec, specKeys: readonly SpecKey[]): void;
  /** From now on the node is what these tell: several processes serve it. */
  count(counts: NodeCounts): void;
  /** Ends every stream in good order. */
  close(): void;
}

/** Puts together what answers `/api`. */
export function nodeApi(options: NodeGatewayOptions, parts: GatewayParts, inside: GatewayInside): NodeApi {
  const { settings } = options;
  let { located } = options;
  const own = countsOf(inside);
  let counts = own;
  const control = controlParts(options, parts);
  const stream = createNodeStream(
    streamSources(options, parts, () => counts),
    settings.limits?.heartbeatTime ?? DEFAULT_LIMITS.heartbeatTime,
  );
  const endpoints = {
    ...consoleEndpoints(CONSOLE, VERSION),
    ...ownEndpoints(options, parts, control.endpoints, () => located),
    "/api/stream": { admin: true, GET: (call) => stream.follow(call) },
  } satisfies Record<string, Endpoint>;
  return {
    endpoints,
    reload: (next, specKeys) => {
      located = next;
      control.reload(specKeys);
    },
    count: (told) => {
      // What is asked from within (batches, tools) stays in this process.
      counts = { ...told, open: async () => allOpen(await Promise.all([own.open(), told.open()])) };
    },
    close: () => {
      stream.close();
      control.close();
    },
  };
}

const streamSources = (
  { events, watch, cards, supervisor, stateFolder }: NodeGatewayOptions,
  { books }: GatewayParts,
  counts: () => NodeCounts,
): StreamSources => ({
  status: () => counts().status(),
  frame: () => ({ routes: supervisor.routes(), diagnostics: supervisor.diagnostics() }),
  services: () => supervisor.services(),
  traffic: () => counts().traffic(),
  hardware: hardwareOf({ watch, cards }),
  onReading: (listener) => watch.onReading(listener),
  events,
  onRequest: (listener) => books.finished.listen(listener),
  open: () => counts().open(),
  openRuns: () => openRunLook(stateFolder),
});

/** What answers single questions. `parts` are named as the session tells them; `located` gives the spec in force. */
function ownEndpoints(
  { samples, simulated, supervisor }: NodeGatewayOptions,
  { books, imageModels }: GatewayParts,
  parts: ControlParts["endpoints"],
  located: () => LocatedSpec,
): Readonly<Record<string, Endpoint>> {
  const there = ["tools", ...Object.keys(parts), ...(imageModels.size > 0 ? ["images"] : [])];
  return joinedEndpoints(
    sessionEndpoint(() => ({
      node: located().spec.name,
      version: VERSION,
      keysRequired: !books.keys.gate.open,
      simulated,
      parts: there,
    })),
    openApiEndpoint(VERSION),
    historyEndpoints({ samples, requests: books.requests }),
    serviceEndpoints({ supervisor, secrets: () => specSecrets(located()) }),
    ...Object.values(parts),
  );
}
