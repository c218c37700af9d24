import { z } from "zod";

import type { NodeAccess } from "./node-access.ts";
import type { NodeTool } from "./node-tool.ts";
import { nodeTool, READS } from "./node-tool.ts";
import { eventLine, visibleEvents } from "./visible-events.ts";

/** `node_events`: what happened and why. */
export const nodeEvents = (access: NodeAccess): NodeTool =>
  nodeTool({
    name: "node_events",
    title: "Events of this node",
    description:
      "What happened on this node and why, oldest first: starts, crashes, swaps, steps of the contingency ladder, faults of cards. Times are UTC. A key without admin sees events of services only.",
    arguments: z.strictObject({
      limit: z.int().min(1).max(200).default(20).describe("How many of the newest."),
      severity: z.enum(["info", "warning", "error"]).optional().describe("This severe or more."),
      service: z.string().min(1).max(200).optional().describe("Of this service only."),
    }),
    annotations: READS,
    run(wish, { caller }) {
      const events = visibleEvents(access, caller, wish);
      const text = events.length === 0 ? "Nothing of that kind happened lately." : "";
      return {
        text: text || events.map(eventLine).join("\n"),
        data: { events: events.map((event) => ({ ...event, time: new Date(event.time).toISOString() })) },
      };
    },
  });
