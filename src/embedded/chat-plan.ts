import { messageOf } from "../core/index.ts";
import { badParameter } from "./api-error.ts";
import type { ChatRequest } from "./chat-request.ts";
import { requireLength } from "./engine.ts";
import { GrammarRules, JSON_OBJECT, literal } from "./grammar-rules.ts";
import type { LoadedModel } from "./load-model.ts";
import type { NativeGrammar } from "./native.ts";
import { SchemaGrammar } from "./schema-grammar.ts";
import { ToolCallParser } from "./tool-call-parser.ts";
import { toolCallRules } from "./tool-grammar.ts";
import { genericToolMessages, markContent, nativeToolMessages } from "./tool-prompt.ts";
import type { ToolDefinition } from "./tool-request.ts";
import type { ToolNotation } from "./tool-syntax.ts";
import { TOOL_NOTATIONS } from "./tool-syntax.ts";
import { UntrustedText } from "./untrusted-text.ts";

/** How one chat request is put to the model and how its answer is read. */
export interface ChatPlan {
  readonly prompt: readonly number[];
  readonly grammar: NativeGrammar | undefined;
  /** Makes the reader of one choice's tool calls; `undefined` where no tools are offered. */
  readonly toolParser: (() => ToolCallParser) | undefined;
}

/** Renders the conversation through the chat template and decides on grammar and tool calls. Throws `ApiError` 400. */
export function planChat(model: LoadedModel, request: ChatRequest): ChatPlan {
  const { toolChoice } = request;
  const tools = toolChoice.kind === "none" ? [] : request.tools;
  const forced = toolChoice.kind === "required" || toolChoice.kind === "named";
  const notation = TOOL_NOTATIONS[model.template.toolSyntax];
  const allowed = toolChoice.kind === "named" ? tools.filter((tool) => tool.name === toolChoice.name) : tools;
  const prompt = renderPrompt(model, request, tools);
  if (forced) for (const token of model.model.tokenize(notation.forced.before, true)) prompt.push(token);
  return {
    prompt,
    grammar: planGrammar(model, request, { allowed, forced, notation }),
    toolParser:
      tools.length === 0
        ? undefined
        : () => new ToolCallParser({ notation, opened: forced, several: request.parallelToolCalls }),
  };
}

/**
 * The prompt for an answer. Where an answer goes on, its begun text follows the prompt that was given for it: what the
 * model sees is what it saw when it wrote that text, whatever a template does to the assistant's earlier messages.
 */
function renderPrompt(model: LoadedModel, request: ChatRequest, tools: readonly ToolDefinition[]): number[] {
  const { templateVariables, goesOn } = request;
  const messages = goesOn ? request.messages.slice(0, -1) : request.messages;
  const begun = goesOn ? request.messages.at(-1) : undefined;
  const source = JSON.stringify([request.messages, tools, templateVariables]);
  const untrusted = new UntrustedText(model.specials, source);
  const native = model.template.toolSyntax !== "generic";
  const rendered = model.template.render({
    messages: native
      ? nativeToolMessages(messages, untrusted)
      : genericToolMessages(messages, tools, untrusted),
    tools: native && tools.length > 0 ? tools.map((tool) => untrusted.markAll(tool.given)) : undefined,
    addGenerationPrompt: true,
    variables: Object.fromEntries(
      Object.entries(templateVariables).map(([name, value]) => [name, untrusted.markAll(value)]),
    ),
  });
  const prompt = rendered + (begun === undefined ? "" : markContent(begun, untrusted));
  requireLength(prompt, model.contextTokens, "messages");
  const tokens = untrusted.tokenize(model.model, prompt);
  const begin = model.beginToken;
  if (begin !== undefined && tokens[0] !== begin) tokens.unshift(begin);
  return tokens;
}

interface GrammarChoice {
  readonly allowed: readonly ToolDefinition[];
  readonly forced: boolean;
  readonly notation: ToolNotation;
}

/** Forced calls win over the response format; calls by choice stay possible beside it. */
function planGrammar(
  model: LoadedModel,
  request: ChatRequest,
  choice: GrammarChoice,
): NativeGrammar | undefined {
  const { format, parallelToolCalls } = request;
  const rules = new GrammarRules();
  if (choice.forced) {
    return compile(
      model,
      rules.text(toolCallRules(rules, choice.allowed, choice.notation, parallelToolCalls)),
      "tools",
    );
  }
  if (format.kind === "text") return undefined;
  const param = "response_format";
  const answer =
    format.kind === "json"
      ? JSON_OBJECT
      : new SchemaGrammar(rules, format.schema, { param, strict: format.strict }).rule("answer");
  if (choice.allowed.length === 0) return compile(model, rules.text(answer), param);
  const calls = toolCallRules(rules, choice.allowed, choice.notation, parallelToolCalls);
  const opening = literal(choice.notation.forced.before);
  return compile(model, rules.text(`${answer} | ${opening} ${calls}`), param);
}

function compile(model: LoadedModel, grammar: string, param: string): NativeGrammar {
  try {
    return new model.bindings.AddonGrammar(grammar, { addonExports: model.bindings, rootRuleName: "root" });
  } catch (error) {
    throw badParameter(
      param,
      `The grammar of this JSON schema is too large or too deep for llama.cpp: ${messageOf(error)}`,
      "invalid_json_schema",
    );
  }
}
