import type { JsonObject } from "../../dialects/dialect.ts";
import { asList, asObject, parseJson } from "../../engines/json-object.ts";
import type { InsideAnswer } from "../inside-call.ts";
import type { WireError } from "../wire-error.ts";
import type { AnswerSink } from "./answer-sink.ts";
import { ChatRound } from "./chat-round.ts";
import type { ApprovedCall, CallResult, Dialogue, RoundEnd } from "./dialogue.ts";
import type { Listing, OfferedTool } from "./offered-tools.ts";
import { sumUsage } from "./sum-usage.ts";
import { chosenTool } from "./tool-choice.ts";
import { plainName } from "../../keys/tool-names.ts";
import type { HostedCall, LoopStop } from "./tool-loop.ts";

/** Between the texts of two rounds. */
const BETWEEN = "\n\n";

export interface ChatRequest {
  readonly body: JsonObject;
  readonly sink: AnswerSink;
  readonly newId: (type: string) => string;
}

/**
 * A chat with hosted tools. The client sees one answer: the texts of all rounds, the calls of its own functions, usage in
 * all. Of hosted tools it sees comments in the stream, which every reader of events leaves out.
 */
export class ChatDialogue implements Dialogue {
  readonly path = "/v1/chat/completions";
  readonly manner = { asksApproval: false, runsBesideClient: false };
  readonly #request: ChatRequest;
  readonly #messages: JsonObject[];
  readonly #usedIds = new Set<string>();
  #tools = new Map<string, OfferedTool>();
  #round: ChatRound | undefined;
  #rounds = 0;
  #usage: JsonObject | undefined;
  /** Members that all chunks of the client's stream share: those of the first round. */
  #frame: JsonObject | undefined;
  readonly #texts: string[] = [];
  #textSent = false;

  constructor(request: ChatRequest) {
    this.#request = request;
    this.#messages = (asList(request.body["messages"]) ?? []).map((message) => asObject(message) ?? {});
  }

  offer(_listings: readonly Listing[], tools: readonly OfferedTool[]): readonly ApprovedCall[] {
    this.#tools = new Map(tools.map((tool) => [tool.name, tool]));
    return [];
  }

