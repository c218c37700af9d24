import { z } from "zod";

import { formatCount } from "../../core/index.ts";
import type { ServiceView } from "../../supervisor/index.ts";
import type { NodeAccess } from "./node-access.ts";
import type { NodeTool } from "./node-tool.ts";
import { nodeTool, READS } from "./node-tool.ts";

/** `list_models`: the names that the caller may ask for, and what stands behind each now. */
export const listModels = (access: NodeAccess): NodeTool =>
  nodeTool({
    name: "list_models",
    title: "Models of this node",
    description:
      "The models that can be asked on this node by name, whether each is ready, by which service and engine it is served, its context in tokens and how many requests run at a time.",
    arguments: z.strictObject({}),
    annotations: READS,
    run(_args, { caller }) {
      const models = access.modelsOf(caller).map((name) => modelOf(access, name));
      const text = models.length === 0 ? "No model of this node may be asked with this key." : "";
      return { text: text || models.map(line).join("\n"), data: { models } };
    },
  });

interface ListedModel {
  readonly name: string;
  readonly kind: "route" | "service";
  readonly state: string;
  readonly services: readonly string[];
  readonly model?: string;
  readonly engine?: string;
  readonly context_tokens?: number;
  readonly parallel_requests?: number;
  readonly requests_in_flight?: number;
}

function modelOf(access: NodeAccess, name: string): ListedModel {
  const route = access.routes().find((one) => one.name === name);
  const services = route?.services ?? [name];
  const views = access.services().filter((view) => services.includes(view.name) || view.model === name);
  const best = views.find(({ state }) => state === "ready") ?? views[0];
  return {
    name,
    kind: route === undefined ? "service" : "route",
    state: best?.state ?? "stopped",
    services,
    ...(best === undefined ? {} : served(best)),
  };
}

const served = ({ model, engine, contextTokens, parallel, inFlight }: ServiceView): Partial<ListedModel> => ({
  model,
  engine,
  context_tokens: contextTokens,
  parallel_requests: parallel,
  requests_in_flight: inFlight ?? 0,
});

function line({ name, kind, state, services, ...more }: ListedModel): string {
  const { model, engine, context_tokens: context = 0, parallel_requests: parallel = 0 } = more;
  const served = model === undefined ? "" : `; ${model} on ${engine ?? "an engine"}`;
  const room =
    model === undefined ? "" : `, ${formatCount(context)} tokens of context, ${parallel} at a time`;
  const by = kind === "route" ? ` (route to ${services.join(", ")})` : "";
  return `${name}${by}: ${state}${served}${room}`;
}
