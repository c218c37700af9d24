import type { JsonObject } from "../../dialects/dialect.ts";
import { asList, asObject, parseJson } from "../../engines/json-object.ts";
import type { OfferedTool } from "./offered-tools.ts";
import type { ResponseOutput } from "./response-output.ts";
import type { ModelCall } from "./tool-loop.ts";

const text = (value: unknown): string => (typeof value === "string" ? value : "");

interface Slot {
  /** Its place in the client's output; absent while the client does not see it. */
  readonly place?: number;
  readonly item: JsonObject;
  readonly tool?: OfferedTool;
  done: boolean;
}

/** An item of the output that stands for a call of a hosted tool. */
export const callItem = (id: string, tool: OfferedTool, args: string, more: JsonObject = {}): JsonObject => ({
  id,
  type: "mcp_call",
  server_label: tool.server,
  name: tool.tool,
  arguments: args,
  approval_request_id: null,
  output: null,
  error: null,
  status: "in_progress",
  ...more,
});

export interface RoundSurroundings {
  readonly output: ResponseOutput;
  readonly newId: (type: string) => string;
  /** The hosted tool of a function; `undefined` for the client's own. */
  readonly tool: (name: string) => OfferedTool | undefined;
  /** A call of it is seen by the client only once it was agreed to. */
  readonly hides: (tool: OfferedTool) => boolean;
  /** Call ids of earlier rounds. */
  readonly usedIds: Set<string>;
}

/**
 * One answer of the model in the responses dialect, read event by event or whole: its items get places and ids in the
 * client's answer, calls of hosted functions become calls of tools.
 */
export class ResponseRound {
  readonly #around: RoundSurroundings;
  readonly #slots = new Map<number, Slot>();
  /** What the next round is told of this one. */
  readonly history: JsonObject[] = [];
  readonly calls: ModelCall[] = [];
  /** Places of the calls of hosted tools, by call id. */
  readonly places = new Map<string, number>();
  /** `completed`, `incomplete` or `failed`, once it ended. */
  status: string | undefined;
  /** The model's own response object, or what was told of a failure. */
  response: JsonObject = {};

  constructor(around: RoundSurroundings) {
    this.#around = around;
  }

  event(event: JsonObject): void {
    const type = text(event["type"]);
    const at = event["output_index"];
    switch (type) {
      case "response.created":
      case "response.queued":
      case "response.in_progress":
        return;
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
        this.#end(type.slice("response.".length), asObject(event["response"]) ?? {});
        return;
      case "error":
        this.#end("failed", { error: asObject(event["error"]) ?? event });
        return;
      case "response.output_item.added":
        if (typeof at === "number") this.#begin(at, asObject(event["item"]) ?? {});
        return;
      case "response.output_item.done":
        if (typeof at === "number") this.#done(at, asObject(event["item"]) ?? {});
        return;
      default:
        if (typeof at === "number") this.#pass(type, at, event);
        else if (event["error"] !== undefined && type === "") this.#end("failed", event);
    }
  }

  /** A whole answer. */
  whole(body: Buffer): void {
    const response = asObject(parseJson(body.toString())) ?? {};
    for (const [at, item] of (asList(response["output"]) ?? []).entries())
      this.#done(at, asObject(item) ?? {});
    const status = text(response["status"]);
    this.#end(status === "incomplete" || status === "failed" ? status : "completed", response);
  }

  #end(status: string, response: JsonObject): void {
    this.status ??= status;
    this.response = response;
    // What was begun and never ended is as far as it came.
    for (const slot of this.#slots.values()) {
      if (!slot.done && slot.tool === undefined && slot.place !== undefined) {
        this.#around.output.done(slot.place, { ...slot.item, status: "incomplete" });
      }
    }
  }

  #begin(at: number, sent: JsonObject): Slot {
    const known = this.#slots.get(at);
    if (known !== undefined) return known;
    const { output, newId, tool: toolOf, hides } = this.#around;
    const tool = sent["type"] === "function_call" ? toolOf(text(sent["name"])) : undefined;
    let slot: Slot;
    if (tool === undefined) {
      const item = { ...sent, id: newId(text(sent["type"])) };
      slot = { place: output.add(item), item, done: false };
    } else if (hides(tool)) slot = { item: sent, tool, done: false };
    else {
      const item = callItem(newId("mcp_call"), tool, "");
      const place = output.add(item);
      output.about("response.mcp_call.in_progress", place);
      slot = { place, item, tool, done: false };
    }
    this.#slots.set(at, slot);
    return slot;
  }

  #pass(type: string, at: number, event: JsonObject): void {
    const slot = this.#slots.get(at);
    if (slot?.place === undefined) return;
    const { output } = this.#around;
    if (slot.tool === undefined) output.about(type, slot.place, event);
    else if (type === "response.function_call_arguments.delta") {
      output.about("response.mcp_call_arguments.delta", slot.place, { delta: event["delta"] });
    } else if (type === "response.function_call_arguments.done") {
      output.about("response.mcp_call_arguments.done", slot.place, { arguments: event["arguments"] });
    }
  }

  #done(at: number, sent: JsonObject): void {
    const slot = this.#begin(at, sent);
    if (slot.done) return;
    slot.done = true;
    const isCall = sent["type"] === "function_call";
    const callId = isCall ? this.#callId(text(sent["call_id"])) : "";
    const item = isCall ? { ...sent, call_id: callId } : sent;
    const id = slot.item["id"];
    this.history.push(slot.tool === undefined ? { ...item, id } : item);
    if (isCall) {
      const call = { id: callId, name: text(sent["name"]), arguments: text(sent["arguments"]) };
      this.calls.push(call);
      if (slot.place !== undefined) this.places.set(callId, slot.place);
    }
    if (slot.tool === undefined && slot.place !== undefined) {
      this.#around.output.done(slot.place, { ...item, id });
    }
  }

  /** Engines that number their calls from one in each answer would let two of them share a result. */
  #callId(sent: string): string {
    const { usedIds, newId } = this.#around;
    const id = sent === "" || usedIds.has(sent) ? newId("call") : sent;
    usedIds.add(id);
    return id;
  }
}
