import { z } from "zod";

import { formatBytes, formatCount } from "../../core/index.ts";
import type { NodeAccess } from "./node-access.ts";
import type { NodeTool } from "./node-tool.ts";
import { nodeTool, READS } from "./node-tool.ts";
import { planFacts } from "./plan-facts.ts";
import type { PlanFacts, PlannedFacts, RejectedFacts } from "./plan-facts.ts";

/** Rejections that the text names; all are in the data. */
const SHOWN = 20;

/** `node_plan`: what runs where and what it takes, and what was looked at and not taken. */
export const nodePlan = (access: NodeAccess): NodeTool =>
  nodeTool({
    name: "node_plan",
    title: "Plan of this node",
    description:
      "What this node runs where: engine, cards, context and predicted memory of each service term by term, services that take turns, what is left free on each device, and the alternatives that were rejected with their arithmetic. Memory is in bytes.",
    arguments: z.strictObject({
      service: z.string().min(1).max(200).optional().describe("Only this service."),
    }),
    annotations: READS,
    run({ service }) {
      const plan = of(planFacts(access.plan()), service);
      const { services, rejected, swapSets = [], ledger = [] } = plan;
      const rest = rejected.length - SHOWN;
      const lines = [
        ...services.map(serviceLine),
        ...swapSets.map(
          (set) =>
            `${set.services.join(", ")} take turns on ${set.devices.join(" + ")}; ${set.standing} is loaded when none is asked for.`,
        ),
        ...ledger
          .filter(({ kind }) => kind !== "disk")
          .map(
            ({ device, label, free, capacity, headroom }) =>
              `${device} (${label}): ${formatBytes(free)} of ${formatBytes(capacity)} free beyond a headroom of ${formatBytes(headroom)}.`,
          ),
        ...rejected.slice(0, SHOWN).map(rejectionLine),
        ...(rest > 0 ? [`and ${rest} more rejections; name a service to see its own.`] : []),
      ];
      const nothing = service === undefined ? "The plan is empty." : `The plan has no service "${service}".`;
      return {
        text: lines.length === 0 ? nothing : lines.join("\n"),
        data: { services, rejected, swap_sets: swapSets, ledger },
      };
    },
  });

function of(plan: PlanFacts, service: string | undefined): PlanFacts {
  if (service === undefined) return plan;
  return {
    services: plan.services.filter(({ name }) => name === service),
    rejected: plan.rejected.filter((rejection) => rejection.service === service),
    swapSets: (plan.swapSets ?? []).filter(({ services }) => services.includes(service)),
  };
}

function serviceLine(service: PlannedFacts): string {
  const { name, engine, model, devices, contextTokens, parallel, band } = service;
  const where = devices.length === 0 ? "elsewhere" : `on ${devices.join(" + ")}`;
  const room = `${formatCount(contextTokens)} tokens of context, ${parallel} at a time`;
  const memory = service.memory.map(
    ({ device, total, capacity }) => `${formatBytes(total)} of ${formatBytes(capacity)} on ${device}`,
  );
  const takes =
    memory.length === 0 ? "" : `; takes ${memory.join(", ")}${band === undefined ? "" : ` (${band})`}`;
  return `${name}: ${model.name} with ${engine.name} ${where}, ${room}${takes}.`;
}

/** `oracle with vllm on gpu0 was not taken (does-not-fit): needs …; …` */
export function rejectionLine({ service, engine, devices, code, reason, hint }: RejectedFacts): string {
  const where = devices.length === 0 ? "" : ` on ${devices.join(" + ")}`;
  return `${service} with ${engine}${where} was not taken (${code}): ${reason}; ${hint}`;
}
