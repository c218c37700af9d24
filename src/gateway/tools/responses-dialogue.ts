import type { JsonObject } from "../../dialects/dialect.ts";
import { asList, asObject, parseJson } from "../../engines/json-object.ts";
import type { InsideAnswer } from "../inside-call.ts";
import type { AnswerSink } from "./answer-sink.ts";
import type { ApprovedCall, CallResult, Dialogue, RoundEnd } from "./dialogue.ts";
import type { ModelHistory } from "./model-history.ts";
import type { Listing, OfferedTool } from "./offered-tools.ts";
import { emptyResponse } from "./response-object.ts";
import { ResponseOutput } from "./response-output.ts";
import { callItem, ResponseRound } from "./response-round.ts";
import { sumUsage } from "./sum-usage.ts";
import { chosenTool } from "./tool-choice.ts";
import type { HostedCall, LoopStop } from "./tool-loop.ts";

export interface ResponsesRequest {
  /** The client's body, its input expanded. */
  readonly body: JsonObject;
  readonly history: ModelHistory;
  readonly sink: AnswerSink;
  readonly newId: (type: string) => string;
  /** Seconds since the epoch. */
  readonly created: number;
  /** Called with the whole response object before the client has its end. */
  readonly remember: (answer: JsonObject) => void;
}

/** A request for a response with hosted tools: items of calls and approvals between those of the model. */
export class ResponsesDialogue implements Dialogue {
  readonly path = "/v1/responses";
  readonly manner = { asksApproval: true, runsBesideClient: true };
  readonly #request: ResponsesRequest;
  readonly #output: ResponseOutput;
  readonly #input: JsonObject[];
  readonly #usedIds = new Set<string>();
  readonly #response: JsonObject;
  #listings: readonly Listing[] = [];
  #tools = new Map<string, OfferedTool>();
  #round: ResponseRound | undefined;
  #rounds = 0;
  #begun = false;
  #usage: JsonObject | undefined;
  #model: unknown;
  /** Where the items of calls lie that were agreed to. */
  readonly #agreed = new Map<string, { readonly place: number; readonly approval: string }>();

