import type { JsonObject } from "../../dialects/dialect.ts";
import type { WireError } from "../wire-error.ts";
import { badRequest } from "../wire-error.ts";
import { functionName } from "../../keys/tool-names.ts";

/** A call that the client agreed to and that was not made yet. */
export interface AgreedCall {
  /** Id of the approval request. */
  readonly approval: string;
  readonly callId: string;
  readonly server: string;
  readonly tool: string;
  readonly arguments: string;
  /** Where its result stands among the items. */
  readonly place: number;
}

/** A conversation in items that any model understands: functions and their results in the place of hosted tools. */
export interface ModelHistory {
  readonly items: readonly JsonObject[];
  readonly agreed: readonly AgreedCall[];
  /** Servers whose tools the conversation has listed already. */
  readonly listed: ReadonlySet<string>;
}

const NOT_OFFERED = "This tool is not part of the request any more; it was not called.";

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/**
 * Writes hosted tools of an input as calls of functions. Approvals are matched with their requests: what was agreed to and
 * not called yet is told, what was declined becomes a result that says so, what nobody answered is left out.
 */
export function modelHistory(
  input: readonly JsonObject[],
  nameOf: (server: string, tool: string) => string = functionName,
): ModelHistory | WireError {
  const requests = new Map(
    input
      .filter((item) => item["type"] === "mcp_approval_request")
      .map((item) => [text(item["id"]), item] as const),
  );
  const done = new Set(
    input.filter((item) => item["type"] === "mcp_call").map((item) => text(item["approval_request_id"])),
  );
  const items: JsonObject[] = [];
  const agreed: AgreedCall[] = [];
  const listed = new Set<string>();
  const called = (item: JsonObject, callId: string, output: string): void => {
    const name = nameOf(text(item["server_label"]), text(item["name"]));
    items.push(
      { type: "function_call", call_id: callId, name, arguments: text(item["arguments"]) },
      { type: "function_call_output", call_id: callId, output },
    );
  };
  for (const [index, item] of input.entries()) {
    switch (item["type"]) {
      case "mcp_list_tools":
        listed.add(text(item["server_label"]));
        break;
      case "mcp_approval_request":
        break;
      case "mcp_call":
        called(item, text(item["id"]), resultOf(item));
        break;
      case "mcp_approval_response": {
        const approval = text(item["approval_request_id"]);
        const request = requests.get(approval);
        if (request === undefined) return unknownApproval(index, approval);
        if (done.has(approval)) break;
        done.add(approval);
        const callId = `call_${approval}`;
        const agrees = item["approve"] === true;
        called(request, callId, agrees ? NOT_OFFERED : declined(text(item["reason"])));
        if (agrees) {
          agreed.push({
            approval,
            callId,
            server: text(request["server_label"]),
            tool: text(request["name"]),
            arguments: text(request["arguments"]),
            place: items.length - 1,
          });
        }
        break;
      }
      default:
        items.push(item);
    }
  }
  return { items, agreed, listed };
}

function resultOf(item: JsonObject): string {
  const { output, error } = item;
  if (typeof output === "string") return output;
  if (error === null || error === undefined) return "The call was not made.";
  return typeof error === "string" ? error : JSON.stringify(error);
}

const declined = (reason: string): string =>
  `The user did not agree to this call; it was not made.${reason === "" ? "" : ` Reason: ${reason}`}`;

const unknownApproval = (index: number, approval: string): WireError =>
  badRequest(
    "approval_not_found",
    `input[${index}] answers the approval request "${approval.slice(0, 80)}", which is not in the conversation; continue the response that asked by previous_response_id, or send its item.`,
    `input[${index}].approval_request_id`,
  );
