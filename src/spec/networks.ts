import { z } from "zod";
import { freeName, host, labelName, subnet, text } from "./scalars/identities.ts";
import { DEFAULTS } from "./default-values.ts";

/** Networks that services are attached to. */
export const networkSchema = z.strictObject({
  driver: z
    .enum(["bridge", "overlay", "macvlan", "ipvlan", "host", "none"])
    .optional()
    .describe("Network driver.")
    .meta({ default: DEFAULTS.network.driver }),
  subnet: subnet().optional().describe("Network in CIDR form, without host bits."),
  gateway: host().optional().describe("Gateway address within the subnet."),
  internal: z
    .boolean()
    .optional()
    .describe("No way out through this network.")
    .meta({ default: DEFAULTS.network.internal }),
  isolation: z
    .enum(["none", "no-outbound", "gateway-only"])
    .optional()
    .describe(
      "What its services must not reach: nothing is barred, no way out at all, or only Omni's gateway may reach them.",
    )
    .meta({ default: DEFAULTS.network.isolation }),
  external: z
    .boolean()
    .optional()
    .describe("Exists already; never created or removed.")
    .meta({ default: false }),
  parent: text("a network interface", "eth0").optional().describe("Host interface (macvlan, ipvlan)."),
  allow: z
    .array(text("host[:port] or a network", "10.0.0.5:5432"))
    .optional()
    .describe("Destinations that stay reachable in spite of isolation."),
  namespace: labelName()
    .optional()
    .describe("Namespace whose pods it stands for (Kubernetes); the runtime's when absent."),
  labels: z.record(freeName(), z.string()).optional().describe("Labels of your own."),
});