  constructor(request: ResponsesRequest) {
    this.#request = request;
    this.#input = [...request.history.items];
    this.#response = emptyResponse(request.body, request.newId("response"), request.created);
    this.#output = new ResponseOutput((event) => {
      const { type } = event;
      if (request.sink.stream) request.sink.event(event, typeof type === "string" ? type : undefined);
    });
  }

  offer(listings: readonly Listing[], tools: readonly OfferedTool[]): readonly ApprovedCall[] {
    this.#listings = listings.filter(({ server }) => !this.#request.history.listed.has(server.label));
    this.#tools = new Map(tools.map((tool) => [tool.name, tool]));
    return this.#request.history.agreed.flatMap((agreed) => {
      const tool = tools.find(({ server, tool }) => server === agreed.server && tool === agreed.tool);
      if (tool === undefined) return [];
      const { approval, callId: id } = agreed;
      return { id, name: tool.name, arguments: agreed.arguments, tool, approval };
    });
  }

  ask(): JsonObject {
    const { body, sink } = this.#request;
    const { max_tool_calls: _, previous_response_id: __, ...rest } = body;
    this.#round = new ResponseRound({
      output: this.#output,
      newId: this.#request.newId,
      tool: (name) => this.#tools.get(name),
      hides: (tool) => tool.approval,
      usedIds: this.#usedIds,
    });
    const own = (asList(body["tools"]) ?? []).filter((tool) => asObject(tool)?.["type"] !== "mcp");
    const choice = chosenTool(body["tool_choice"], this.#tools, this.#rounds++);
    return {
      ...rest,
      input: [...this.#input],
      tools: [...own, ...[...this.#tools.values()].map(asFunction)],
      ...(choice === undefined ? {} : { tool_choice: choice }),
      store: false,
      stream: sink.stream,
    };
  }

  event(data: string): void {
    const event = asObject(parseJson(data));
    if (event === undefined || this.#round === undefined) return;
    const isHead = event["type"] === "response.created";
    const failed = event["type"] === "error" || event["error"] !== undefined;
    if (isHead || !failed) this.#begin();
    this.#round.event(event);
  }

  ended(body: Buffer): RoundEnd {
    const round = this.#round;
    if (round === undefined) return { kind: "broken" };
    if (!this.#request.sink.stream) {
      this.#begin();
      round.whole(body);
    }
    this.#usage = sumUsage(this.#usage, asObject(round.response["usage"]));
    this.#model = round.response["model"] ?? this.#model;
    this.#input.push(...round.history);
    if (round.status === undefined || round.status === "failed") return { kind: "broken" };
    if (round.status === "incomplete") return { kind: "over" };
    return { kind: "answered", calls: round.calls };
  }

  began(call: HostedCall | ApprovedCall): void {
    if (!("approval" in call)) return;
    this.#begin();
    const item = callItem(this.#request.newId("mcp_call"), call.tool, call.arguments, {
      approval_request_id: call.approval,
    });
    const place = this.#output.add(item);
    this.#agreed.set(call.id, { place, approval: call.approval });
    this.#output.about("response.mcp_call.in_progress", place);
    this.#output.about("response.mcp_call_arguments.done", place, { arguments: call.arguments });
  }

  returned(call: HostedCall, { text, isError }: CallResult): void {
    const agreed = this.#agreed.get(call.id);
    const result = { type: "function_call_output", call_id: call.id, output: text };
    const waiting = this.#input.findIndex(
      (item) => item["type"] === "function_call_output" && item["call_id"] === call.id,
    );
    if (waiting >= 0) this.#input[waiting] = result;
    else this.#input.push(result);
    const place = agreed?.place ?? this.#round?.places.get(call.id);
    if (place === undefined) return;
    const error = { type: "mcp_tool_execution_error", content: [{ type: "text", text }] };
    this.#output.about(`response.mcp_call.${isError ? "failed" : "completed"}`, place);
    this.#finishCall(place, call, {
      ...(agreed === undefined ? {} : { approval_request_id: agreed.approval }),
      ...(isError ? { error, status: "failed" } : { output: text, status: "completed" }),
    });
  }

  asksFor(call: HostedCall): void {
    const item = {
      id: this.#request.newId("mcp_approval_request"),
      type: "mcp_approval_request",
      server_label: call.tool.server,
      name: call.tool.tool,
      arguments: call.arguments,
    };
    this.#output.done(this.#output.add(item), item);
  }

  finish(stop?: LoopStop): void {
    const round = this.#round;
    this.#begin();
    this.#closeCalls();
    if (stop !== undefined) {
      const { reason, message } = stop;
      this.#end("incomplete", { incomplete_details: { reason, message } });
    } else if (round?.status === "incomplete") {
      this.#end("incomplete", { incomplete_details: round.response["incomplete_details"] ?? null });
    } else this.#end("completed", {});
  }

  fail(answer: InsideAnswer): void {
    const { sink } = this.#request;
    const said = asObject(parseJson(answer.body.toString()));
    const error = asObject(said?.["error"]) ?? asObject(this.#round?.response["error"]);
    if (!sink.started) {
      if (answer.status >= 400) sink.passOn(answer);
      else sink.refuse(brokenAnswer(error));
      return;
    }
    this.#closeCalls();
    const message = error?.["message"];
    this.#end("failed", {
      error: {
        code: typeof error?.["code"] === "string" ? error["code"] : "server_error",
        message: typeof message === "string" ? message : "The model's answer broke off.",
      },
    });
  }

  /** Calls that were begun and not made. */
  #closeCalls(): void {
    for (const [place, item] of this.#output.items.entries()) {
      if (item["type"] !== "mcp_call" || item["status"] !== "in_progress") continue;
      this.#output.done(place, { ...item, status: "incomplete" });
    }
  }

  #finishCall(place: number, call: HostedCall, more: JsonObject): void {
    const id = String(this.#output.items[place]?.["id"]);
    this.#output.done(place, callItem(id, call.tool, call.arguments, more));
  }

  #end(status: "completed" | "incomplete" | "failed", more: JsonObject): void {
    const { sink, remember } = this.#request;
    const response = {
      ...this.#response,
      ...more,
      status,
      model: this.#model ?? this.#response["model"],
      output: this.#output.items,
      usage: this.#usage ?? null,
    };
    remember(response);
    if (sink.stream) {
      this.#output.tell(`response.${status}`, { response });
      sink.end();
    } else sink.whole(response);
  }

  /** The head, and the lists of tools; once there is an answer at all, so that a refusal keeps its status. */
  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#output.tell("response.created", { response: this.#response });
    this.#output.tell("response.in_progress", { response: this.#response });
    for (const { server, tools } of this.#listings) {
      const item = {
        id: this.#request.newId("mcp_list_tools"),
        type: "mcp_list_tools",
        server_label: server.label,
      };
      const place = this.#output.add({ ...item, tools: [] });
      this.#output.about("response.mcp_list_tools.in_progress", place);
      this.#output.about("response.mcp_list_tools.completed", place);
      const offered = [...this.#tools.values()].filter((tool) => tool.server === server.label);
      const shown = tools.filter(({ name }) => offered.some(({ tool }) => tool === name));
      this.#output.done(place, {
        ...item,
        tools: shown.map(({ name, description, inputSchema }) => ({
          name,
          description: description ?? null,
          input_schema: inputSchema,
          annotations: null,
        })),
      });
    }
  }
}

const asFunction = ({ name, description, inputSchema }: OfferedTool): JsonObject => ({
  type: "function",
  name,
  ...(description === undefined ? {} : { description }),
  parameters: inputSchema,
  strict: false,
});

const brokenAnswer = (error: JsonObject | undefined) =>
  ({
    status: 502,
    type: "server_error",
    code: "upstream_broken",
    message: typeof error?.["message"] === "string" ? error["message"] : "The model's answer broke off.",
  }) as const;
