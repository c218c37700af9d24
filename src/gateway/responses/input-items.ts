import type { JsonObject } from "../../dialects/dialect.ts";
import { asObject } from "../../engines/json-object.ts";
import type { WireError } from "../wire-error.ts";
import { badRequest } from "../wire-error.ts";

/** Most items of one request's own input. */
const MOST_ITEMS = 10_000;

/**
 * The input of a request for a response as a list of items, every item with an id: a text is a message of the user.
 * `newId` makes an id for a type of item.
 */
export function inputItems(
  input: unknown,
  newId: (type: string) => string,
): readonly JsonObject[] | WireError {
  if (input === undefined || input === null) return [];
  if (typeof input === "string") {
    const content = [{ type: "input_text", text: input }];
    return [{ id: newId("message"), type: "message", role: "user", content }];
  }
  if (!Array.isArray(input)) return wrong("input", "must be a text or a list of items");
  if (input.length > MOST_ITEMS) {
    return wrong("input", `has ${input.length} items; at most ${MOST_ITEMS} are taken`);
  }
  const items: JsonObject[] = [];
  for (const [index, sent] of input.entries()) {
    const item = asObject(sent);
    if (item === undefined) return wrong(`input[${index}]`, "must be an object");
    const type = typeOf(item);
    if (type === undefined) return wrong(`input[${index}].type`, "must be a text");
    const { id } = item;
    items.push({ ...item, type, id: typeof id === "string" && id !== "" ? id : newId(type) });
  }
  return items;
}

/** A message may come without its type, as in OpenAI's own examples; a reference too. */
function typeOf({ type, role, id }: JsonObject): string | undefined {
  if (typeof type === "string") return type;
  if (type !== undefined && type !== null) return undefined;
  return role === undefined && typeof id === "string" ? "item_reference" : "message";
}

const wrong = (param: string, what: string): WireError =>
  badRequest("invalid_input", `${param} ${what}.`, param);
