import type { SpecPath } from "../../core/spec-path.ts";
import type { LadderStep } from "../spec.ts";
import type { Rule } from "./rule.ts";

const SETTINGS = ["to", "above", "floor", "cacheType"] as const;

/** Which settings mean something to which step. */
const TAKES: Readonly<Partial<Record<LadderStep["step"], readonly (typeof SETTINGS)[number][]>>> = {
  "route-long-prompts": ["to", "above"],
  "halve-context": ["floor"],
  "quantize-kv-cache": ["cacheType"],
  "cpu-executor": ["to"],
  "remote-fallback": ["to"],
};

/** A setting on a step that does not read it would be silently without effect. */
export const ladderSteps: Rule = ({ spec }, report) => {
  const check = (ladder: readonly LadderStep[] | undefined, at: SpecPath): void => {
    ladder?.forEach((step, i) => {
      for (const key of SETTINGS) {
        if (!(key in step) || TAKES[step.step]?.includes(key) === true) continue;
        const meant = Object.entries(TAKES).filter(([, keys]) => keys.includes(key));
        report({
          code: "spec.conflict",
          path: [...at, i, key],
          message: `${step.step} has no ${key}; it belongs to ${meant.map(([name]) => name).join(", ")}`,
          hint: `remove ${key}`,
          at: "key",
        });
      }
    });
  };
  check(spec.policies?.ladder, ["policies", "ladder"]);
  for (const [name, service] of Object.entries(spec.services ?? {}))
    check(service.ladder, ["services", name, "ladder"]);
};
