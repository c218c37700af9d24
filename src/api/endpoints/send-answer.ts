import { sendJson } from "../../gateway/call.ts";
import type { Call } from "../../gateway/call.ts";
import { sendError } from "../../gateway/wire-error.ts";
import { OPERATIONS } from "../contract/index.ts";
import type { Answer, OperationName } from "../contract/index.ts";
import type { Operation } from "../contract/operation.ts";

/** Answers an operation as the contract says, with its status. */
export function sendAnswer<Name extends OperationName>(call: Call, name: Name, answer: Answer<Name>): void {
  const { status = 200 }: Operation = OPERATIONS[name];
  sendJson(call, status, answer);
}

/** 404 for something that the node does not have, or does not do. */
export const sendMissing = (call: Call, code: string, message: string): void =>
  sendError(call, { status: 404, type: "invalid_request_error", code, message });
