import type { Resource } from "@modelcontextprotocol/server";

import type { Caller } from "../../keys/index.ts";
import type { NodeAccess } from "./node-access.ts";
import { healthOf } from "./node-health.ts";
import { visibleEvents } from "./visible-events.ts";

/** Events in `omni://events`. */
const EVENTS = 100;

const PLAN_URI = "omni://plan";
export const HEALTH_URI = "omni://health";
export const EVENTS_URI = "omni://events";

export const NODE_RESOURCES: readonly Resource[] = [
  {
    uri: PLAN_URI,
    name: "plan",
    title: "Plan of this node",
    description:
      "What runs where and why, rejections included, as ./omni plan --json prints it. Bytes, milliseconds.",
    mimeType: "application/json",
  },
  {
    uri: HEALTH_URI,
    name: "health",
    title: "Health of this node",
    description: "State of every service, findings, memory of the machine. Bytes.",
    mimeType: "application/json",
  },
  {
    uri: EVENTS_URI,
    name: "events",
    title: "Events of this node",
    description: `The newest ${EVENTS} events, oldest first; those of services only for keys without admin.`,
    mimeType: "application/json",
  },
];

/** The contents of a resource as this caller may see them; `undefined` for any other address. */
export function nodeResource(access: NodeAccess, uri: string, caller: Caller): unknown {
  switch (uri) {
    case PLAN_URI:
      return access.plan();
    case HEALTH_URI:
      return healthOf(access);
    case EVENTS_URI:
      return { events: visibleEvents(access, caller, { limit: EVENTS }) };
    default:
      return undefined;
  }
}
