import { z } from "zod";
import { DEFAULTS } from "./default-values.ts";
import { engineSchema } from "./engines.ts";
import { gatewaySchema } from "./gateway.ts";
import { guestSchema } from "./guest.ts";
import { keySchema } from "./keys.ts";
import { machineSchema } from "./metal.ts";
import { modelSchema } from "./models.ts";
import { networkSchema } from "./networks.ts";
import { policiesSchema } from "./policies.ts";
import { routeSchema } from "./routes.ts";
import { runbookSchema } from "./runbook.ts";
import { runtimeSchema } from "./runtime.ts";
import { atMostOne } from "./scalars/choice.ts";
import { withFacts } from "./scalars/facts.ts";
import { freeName, labelName, networkName } from "./scalars/identities.ts";
import { serviceSchema } from "./services.ts";
import { telemetrySchema } from "./telemetry.ts";
import { toolSchema } from "./tools.ts";

/** The version of the language that this Omni speaks. */
const SPEC_VERSION = 1;

/** The whole of `omni.yaml`, section by section, as it is typed (input) and as it is parsed (output). */
export const specSchema = z
  .strictObject({
    omni: withFacts(z.literal(SPEC_VERSION), {
      expected: "the version of the spec language",
      example: "1",
    }).describe("Version of the spec language."),
    name: labelName()
      .optional()
      .describe("Name of the node; names follow from it on every host and cluster.")
      .meta({ default: DEFAULTS.name }),
    description: z.string().optional().describe("What it is, for people."),
    metal: machineSchema.optional().describe("The machine."),
    machines: z
      .record(labelName(), machineSchema)
      .optional()
      .describe("Several machines by name, each as under metal, instead of it."),
    guest: guestSchema.optional().describe("What runs between the metal and the engines."),
    guests: z
      .record(labelName(), guestSchema)
      .optional()
      .describe("Several guests by name, each as under guest, instead of it."),
    runtime: runtimeSchema
      .optional()
      .describe("Where engines run; a text alone is the kind.")
      .meta({ default: "process" }),
    models: z
      .record(freeName(), modelSchema)
      .optional()
      .describe("Models by name; a text alone is the source.")
      .meta({ default: {} }),
    engines: z
      .record(freeName(), engineSchema)
      .optional()
      .describe("Engines by name; a text alone is the kind.")
      .meta({ default: {} }),
    services: z
      .record(labelName(), serviceSchema)
      .optional()
      .describe("Services by name; one for each model when absent."),
    routes: z
      .record(freeName(), routeSchema)
      .optional()
      .describe("Names that clients ask for; one for each service when absent."),
    networks: z
      .record(networkName(), networkSchema)
      .optional()
      .describe("Networks by name.")
      .meta({ default: {} }),
    tools: z
      .record(labelName(), toolSchema)
      .optional()
      .describe("MCP servers by name.")
      .meta({ default: {} }),
    policies: policiesSchema.optional().describe("What Omni may do by itself.").meta({ default: {} }),
    keys: z.record(labelName(), keySchema).optional().describe("API keys by name.").meta({ default: {} }),
    telemetry: telemetrySchema.optional().describe("Metrics, logs, traces, retention.").meta({ default: {} }),
    gateway: gatewaySchema.optional().describe("The endpoint that clients talk to.").meta({ default: {} }),
    runbook: runbookSchema.optional().describe("What applying the spec needs.").meta({ default: {} }),
  })
  .check(atMostOne(["metal", "machines"]), atMostOne(["guest", "guests"]));

/** A spec whose shape is right: shorthands expanded, quantities as integers, defaults not yet applied. */
export type ParsedSpec = z.output<typeof specSchema>;
