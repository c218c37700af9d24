import type { Diagnostic } from "../core/index.ts";
import type { Spec } from "../spec/spec.ts";
import { gatewayConfig } from "./gateway-config.ts";
import { workflowsLeftOut } from "./gateway-files.ts";
import { servicesLeftOut } from "./gateway-services.ts";
import type { Served } from "./gateway-services.ts";
import { plainAt } from "./typed.ts";

/** What a gateway in a container of its own cannot do as the spec says it. */
export const gatewayFindings = (served: Served): readonly Diagnostic[] =>
  served.spec.runtime.kind === "process"
    ? [...workflowsLeftOut(served)]
    : [
        ...workflowsLeftOut(served),
        ...embeddedLeftOut(served),
        ...keysLeftOut(served),
        ...storeFolder(served.spec),
        ...logFile(served.spec),
        ...programs(served.spec),
      ];

const embeddedLeftOut = (served: Served): readonly Diagnostic[] =>
  servicesLeftOut(served).map((name) => ({
    code: "render.not-applicable",
    severity: "warning",
    path: `services.${name}`,
    message: `${name} is served by the engine within Omni, and the gateway's container sees no file of the node: only a built-in model would be there. The gateway has neither it nor a route to it alone.`,
    hint: `services: { ${name}: { engine: llama.cpp } }`,
  }));

function keysLeftOut(served: Served): readonly Diagnostic[] {
  const kept = plainAt(
    gatewayConfig(served, () => "http://engine"),
    "keys",
  );
  return Object.keys(plainAt(served.typed, "keys"))
    .filter((name) => kept[name] === undefined)
    .map((name) => ({
      code: "render.not-applicable",
      severity: "warning",
      path: `keys.${name}.routes`,
      message: `The gateway's container has nothing of what the key ${name} may use, so it does not know the key.`,
      hint: `keys: { ${name}: { routes: […] } } with a route that leads to an engine in a container`,
    }));
}

const storeFolder = ({ gateway }: Spec): readonly Diagnostic[] =>
  gateway.store?.folder === undefined
    ? []
    : [
        {
          code: "render.not-applicable",
          severity: "note",
          path: "gateway.store.folder",
          message: `The gateway's container has no ${gateway.store.folder}: its store lies in the volume that is mounted for it.`,
          hint: "Leave it away, or keep the store in PostgreSQL: gateway.store.postgres.",
        },
      ];

const logFile = ({ telemetry }: Spec): readonly Diagnostic[] =>
  telemetry.logs.file === undefined
    ? []
    : [
        {
          code: "render.not-applicable",
          severity: "note",
          path: "telemetry.logs.file",
          message: `The gateway's container has no ${telemetry.logs.file}: its log goes to the container's own.`,
          hint: "docker compose logs gateway, or kubectl logs.",
        },
      ];

/** A program of the node is none of the image's. */
const programs = ({ tools }: Spec): readonly Diagnostic[] =>
  Object.entries(tools).flatMap(([name, { command, directory, enabled }]): Diagnostic[] =>
    command === undefined || !enabled
      ? []
      : [
          {
            code: "render.not-applicable",
            severity: "warning",
            path: `tools.${name}.command`,
            message: `${command[0] ?? name} is started in the gateway's container, whose image has Node and Omni and nothing that is installed on the node${directory === undefined ? "" : `, and no folder ${directory}`}.`,
            hint: `Run it as a server of its own: tools: { ${name}: { http: http://ADDRESS/mcp } }`,
          },
        ],
  );
