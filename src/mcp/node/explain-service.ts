import { z } from "zod";

import { formatBytes, nearest } from "../../core/index.ts";
import type { ServiceView } from "../../supervisor/index.ts";
import { loadLine, loadOf } from "./benchmarks.ts";
import type { NodeAccess } from "./node-access.ts";
import { serviceHealth } from "./node-health.ts";
import { rejectionLine } from "./node-plan.ts";
import type { NodeTool, Said } from "./node-tool.ts";
import { nodeTool, READS } from "./node-tool.ts";
import { planFacts } from "./plan-facts.ts";
import type { PlanFacts, PlannedFacts } from "./plan-facts.ts";
import { eventLine, visibleEvents } from "./visible-events.ts";

const REJECTIONS = 10;
const EVENTS = 5;

/** `explain_service`: why a service is where it is, which rung of its ladder it is on, and when it comes back. */
export const explainService = (access: NodeAccess): NodeTool =>
  nodeTool({
    name: "explain_service",
    title: "Why a service is where it is",
    description:
      "Everything that decided about one service: why it was placed there and not elsewhere, the memory of each device term by term, its contingency ladder, the rung that it is on now and when it comes back up, what it really took, and what happened to it lately.",
    arguments: z.strictObject({ service: z.string().min(1).max(200).describe("Name of the service.") }),
    annotations: READS,
    run({ service }, { caller }) {
      const plan = planFacts(access.plan());
      const planned = plan.services.find(({ name }) => name === service);
      const view = access.services().find(({ name }) => name === service);
      const rejected = plan.rejected.filter((rejection) => rejection.service === service);
      if (planned === undefined && view === undefined && rejected.length === 0)
        return unknown(access, plan, service);
      const measured = access.measurements().find((one) => one.service === service);
      const load = measured === undefined ? undefined : loadOf(measured);
      const events = visibleEvents(access, caller, { limit: EVENTS, service });
      const lines = [
        ...(view === undefined ? [`${service} is not placed.`] : stateLines(view)),
        ...(planned === undefined ? [] : plannedLines(planned)),
        ...rejected.slice(0, REJECTIONS).map(rejectionLine),
        ...(load === undefined ? [] : [`Measured: ${loadLine(load)}`]),
        ...events.map(eventLine),
      ];
      return {
        text: lines.join("\n"),
        data: {
          service,
          state: view === undefined ? null : serviceHealth(view),
          planned: planned ?? null,
          rejected,
          measured: load ?? null,
          events,
        },
      };
    },
  });

function stateLines(view: ServiceView): readonly string[] {
  const { ladder, reason, longPrompts, divertedTo } = view;
  return [
    `${view.name} is ${view.state} since ${new Date(view.since).toISOString().slice(0, 19).replace("T", " ")}Z.${reason === undefined ? "" : ` ${reason}`}`,
    ladder === undefined
      ? "It is on rung 0 of its ladder: as planned."
      : `It is on rung ${ladder.rung} of its ladder (${ladder.changes.join(", ")}), because ${ladder.because}; back up ${ladder.backWhen}.`,
    ...(divertedTo === undefined ? [] : [`Its requests go to ${divertedTo} for now.`]),
    ...(longPrompts === undefined
      ? []
      : [`Prompts above ${longPrompts.above} tokens go to ${longPrompts.to} for now.`]),
  ];
}

function plannedLines({
  reasons = [],
  memory,
  ladder = [],
  fallbacks = [],
}: PlannedFacts): readonly string[] {
  return [
    ...reasons,
    ...memory.map(
      ({ device, weights, kvCache, compute, overhead, total, capacity }) =>
        `${device}: weights ${formatBytes(weights)} + KV cache ${formatBytes(kvCache)} + compute ${formatBytes(compute)} + process ${formatBytes(overhead)} = ${formatBytes(total)} of ${formatBytes(capacity)}.`,
    ),
    ...ladder.map(({ change, frees, noEffect }, step) => {
      const freed = frees.map(({ device, bytes }) => `${formatBytes(bytes)} on ${device}`).join(", ");
      const effect = noEffect ?? (freed === "" ? "" : `frees ${freed}`);
      return `Rung ${step + 1}: ${change}${effect === "" ? "" : ` (${effect})`}.`;
    }),
    ...(fallbacks.length === 0 ? [] : [`Engines that would fit too: ${fallbacks.join(", ")}.`]),
  ];
}

function unknown(access: NodeAccess, plan: PlanFacts, service: string): Said {
  const names = [...new Set([...access.services(), ...plan.services].map(({ name }) => name))];
  const meant = nearest(service, names);
  const guess = meant === undefined ? "" : ` Did you mean "${meant}"?`;
  return {
    text: `This node has no service "${service}".${guess} It has ${names.join(", ") || "none"}.`,
    data: { services: names },
    failed: true,
  };
}
