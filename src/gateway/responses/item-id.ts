import { randomUUID } from "node:crypto";

const PREFIXES: Readonly<Record<string, string>> = {
  message: "msg",
  reasoning: "rs",
  function_call: "fc",
  function_call_output: "fco",
  mcp_call: "mcp",
  mcp_list_tools: "mcpl",
  mcp_approval_request: "mcpr",
  mcp_approval_response: "mcpa",
  response: "resp",
};

/** A new id for an item of a type, as OpenAI forms them: `msg_…`, `rs_…`; nobody can guess it. */
export const newItemId = (type: string): string =>
  `${PREFIXES[type] ?? "item"}_${randomUUID().replaceAll("-", "")}`;
