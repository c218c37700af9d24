import { ApiError, messageOf } from "../../api/api-error.ts";

/** Fields that a refusal without a member of the body is about. */
const FIELDS: ReadonlyMap<string, string> = new Map([
  ["key_exists", "name"],
  ["key_name", "name"],
]);

/** True for what the node refuses because nobody could change it any more; it may be done all the same. */
export const isLockout = (error: unknown): boolean =>
  error instanceof ApiError && error.code === "key_last_admin";

/** What the node said of a key that it did not make, by the field; `""` is the form as a whole. */
export function refusalFields(error: unknown): Readonly<Record<string, string>> {
  if (error === undefined) return {};
  const field = error instanceof ApiError ? (error.param ?? FIELDS.get(error.code) ?? "") : "";
  return { [field]: messageOf(error) };
}
