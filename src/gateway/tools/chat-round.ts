import type { JsonObject } from "../../dialects/dialect.ts";
import { asList, asObject, parseJson } from "../../engines/json-object.ts";
import type { ModelCall } from "./tool-loop.ts";

interface BegunCall {
  id: string;
  name: string;
  arguments: string;
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** Names by which engines give thinking; it goes back to the model with its calls. */
const REASONING = ["reasoning_content", "reasoning"] as const;

/** One answer of the model in the chat dialect, read chunk by chunk or whole. */
export class ChatRound {
  readonly #usedIds: Set<string>;
  readonly #newId: (type: string) => string;
  readonly #calls: BegunCall[] = [];
  readonly #reasoning = new Map<string, string>();
  /** Id, time and model as the engine gave them. */
  frame: JsonObject | undefined;
  text = "";
  /** True for the event with which the text begins. */
  textBegan = false;
  finish: string | undefined;
  usage: JsonObject | undefined;
  error: JsonObject | undefined;
  /** An answer in one piece, as the engine gave it. */
  answer:
    | { readonly body: JsonObject; readonly choice: JsonObject; readonly message: JsonObject }
    | undefined;

  constructor(usedIds: Set<string>, newId: (type: string) => string) {
    this.#usedIds = usedIds;
    this.#newId = newId;
  }

  /** What of a chunk the client may see at once; calls are kept until it is known whose they are. */
  event(data: string): JsonObject | undefined {
    const chunk = asObject(parseJson(data));
    if (chunk === undefined) return undefined;
    const error = asObject(chunk["error"]);
    if (error !== undefined) {
      this.error = error;
      return undefined;
    }
    const { choices, usage, object: _, ...frame } = chunk;
    this.frame ??= frame;
    this.usage = asObject(usage) ?? this.usage;
    const choice = asObject(asList(choices)?.[0]);
    if (choice === undefined) return undefined;
    if (typeof choice["finish_reason"] === "string") this.finish = choice["finish_reason"];
    const delta = asObject(choice["delta"]);
    if (delta === undefined) return undefined;
    const { tool_calls: calls, ...seen } = delta;
    for (const [at, call] of (asList(calls) ?? []).entries()) this.#callDelta(asObject(call) ?? {}, at);
    this.#remember(seen);
    return seen;
  }

  whole(body: Buffer): void {
    const answer = asObject(parseJson(body.toString()));
    const choice = asObject(asList(answer?.["choices"])?.[0]);
    const message = asObject(choice?.["message"]);
    if (answer === undefined || choice === undefined || message === undefined) return;
    this.answer = { body: answer, choice, message };
    this.usage = asObject(answer["usage"]);
    this.finish = text(choice["finish_reason"]) || "stop";
    this.#remember(message);
    for (const [at, call] of (asList(message["tool_calls"]) ?? []).entries()) {
      this.#callDelta({ ...asObject(call), index: at }, at);
    }
  }

  /** The calls, each with an id of its own in the whole conversation. */
  get calls(): readonly ModelCall[] {
    for (const call of this.#calls) {
      if (this.#settled.has(call)) continue;
      if (call.id === "" || this.#usedIds.has(call.id)) call.id = this.#newId("call");
      this.#usedIds.add(call.id);
      this.#settled.add(call);
    }
    return this.#calls;
  }
  readonly #settled = new Set<BegunCall>();

  /** The answer as a message of the conversation. */
  get message(): JsonObject {
    const calls = this.calls.map(({ id, name, arguments: args }) => ({
      id,
      type: "function",
      function: { name, arguments: args },
    }));
    return {
      role: "assistant",
      content: this.text === "" && calls.length > 0 ? null : this.text,
      ...Object.fromEntries(this.#reasoning),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    };
  }

  #remember(part: JsonObject): void {
    const said = text(part["content"]);
    this.textBegan = said !== "" && this.text === "";
    this.text += said;
    for (const name of REASONING) {
      const thought = text(part[name]);
      if (thought !== "") this.#reasoning.set(name, (this.#reasoning.get(name) ?? "") + thought);
    }
  }

  #callDelta(delta: JsonObject, at: number): void {
    const index = typeof delta["index"] === "number" ? delta["index"] : at;
    // An index beyond what came so far by more than one is no engine's.
    if (!Number.isInteger(index) || index < 0 || index > this.#calls.length) return;
    const call = (this.#calls[index] ??= { id: "", name: "", arguments: "" });
    const named = asObject(delta["function"]);
    call.id ||= text(delta["id"]);
    call.name += call.name === "" ? text(named?.["name"]) : "";
    call.arguments += text(named?.["arguments"]);
  }
}
