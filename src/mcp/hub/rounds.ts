import type { InputRequiredResult } from "@modelcontextprotocol/server";
import { OmniError } from "../../core/index.ts";
import { QUESTION } from "../approvals/approval-question.ts";
import type { Binding, CallState, CallStates } from "../approvals/call-state.ts";
import type { Asker, HubContext } from "../hub.ts";
import type { ServerPolicy } from "../policy/server-policy.ts";
import type { Answer, ProviderContext } from "../provider.ts";

/** Milliseconds that a client has to answer what a server asked. */
const ANSWER_TIME = 15 * 60_000;
/** Characters of a server's state that are carried through the client. */
const MOST_INNER = 256 * 1024;

export const isInput = (answer: Answer<object>): answer is InputRequiredResult =>
  "resultType" in answer && answer.resultType === "input_required";

/** The state that a request brought back, where it brought one. Throws `ProtocolError` -32602. */
export function openState(states: CallStates, binding: Binding, context: HubContext): CallState | undefined {
  if (context.requestState === undefined) return undefined;
  const state = states.open(context.requestState, binding);
  // An approval is for one call; what a server made of its own may come again, as it could without the gateway.
  if (state.stage === "run" && state.by !== undefined) states.use(state);
  return state;
}

/**
 * What a server asks of the client, with its state sealed for this request. Without a state of its own and without approval
 * there is nothing to seal. Throws `OmniError` for what no client is asked.
 */
export function askedOf(
  states: CallStates,
  binding: Binding,
  answer: InputRequiredResult,
  policy: Pick<ServerPolicy, "roots">,
  approvedBy: string | undefined,
  now: number,
): InputRequiredResult {
  const { requestState, inputRequests } = answer;
  const asksRoots = Object.values(inputRequests ?? {}).some(({ method }) => method === "roots/list");
  if (asksRoots && !policy.roots)
    throw new OmniError(
      "mcp.roots-refused",
      `The MCP server ${binding.server} asked for the client's roots.`,
      { hint: `tools: { ${binding.server}: { roots: true } } lets it.` },
    );
  if ((requestState?.length ?? 0) > MOST_INNER)
    throw new OmniError(
      "mcp.too-large",
      `The MCP server ${binding.server} gave a state of ${requestState?.length} characters; at most ${MOST_INNER} are carried.`,
    );
  if (requestState === undefined && approvedBy === undefined) return answer;
  const sealed = states.seal(
    {
      stage: "run",
      expires: now + ANSWER_TIME,
      ...(approvedBy === undefined ? {} : { by: approvedBy }),
      ...(requestState === undefined ? {} : { inner: requestState }),
    },
    binding,
  );
  return { ...answer, requestState: sealed };
}

/** What goes to the server: the client's roots only where its owner lets it ask for them, never a state that is not its own, never an answer that was for us. */
export function providerContext(
  context: HubContext,
  { caller }: Asker,
  policy: Pick<ServerPolicy, "roots">,
  signal: AbortSignal,
  state: CallState | undefined,
): ProviderContext {
  const { requestState: _, inputResponses, capabilities, ...rest } = context;
  const inner = state?.stage === "run" ? state.inner : undefined;
  // With a state of its own the server asked last, and may itself be a node of Omni with a question of this name.
  const responses =
    state === undefined ? withoutOurs(inputResponses) : state.stage === "ask" ? undefined : inputResponses;
  return {
    ...rest,
    caller,
    signal,
    capabilities:
      policy.roots || capabilities.roots === undefined ? capabilities : withoutRoots(capabilities),
    ...(responses === undefined ? {} : { inputResponses: responses }),
    ...(inner === undefined ? {} : { requestState: inner }),
  };
}

function withoutRoots(capabilities: HubContext["capabilities"]): HubContext["capabilities"] {
  const { roots: _, ...rest } = capabilities;
  return rest;
}

function withoutOurs(responses: HubContext["inputResponses"]): HubContext["inputResponses"] {
  if (responses === undefined || !Object.hasOwn(responses, QUESTION)) return responses;
  const { [QUESTION]: _, ...rest } = responses;
  return rest;
}
