import type { z } from "zod";

type Payload = z.core.ParsePayload<Record<string, unknown>>;
type Check = (payload: Payload) => void;

const given = (payload: Payload, keys: readonly string[]): string[] =>
  keys.filter((key) => payload.value[key] !== undefined);

function reportMissing(payload: Payload, message: string, hint: string): void {
  payload.issues.push({
    code: "custom",
    input: payload.value,
    message,
    params: { code: "spec.missing-key", hint },
  });
}

/** Each key after the first is reported where it stands. */
function reportExtra(payload: Payload, keys: readonly string[]): void {
  for (const key of keys.slice(1)) {
    payload.issues.push({
      code: "custom",
      input: payload.value,
      path: [key],
      message: `${keys[0] ?? ""} and ${key} exclude each other`,
      params: { code: "spec.conflict", hint: `remove ${key} or ${keys[0] ?? ""}` },
    });
  }
}

/** Of these keys, exactly one must be given. */
export function exactlyOne(keys: readonly string[], example = `${keys[0] ?? ""}: …`): Check {
  return (payload) => {
    const present = given(payload, keys);
    if (present.length === 0)
      reportMissing(payload, `exactly one of ${keys.join(", ")} is required`, example);
    reportExtra(payload, present);
  };
}

/** Of these keys, at most one may be given. */
export function atMostOne(keys: readonly string[]): Check {
  return (payload) => reportExtra(payload, given(payload, keys));
}

/** At least one of these keys must be given. */
export function atLeastOne(keys: readonly string[], example = `${keys[0] ?? ""}: …`): Check {
  return (payload) => {
    if (given(payload, keys).length === 0)
      reportMissing(payload, `at least one of ${keys.join(", ")} is required`, example);
  };
}
