import { z } from "zod";

import { formatDuration, nearest } from "../../core/index.ts";
import type { ProviderContext } from "../provider.ts";
import type { ChatBudget, ChatBudgetBounds } from "./chat-budget.ts";
import { chatBody, promptTokens } from "./chat-body.ts";
import { readReply } from "./chat-reply.ts";
import type { ReadReply } from "./chat-reply.ts";
import { depthOf, MOST_DEPTH } from "./depth.ts";
import type { NodeAccess } from "./node-access.ts";
import type { NodeTool, Said } from "./node-tool.ts";
import { nodeTool } from "./node-tool.ts";

const MESSAGE = z.strictObject({
  role: z.enum(["system", "user", "assistant"]),
  content: z.string().max(1_000_000),
});

const chatArguments = ({ usualTokens, mostTokens }: ChatBudgetBounds) =>
  z.strictObject({
    prompt: z.string().min(1).max(1_000_000).optional().describe("What to ask; or messages."),
    messages: z.array(MESSAGE).min(1).max(200).optional().describe("A conversation; or prompt."),
    model: z.string().min(1).max(200).optional().describe("A name of list_models; the only one when absent."),
    system: z.string().max(100_000).optional().describe("What the model is told before the conversation."),
    max_tokens: z
      .int()
      .min(1)
      .max(mostTokens)
      .default(usualTokens)
      .describe(`Tokens of the answer at most, up to ${mostTokens}.`),
    temperature: z.number().min(0).max(2).optional().describe("0 is the most likely answer."),
  });

export type ChatArguments = z.output<ReturnType<typeof chatArguments>>;

/** `chat`: asks a model of this node as the caller, within a budget; never from within another such chat. */
export const chatTool = (access: NodeAccess, budget: ChatBudget, bounds: ChatBudgetBounds): NodeTool =>
  nodeTool({
    name: "chat",
    title: "Ask a model of this node",
    description: `Asks a model of this node one question or a conversation, and returns its answer. It counts against your key's limits and a budget of ${bounds.tokensPerMinute} tokens a minute, ${bounds.running} at a time. A model that was itself asked by this tool cannot use it.`,
    arguments: chatArguments(bounds),
    annotations: { readOnlyHint: true, idempotentHint: false, openWorldHint: false },
    run: async (args, context) => {
      const refused = refusal(access, args, context);
      if (refused !== undefined) return refused;
      const tokens = promptTokens(args) + args.max_tokens;
      const place = budget.enter(context.caller.key, tokens, performance.now());
      if (typeof place === "string") return said(place);
      const started = performance.now();
      let took = 0;
      try {
        const reply = readReply(await ask(access, args, context));
        took = reply.tokens ?? (reply.kind === "answer" ? tokens : 0);
        return outcome(reply, performance.now() - started);
      } finally {
        place.settle(took, performance.now());
      }
    },
  });

function refusal(
  access: NodeAccess,
  args: ChatArguments,
  { caller, meta }: ProviderContext,
): Said | undefined {
  if ((args.prompt === undefined) === (args.messages === undefined))
    return said("Give either prompt or messages, not both; nothing was asked.");
  const depth = depthOf(meta);
  if (depth >= MOST_DEPTH) {
    return said(
      `This call came from a model that chat itself had asked (depth ${Math.min(depth, 1000)}); at most ${MOST_DEPTH} chat may be within a request, so that models do not ask each other without end. Answer without asking another model.`,
    );
  }
  const { model } = args;
  const known = access.modelsOf(caller);
  if (model === undefined || known.includes(model) || access.services().some((view) => view.model === model))
    return undefined;
  const meant = nearest(model, known);
  const guess = meant === undefined ? "" : ` Did you mean "${meant}"?`;
  return said(
    `This node has no model "${model}" for key "${caller.key}".${guess} It may ask: ${known.join(", ") || "none"}.`,
  );
}

const ask = (access: NodeAccess, args: ChatArguments, { caller, request, signal, meta }: ProviderContext) =>
  access.ask({ body: chatBody(args), caller, request, signal, depth: depthOf(meta) + 1 });

function outcome(reply: ReadReply, ms: number): Said {
  if (reply.kind === "error") return said(reply.message);
  const { text, model, finish, usage } = reply;
  const cut = finish === "length" ? "\n[the answer ended at max_tokens]" : "";
  const empty = text === "" ? `The model said nothing in ${formatDuration(ms)}.` : "";
  return {
    text: `${text}${empty}${cut}`,
    data: { text, model, finish_reason: finish, usage, duration_ms: Math.round(ms) },
  };
}

const said = (text: string): Said => ({ text, data: { error: text }, failed: true });
