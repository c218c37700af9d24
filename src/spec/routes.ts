import { z } from "zod";
import { shorthand } from "./scalars/shorthand.ts";
import { withFacts } from "./scalars/facts.ts";
import { atLeastOne } from "./scalars/choice.ts";
import { freeName, labelName } from "./scalars/identities.ts";
import { duration, hours, tokens, whole } from "./scalars/quantities.ts";
import { DEFAULTS } from "./default-values.ts";

const NEEDS = ["tools", "json", "vision", "audio", "reasoning", "embeddings", "image", "rerank"] as const;

const condition = z
  .strictObject({
    promptTokens: z
      .strictObject({
        above: tokens().optional().describe("Only prompts longer than this."),
        below: tokens().optional().describe("Only prompts shorter than this."),
      })
      .check(atLeastOne(["above", "below"], "above: 8192"))
      .optional()
      .describe("Length of the prompt."),
    needs: z.array(z.enum(NEEDS)).min(1).optional().describe("Only requests that need these."),
    keys: z.array(labelName()).min(1).optional().describe("Only these keys."),
    headers: z
      .record(
        withFacts(z.string().regex(/^[a-z0-9-]+$/i), { expected: "a header name", example: "x-tier" }),
        z.string(),
      )
      .optional()
      .describe("Only requests with these headers."),
    hours: hours().optional().describe("Only at these hours."),
  })
  .check(atLeastOne(["promptTokens", "needs", "keys", "headers", "hours"], "promptTokens: { above: 8192 }"));

const candidate = shorthand(
  labelName(),
  z.strictObject({
    service: labelName().describe("Service."),
    weight: whole(0, 1000, 1)
      .optional()
      .describe("Share of the requests under strategy weighted.")
      .meta({ default: 1 }),
    when: condition.optional().describe("Conditions; all must hold."),
    maxConcurrent: whole(1, 100_000, 8).optional().describe("Requests of this route at the same time."),
  }),
  (service) => ({ service }),
);

const candidates = () =>
  withFacts(z.array(candidate).min(1).max(64), {
    expected: "at least one service",
    example: "[oracle, executor]",
  });

type Candidate = z.output<typeof candidate>;

const routeObject = z.strictObject({
  services: z
    .union([
      labelName().transform((service): Candidate[] => [{ service }]),
      z.array(candidate).min(1).max(64),
    ])
    .describe("Services that may answer, best first; each next one is a fallback."),
  aliases: z.array(freeName()).optional().describe("Other names that clients may ask for."),
  strategy: z
    .enum(["ordered", "weighted", "least-loaded"])
    .optional()
    .describe("How one of the possible services is chosen.")
    .meta({ default: DEFAULTS.route.strategy }),
  sticky: z
    .enum(["none", "session", "prefix"])
    .optional()
    .describe("Keep a session or a common prompt prefix on one service.")
    .meta({ default: DEFAULTS.route.sticky }),
  retries: whole(0, 20, 2)
    .optional()
    .describe("Further services tried before the first byte of an answer.")
    .meta({ default: DEFAULTS.route.retries }),
  continue: z
    .boolean()
    .optional()
    .describe("Continue a cut answer on another service.")
    .meta({ default: DEFAULTS.route.continue }),
  hedge: z
    .strictObject({
      after: duration().describe("Wait before the second try."),
      below: tokens().optional().describe("Only for prompts shorter than this."),
    })
    .optional()
    .describe("Ask a second service when the first is slow."),
  timeouts: z
    .strictObject({
      firstByte: duration()
        .optional()
        .describe("Until the first byte.")
        .meta({ default: DEFAULTS.route.firstByte }),
      idle: duration()
        .optional()
        .describe("Between two events of a stream.")
        .meta({ default: DEFAULTS.route.idle }),
      total: duration().optional().describe("For the whole answer.").meta({ default: DEFAULTS.route.total }),
    })
    .optional()
    .describe("Time limits.")
    .meta({ default: {} }),
});

type Route = z.output<typeof routeObject>;

/** Names that clients ask for: a service, a list of services in order, or a map with more. */
export const routeSchema = z.union([
  labelName().transform((service): Route => ({ services: [{ service }] })),
  candidates().transform((services): Route => ({ services })),
  routeObject,
]);
