import type { RestartPolicy } from "../../plan/plan.ts";
import { timeSpan } from "./unit.ts";
import type { UnitLine } from "./unit.ts";

/** Lines of `[Unit]`: the first start and so many restarts within the window, then the unit stays failed. */
export const startLimit = ({ restarts, window }: RestartPolicy): readonly UnitLine[] =>
  restarts === 0
    ? []
    : [
        {
          comment:
            "After so many starts within the interval it stays failed: systemctl reset-failed, then start.",
        },
        ["StartLimitIntervalSec", timeSpan(window)],
        ["StartLimitBurst", String(restarts + 1)],
      ];

/**
 * Lines of `[Service]`: always restarted, because engines end with code 0 too (vLLM #48966: dies with exit 0 after
 * ready). Doubling from the first wait to the longest takes log2 of their ratio as steps (systemd.service(5)).
 */
export function restartLines({ restarts, backoffMin, backoffMax }: RestartPolicy): readonly UnitLine[] {
  if (restarts === 0) return [{ comment: "policies.restart allows no restart." }, ["Restart", "no"]];
  const steps = backoffMin > 0 ? Math.ceil(Math.log2(backoffMax / backoffMin)) : 0;
  return [
    {
      comment:
        "always, because an engine that serves has no reason to end: vLLM dies with exit 0 (vLLM #48966).",
    },
    ["Restart", "always"],
    ["RestartSec", timeSpan(backoffMin)],
    ...(steps > 0
      ? ([
          {
            comment: "From systemd 254; older ones say that they ignore the two, and always wait RestartSec.",
          },
          ["RestartSteps", String(steps)],
          ["RestartMaxDelaySec", timeSpan(backoffMax)],
        ] as const)
      : []),
  ];
}
