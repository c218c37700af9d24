import type { WireError } from "../wire-error.ts";
import { badRequest } from "../wire-error.ts";

const MOST = 10_000;
const USUAL = 20;

export interface Page {
  readonly object: "list";
  readonly data: readonly unknown[];
  readonly first_id: string | null;
  readonly last_id: string | null;
  readonly has_more: boolean;
}

/** One page of a list, `?limit=` and `?after=ID` as OpenAI's lists take them. */
export function pageOf<T extends { readonly id: string }>(
  items: readonly T[],
  query: URLSearchParams,
  shape: (item: T) => unknown,
  usual = USUAL,
): Page | WireError {
  const limit = Number(query.get("limit") ?? usual);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST)
    return badRequest("invalid_value", `limit is a whole number from 1 to ${MOST}.`, "limit");
  const after = query.get("after");
  const from = after === null ? 0 : items.findIndex(({ id }) => id === after) + 1;
  if (after !== null && from === 0)
    return badRequest("invalid_value", "after names no item of this list.", "after");
  const page = items.slice(from, from + limit);
  return {
    object: "list",
    data: page.map(shape),
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
    has_more: from + limit < items.length,
  };
}
