import type { JsonObject } from "../../dialects/dialect.ts";
import { asObject, parseJson } from "../../engines/json-object.ts";
import type { Caller } from "../../keys/caller.ts";
import type { StoredResponses } from "../../store/index.ts";
import type { WireError } from "../wire-error.ts";
import { badRequest } from "../wire-error.ts";
import { inputItems } from "./input-items.ts";
import { newItemId } from "./item-id.ts";
import { objectsOf } from "./objects-of.ts";

/** What a response is made from. */
export interface ExpandedInput {
  /** The request's own items. */
  readonly own: readonly JsonObject[];
  /** Everything before them too: the input and output of each earlier response, oldest first. Reasoning is among it. */
  readonly all: readonly JsonObject[];
  /** Ids of the earlier responses, newest first. */
  readonly chain: readonly string[];
}

export interface ExpansionBounds {
  /** Most responses in a conversation. */
  readonly depth: number;
  /** Most bytes of all that is put before the request's own input. */
  readonly bytes: number;
  /** Most items that a request refers to by their ids. */
  readonly references: number;
}

const BOUNDS: ExpansionBounds = { depth: 512, bytes: 32 * 1024 * 1024, references: 256 };
const MOST_SHOWN = 80;

interface Turn {
  readonly items: readonly JsonObject[];
  readonly previous?: string;
  readonly bytes: number;
}

/**
 * The whole input of a request for a response. `previous_response_id` puts the conversation before it; instructions of
 * earlier responses are not carried over, as OpenAI documents. References to items of the caller are replaced by the items.
 */
export function expandInput(
  body: JsonObject,
  store: StoredResponses,
  caller: Pick<Caller, "key">,
  bounds: ExpansionBounds = BOUNDS,
): ExpandedInput | WireError {
  const sent = inputItems(body["input"], newItemId);
  if ("status" in sent) return sent;
  const before = conversation(body["previous_response_id"], store, caller.key, bounds);
  if ("status" in before) return before;
  const own = resolved(sent, before.items, store, caller.key, bounds);
  if ("status" in own) return own;
  return { own, all: [...before.items, ...own], chain: before.chain };
}

interface Conversation {
  readonly items: readonly JsonObject[];
  readonly chain: readonly string[];
}

function conversation(
  previous: unknown,
  store: StoredResponses,
  key: string,
  bounds: ExpansionBounds,
): Conversation | WireError {
  if (previous === undefined || previous === null) return { items: [], chain: [] };
  if (typeof previous !== "string" || previous === "") {
    return badPrevious("invalid_previous_response_id", "must be the id of a response");
  }
  const turns: (readonly JsonObject[])[] = [];
  const chain: string[] = [];
  let bytes = 0;
  for (let id: string | undefined = previous; id !== undefined;) {
    if (chain.includes(id)) break;
    const turn = turnOf(store, key, id);
    if (turn === undefined) return missing(id, chain.length > 0 ? previous : undefined);
    chain.push(id);
    bytes += turn.bytes;
    if (chain.length > bounds.depth || bytes > bounds.bytes) return tooLong(chain.length, bytes, bounds);
    turns.push(turn.items);
    id = turn.previous;
  }
  return { items: turns.toReversed().flat(), chain };
}

/** The items of one stored response: what it was asked, then what it answered. */
function turnOf(store: StoredResponses, key: string, id: string): Turn | undefined {
  const stored = store.get(key, id);
  if (stored === undefined) return undefined;
  const input = objectsOf(parseJson(stored.input));
  const output = objectsOf(asObject(parseJson(stored.answer))?.["output"]);
  return {
    items: [...input, ...output],
    bytes: Buffer.byteLength(stored.input) + Buffer.byteLength(stored.answer),
    ...(stored.previous === undefined ? {} : { previous: stored.previous }),
  };
}

/** Replaces references by the items that they name; only items of the same key are found. */
function resolved(
  items: readonly JsonObject[],
  before: readonly JsonObject[],
  store: StoredResponses,
  key: string,
  bounds: ExpansionBounds,
): readonly JsonObject[] | WireError {
  const own: JsonObject[] = [];
  let references = 0;
  let bytes = 0;
  for (const [index, item] of items.entries()) {
    if (item["type"] !== "item_reference") {
      own.push(item);
      continue;
    }
    const id = String(item["id"]);
    const param = `input[${index}].id`;
    if (before.some((earlier) => earlier["id"] === id)) continue;
    if (++references > bounds.references) {
      return badRequest("invalid_input", `At most ${bounds.references} items can be referred to.`, param);
    }
    const holder = store.holderOf(key, id);
    const turn = holder === undefined ? undefined : turnOf(store, key, holder);
    const found = turn?.items.find((candidate) => candidate["id"] === id);
    bytes += turn?.bytes ?? 0;
    if (found === undefined || bytes > bounds.bytes) {
      const message = `There is no item "${id.slice(0, MOST_SHOWN)}" of this key; send the item itself.`;
      return { ...badRequest("item_not_found", message, param), status: found === undefined ? 404 : 400 };
    }
    own.push(found);
  }
  return own;
}

const badPrevious = (code: string, what: string): WireError =>
  badRequest(code, `previous_response_id ${what}.`, "previous_response_id");

function missing(id: string, asked: string | undefined): WireError {
  const shown = `"${id.slice(0, MOST_SHOWN)}"`;
  const gone = "it was never stored, was deleted, or is older or more than this node keeps";
  const what =
    asked === undefined
      ? `names ${shown}, which this node does not have for this key: ${gone}`
      : `leads to ${shown}, an earlier response of the conversation, which is gone: ${gone}`;
  return badPrevious("previous_response_not_found", what);
}

const tooLong = (depth: number, bytes: number, bounds: ExpansionBounds): WireError =>
  badPrevious(
    "conversation_too_long",
    depth > bounds.depth
      ? `leads through more than ${bounds.depth} responses; send the input itself`
      : `stands for ${bytes} bytes and more; at most ${bounds.bytes} are put before a request`,
  );
