import type { JsonObject } from "../../dialects/dialect.ts";
import type { EventLog } from "../../core/index.ts";
import { messageOf } from "../../core/index.ts";
import type { Caller } from "../../keys/caller.ts";
import type { StoredResponses } from "../../store/index.ts";
import type { WireError } from "../wire-error.ts";
import { badRequest } from "../wire-error.ts";
import type { ExpandedInput } from "./expand-input.ts";
import { expandInput } from "./expand-input.ts";
import { objectsOf } from "./objects-of.ts";

/** A request for a response that no earlier state is needed for any more. */
export interface PreparedResponse {
  /** The client's body, its `input` the whole conversation as items; `previous_response_id` is only an echo now. */
  readonly body: JsonObject;
  /**
   * To be called with the whole response object, of a stream with that of its last event, before the last bytes of it go to the
   * client: what continues it may come to another process at once.
   */
  readonly remember: (answer: JsonObject) => void;
}

const nothing = (): void => undefined;

/** Puts the conversation of a request for a response before its input, and keeps the answer where the client wants that. */
export function prepareResponse(
  body: JsonObject,
  caller: Pick<Caller, "key">,
  store: StoredResponses,
  events: EventLog,
): PreparedResponse | WireError {
  const refusal = unsupported(body);
  if (refusal !== undefined) return refusal;
  const expanded = expandInput(body, store, caller);
  if ("status" in expanded) return expanded;
  if (expanded.chain.length > 0) store.touch(caller.key, expanded.chain);
  return {
    body: { ...body, input: expanded.all },
    remember:
      body["store"] === false ? nothing : (answer) => keep(answer, expanded, caller.key, store, events),
  };
}

const refuse = (param: string, message: string): WireError =>
  badRequest("unsupported_parameter", message, param);

/** State that this gateway does not hold is refused rather than left out. */
function unsupported(body: JsonObject): WireError | undefined {
  if (body["background"] === true) {
    return refuse(
      "background",
      "background: true is not supported: responses are made while the client waits. Use stream: true, or /v1/batches.",
    );
  }
  if (body["conversation"] !== undefined && body["conversation"] !== null) {
    return refuse(
      "conversation",
      "conversation is not supported; continue a response by previous_response_id.",
    );
  }
  if (body["prompt"] !== undefined && body["prompt"] !== null) {
    return refuse("prompt", "Stored prompts are not supported; send instructions and input.");
  }
  const store = body["store"];
  if (store !== undefined && store !== null && typeof store !== "boolean") {
    return badRequest("invalid_input", "store must be true or false.", "store");
  }
  return undefined;
}

function keep(
  answer: JsonObject,
  expanded: ExpandedInput,
  key: string,
  store: StoredResponses,
  events: EventLog,
): void {
  const { id, output } = answer;
  if (typeof id !== "string" || id === "") return;
  const [previous] = expanded.chain;
  const said = objectsOf(output);
  const problem = attempt(() =>
    store.put(key, {
      id,
      input: JSON.stringify(expanded.own),
      answer: JSON.stringify(answer),
      items: [...expanded.own, ...said].flatMap((item) => (typeof item["id"] === "string" ? item["id"] : [])),
      ...(previous === undefined ? {} : { previous }),
    }),
  );
  if (problem === undefined) return;
  events.record({
    kind: "response.not-kept",
    severity: "warning",
    message: `Response ${id} of key "${key}" is not kept, so that nothing can continue it: ${problem}.`,
    data: { response: id, key },
  });
}

/** The answer is good without being kept: what goes wrong here must not reach the client. */
function attempt(put: () => string | undefined): string | undefined {
  try {
    return put();
  } catch (thrown) {
    return messageOf(thrown);
  }
}
