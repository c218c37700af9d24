import type { AnswerTurn, Call, Turn, UserTurn } from "../turn.ts";
import { textOf } from "../turn.ts";
import { maxTokensFault, numberOf, temperatureFault } from "./chat-settings.ts";
import type { ChatSettings } from "./chat-settings.ts";

type Json = Readonly<Record<string, unknown>>;

/** A request: where it goes, and which words its answer comes in. */
export interface ChatRequest {
  readonly path: "./v1/chat/completions" | "./v1/responses" | "./v1/images/generations";
  readonly body: Json;
}

/** The request for the next answer of a conversation. Tools on the node are asked for in the words that show each call. */
export function chatRequest(model: string, turns: readonly Turn[], settings: ChatSettings): ChatRequest {
  const temperature = numberOf(settings.temperature, temperatureFault);
  const most = numberOf(settings.maxTokens, maxTokensFault);
  const sampling = temperature === undefined ? {} : { temperature };
  const system = settings.system.trim();
  if (settings.servers.length > 0 || turns.some(hasAgreement)) {
    const body = {
      model,
      stream: true,
      store: false,
      ...sampling,
      ...(most === undefined ? {} : { max_output_tokens: most }),
      ...(system === "" ? {} : { instructions: system }),
      tools: serversOf(turns, settings).map((server_label) => ({ type: "mcp", server_label })),
      input: turns.flatMap(itemsOf),
    };
    return { path: "./v1/responses", body };
  }
  const body = {
    model,
    stream: true,
    stream_options: { include_usage: true },
    ...sampling,
    ...(most === undefined ? {} : { max_tokens: most }),
    messages: [
      ...(system === "" ? [] : [{ role: "system", content: system }]),
      ...turns.flatMap((turn) => (turn.role === "user" ? [userMessage(turn)] : answerMessage(turn))),
    ],
  };
  return { path: "./v1/chat/completions", body };
}

/** The request for an image; a workflow knows nothing of what was said before. */
export const imageRequest = (model: string, prompt: string, settings: ChatSettings): ChatRequest => ({
  path: "./v1/images/generations",
  body: {
    model,
    prompt,
    stream: true,
    ...(settings.imageSize === "auto" ? {} : { size: settings.imageSize }),
  },
});

const callsOf = (turn: Turn): readonly Call[] =>
  turn.role === "user" ? [] : turn.parts.flatMap((part) => (part.kind === "call" ? [part.call] : []));

const hasAgreement = (turn: Turn): boolean =>
  callsOf(turn).some(({ state }) => state === "agreed" || state === "declined");

/** Those that are chosen, and those whose calls were agreed to. */
function serversOf(turns: readonly Turn[], { servers }: ChatSettings): readonly string[] {
  const agreed = turns
    .flatMap(callsOf)
    .flatMap(({ state, server }) => (state === "agreed" && server !== undefined ? [server] : []));
  return [...new Set([...servers, ...agreed])];
}

function userMessage({ text, images }: UserTurn): Json {
  if (images.length === 0) return { role: "user", content: text };
  const shown = images.map((url) => ({ type: "image_url", image_url: { url } }));
  return { role: "user", content: [...(text === "" ? [] : [{ type: "text", text }]), ...shown] };
}

/** What was not said is left out: engines refuse empty messages. */
function answerMessage(turn: AnswerTurn): readonly Json[] {
  const content = textOf(turn);
  return content === "" ? [] : [{ role: "assistant", content }];
}

function itemsOf(turn: Turn): readonly Json[] {
  if (turn.role === "user") {
    const images = turn.images.map((url) => ({ type: "input_image", image_url: url, detail: "auto" }));
    const text = turn.text === "" ? [] : [{ type: "input_text", text: turn.text }];
    return [{ type: "message", role: "user", content: [...text, ...images] }];
  }
  return turn.parts.flatMap((part) => {
    if (part.kind === "text" && part.text.trim() !== "")
      return [{ type: "message", role: "assistant", content: [{ type: "output_text", text: part.text }] }];
    return part.kind === "call" ? callItems(part.call) : [];
  });
}

function callItems({ id, server, name, arguments: text, state, result }: Call): readonly Json[] {
  if (server === undefined || server === "") return [];
  const call = { server_label: server, name, arguments: text };
  const approve = state === "agreed";
  switch (state) {
    case "agreed":
    case "declined":
      return [
        { type: "mcp_approval_request", id, ...call },
        { type: "mcp_approval_response", approval_request_id: id, approve },
      ];
    case "returned":
      return [{ type: "mcp_call", id, ...call, output: result ?? "", error: null }];
    case "failed":
      return [{ type: "mcp_call", id, ...call, output: null, error: result ?? "It failed." }];
    // Nobody answered it, or it never came back: the model is not told of it.
    default:
      return [];
  }
}