  ask(): JsonObject {
    const { body, sink } = this.#request;
    const own = (asList(body["tools"]) ?? []).filter((tool) => asObject(tool)?.["type"] !== "mcp");
    const choice = chosenTool(body["tool_choice"], this.#tools, this.#rounds++, named);
    this.#round = new ChatRound(this.#usedIds, this.#request.newId);
    return {
      ...body,
      messages: [...this.#messages],
      tools: [...own, ...[...this.#tools.values()].map(asFunction)],
      ...(choice === undefined ? {} : { tool_choice: choice }),
      stream: sink.stream,
      ...(sink.stream ? { stream_options: { include_usage: true } } : {}),
    };
  }

  event(data: string): void {
    const delta = this.#round?.event(data);
    if (delta === undefined) return;
    const { role, ...rest } = delta;
    const isFirst = this.#frame === undefined;
    const text = rest["content"];
    if (isFirst) this.#chunk({ delta: { role: role ?? "assistant", ...rest } });
    else if (typeof text === "string" && this.#textSent && this.#round?.textBegan === true) {
      this.#chunk({ delta: { ...rest, content: BETWEEN + text } });
    } else if (Object.keys(rest).length > 0) this.#chunk({ delta: rest });
  }

  ended(body: Buffer): RoundEnd {
    const round = this.#round;
    if (round === undefined) return { kind: "broken" };
    if (!this.#request.sink.stream) round.whole(body);
    this.#usage = sumUsage(this.#usage, round.usage);
    if (round.error !== undefined || round.finish === undefined) return { kind: "broken" };
    if (round.text !== "") this.#texts.push(round.text);
    this.#textSent ||= round.text !== "";
    if (round.finish === "length" || round.finish === "content_filter") return { kind: "over" };
    this.#messages.push(round.message);
    return { kind: "answered", calls: round.calls };
  }

  began(call: HostedCall): void {
    if (!this.#request.sink.stream) return;
    const { server, tool } = call.tool;
    this.#request.sink.comment(`tool ${plainName(server, tool)} called`);
  }

  returned(call: HostedCall, { text, isError }: CallResult): void {
    this.#messages.push({ role: "tool", tool_call_id: call.id, content: text });
    if (!this.#request.sink.stream) return;
    const { server, tool } = call.tool;
    this.#request.sink.comment(`tool ${plainName(server, tool)} ${isError ? "failed" : "returned"}`);
  }

  /** A chat has no words for it; calls that need it are answered with a refusal instead. */
  asksFor(): void {}

  finish(stop?: LoopStop): void {
    const { sink } = this.#request;
    if (stop !== undefined) sink.refuse(boundReached(stop));
    else if (sink.stream) this.#finishStream();
    else this.#finishWhole();
  }

  fail(answer: InsideAnswer): void {
    const { sink } = this.#request;
    if (!sink.started && answer.status >= 400) {
      sink.passOn(answer);
      return;
    }
    const said = asObject(asObject(parseJson(answer.body.toString()))?.["error"]) ?? this.#round?.error;
    const message = said?.["message"];
    sink.refuse({
      status: 502,
      type: "server_error",
      code: typeof said?.["code"] === "string" ? said["code"] : "upstream_broken",
      message: typeof message === "string" ? message : "The model's answer broke off.",
    });
  }

  /** Calls of the client's own functions in the last round. */
  #ownCalls(): readonly JsonObject[] {
    const calls = this.#round?.calls.filter(({ name }) => !this.#tools.has(name)) ?? [];
    return calls.map(({ id, name, arguments: text }) => ({
      id,
      type: "function",
      function: { name, arguments: text },
    }));
  }

  #finishReason(): string {
    const finish = this.#round?.finish ?? "stop";
    if (finish === "length" || finish === "content_filter") return finish;
    return this.#ownCalls().length > 0 ? "tool_calls" : "stop";
  }

  #finishStream(): void {
    const { sink, body } = this.#request;
    for (const [index, call] of this.#ownCalls().entries()) {
      this.#chunk({ delta: { tool_calls: [{ index, ...call }] } });
    }
    this.#chunk({ delta: {}, finish_reason: this.#finishReason() });
    if (asObject(body["stream_options"])?.["include_usage"] === true) {
      sink.event({ ...this.#frame, choices: [], usage: this.#usage ?? null });
    }
    sink.event("[DONE]");
    sink.end();
  }

  #finishWhole(): void {
    const { body, choice, message } = this.#round?.answer ?? {};
    const calls = this.#ownCalls();
    const text = this.#texts.join(BETWEEN);
    const { tool_calls: _, ...rest } = message ?? {};
    this.#request.sink.whole({
      ...body,
      choices: [
        {
          ...choice,
          index: 0,
          message: {
            ...rest,
            role: "assistant",
            content: text === "" && calls.length > 0 ? null : text,
            ...(calls.length === 0 ? {} : { tool_calls: calls }),
          },
          finish_reason: this.#finishReason(),
        },
      ],
      ...(this.#usage === undefined ? {} : { usage: this.#usage }),
    });
  }

  #chunk(choice: JsonObject): void {
    this.#frame ??= { ...this.#round?.frame, object: "chat.completion.chunk" };
    this.#request.sink.event({ ...this.#frame, choices: [{ index: 0, finish_reason: null, ...choice }] });
  }
}

const named = (name: string): JsonObject => ({ type: "function", function: { name } });

const asFunction = ({ name, description, inputSchema }: OfferedTool): JsonObject => ({
  type: "function",
  function: { name, ...(description === undefined ? {} : { description }), parameters: inputSchema },
});

const boundReached = ({ reason, message }: LoopStop): WireError => ({
  status: 422,
  type: "invalid_request_error",
  code: reason,
  message: `${message} What was said so far is no answer.`,
});
