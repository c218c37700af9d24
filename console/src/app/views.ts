import { lazy } from "react";
import type { ComponentType, LazyExoticComponent } from "react";
import type { Session } from "./session.ts";

/** A view of the console: its place in the address, its name, and for whom it is. */
export interface View {
  readonly path: string;
  readonly name: string;
  readonly shown: (session: Session) => boolean;
  readonly Component: LazyExoticComponent<ComponentType>;
  /** Stands beside its name in the navigation. */
  readonly Mark?: LazyExoticComponent<ComponentType>;
}

const view = (
  path: string,
  name: string,
  shown: View["shown"],
  load: () => Promise<ComponentType>,
): View => ({
  path,
  name,
  shown,
  Component: lazy(async () => ({ default: await load() })),
});

const everyone = (): boolean => true;
const admins = ({ admin }: Session): boolean => admin;
const adminsWith =
  (part: string) =>
  ({ admin, parts }: Session): boolean =>
    admin && parts.includes(part);

/** In the order of the navigation; the first that is for whoever looks is where they begin. */
export const VIEWS: readonly View[] = [
  view("node", "Node", admins, async () => (await import("../views/node/node-view.tsx")).NodeView),
  view(
    "services",
    "Services",
    everyone,
    async () => (await import("../views/services/services-view.tsx")).ServicesView,
  ),
  view("plan", "Plan", admins, async () => (await import("../views/plan/plan-view.tsx")).PlanView),
  view("chat", "Chat", everyone, async () => (await import("../views/chat/chat-view.tsx")).ChatView),
  view(
    "requests",
    "Requests",
    admins,
    async () => (await import("../views/requests/requests-view.tsx")).RequestsView,
  ),
  {
    ...view(
      "tools",
      "Tools",
      adminsWith("tools"),
      async () => (await import("../views/tools/tools-view.tsx")).ToolsView,
    ),
    Mark: lazy(async () => ({
      default: (await import("../views/tools/approval-count.tsx")).ApprovalCount,
    })),
  },
  view("events", "Events", admins, async () => (await import("../views/events/events-view.tsx")).EventsView),
  view(
    "runbook",
    "Runbook",
    admins,
    async () => (await import("../views/runbook/runbook-view.tsx")).RunbookView,
  ),
  view("keys", "Keys", admins, async () => (await import("../views/keys/keys-view.tsx")).KeysView),
];
