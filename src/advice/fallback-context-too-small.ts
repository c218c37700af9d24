import type { Spec } from "../spec/index.ts";
import { formatCount } from "../core/index.ts";
import type { AdviceInput, Finding, Rule } from "./rule.ts";

/** Tokens that a request to this service may use, as planned, else as the spec says. */
function contextOf({ spec, plan }: AdviceInput, name: string): number | undefined {
  const planned = plan.services.find((placed) => placed.name === name)?.contextTokens;
  if (planned !== undefined && planned > 0) return planned;
  const typed = spec.services[name]?.context;
  return typeof typed === "number" ? typed : undefined;
}

type Candidate = Spec["routes"][string]["services"][number];

/** Longest prompt that a route sends to this candidate, where its conditions bound it. */
const bound = ({ when }: Candidate): number => when?.promptTokens?.below ?? Number.POSITIVE_INFINITY;

function inRoutes(input: AdviceInput): readonly Finding[] {
  return Object.entries(input.spec.routes).flatMap(([route, { services, strategy }]) => {
    // A candidate that takes other requests (long prompts, images, some keys) stands in for nobody.
    const plain = services.flatMap((candidate, index) =>
      candidate.when === undefined || Object.keys(candidate.when).every((key) => key === "promptTokens")
        ? [{ candidate, index, context: contextOf(input, candidate.service) }]
        : [],
    );
    const [first, ...others] = plain.filter(
      ({ candidate }) => candidate.when?.promptTokens?.above === undefined,
    );
    const most = first === undefined ? undefined : Math.min(first.context ?? 0, bound(first.candidate));
    if (first === undefined || most === undefined || strategy !== "ordered") return [];
    return others.flatMap(({ candidate, index, context }) => {
      if (context === undefined || context >= Math.min(most, bound(candidate))) return [];
      return [
        {
          at: ["routes", route, "services", index],
          message: `${candidate.service} stands in for ${first.candidate.service} with ${formatCount(context)} tokens where ${first.candidate.service} takes ${formatCount(most)}: while it does, longer prompts are refused.`,
          hint: `services: { ${candidate.service}: { context: ${most} } }, or { service: ${candidate.service}, when: { promptTokens: { below: ${context} } } }`,
        },
      ];
    });
  });
}

const HANDS_OVER: ReadonlySet<string> = new Set(["route-long-prompts", "cpu-executor", "remote-fallback"]);

function inLadders(input: AdviceInput): readonly Finding[] {
  return Object.entries(input.spec.services).flatMap(([name, service]) => {
    const own = contextOf(input, name);
    return service.ladder.flatMap(({ step, to, above }, index) => {
      const context = to === undefined ? undefined : contextOf(input, to);
      if (to === undefined || context === undefined || !HANDS_OVER.has(step)) return [];
      // Long prompts must fit; who takes over everything must take what fitted before.
      const needed = step === "route-long-prompts" ? Math.max(above ?? 0, own ?? 0) : (own ?? 0);
      if (context >= needed) return [];
      return [
        {
          at: ["services", name, "ladder", index],
          message: `${step} hands prompts of ${name} to ${to}, which has ${formatCount(context)} tokens; up to ${formatCount(needed)} come.`,
          hint: `services: { ${to}: { context: ${needed} } }`,
        },
      ];
    });
  });
}

/** A fallback that cannot take what the first service takes. */
export const fallbackContextTooSmall: Rule = {
  code: "fallback-context-too-small",
  severity: "warning",
  source: "Contexts of the services as planned",
  find: (input) => [...inRoutes(input), ...inLadders(input)],
};
