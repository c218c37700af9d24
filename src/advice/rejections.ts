import type { Code } from "../core/index.ts";
import type { Rejection } from "../plan/plan.ts";
import type { AdviceInput, Finding } from "./rule.ts";

/** The service of this plan, where it was placed. */
export const isPlaced = ({ plan }: AdviceInput, service: string): boolean =>
  plan.services.some((placed) => placed.name === service);

/** The key under `services`: the plan numbers further copies of one service, `chat-2`. */
const serviceKey = ({ spec }: AdviceInput, name: string): string =>
  Object.hasOwn(spec.services, name) ? name : name.replace(/-\d+$/, "");

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/**
 * What the plan rejected for this reason, once for each service and engine: an error where the service was not placed
 * at all, a warning where another engine of its chain took it.
 */
export function rejectionFindings(
  input: AdviceInput,
  code: Code,
  place: (rejection: Rejection) => Finding["at"],
): readonly Finding[] {
  const groups = Map.groupBy(
    // An alternative of a placed engine only tells why it was not put elsewhere.
    input.plan.rejected.filter((rejection) => rejection.code === code && rejection.alternative !== true),
    ({ service, engine }) => JSON.stringify([service, engine]),
  );
  return [...groups.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const on = first.devices.length === 0 ? "" : ` on ${first.devices.join(", ")}`;
    const more =
      others.length === 0
        ? ""
        : ` ${others.length} more ${others.length === 1 ? "placement fails" : "placements fail"} alike.`;
    const placed = isPlaced(input, first.service);
    return [
      {
        at: place(first),
        message: `${first.service} with ${first.engine}${on}: ${sentence(first.reason)}${more}${placed ? " Another engine of its chain takes it." : ""}`,
        hint: first.hint,
        severity: placed ? ("warning" as const) : ("error" as const),
        ...(first.source === undefined ? {} : { source: first.source }),
      },
    ];
  });
}

/** The service that a rejection is about. */
export const atService =
  (input: AdviceInput) =>
  (rejection: Rejection): Finding["at"] => ["services", serviceKey(input, rejection.service)];

/** Its model where the spec has one of that name. */
export const atModel =
  (input: AdviceInput, ...rest: string[]) =>
  (rejection: Rejection): Finding["at"] =>
    Object.hasOwn(input.spec.models, rejection.model)
      ? ["models", rejection.model, ...rest]
      : atService(input)(rejection);

/** The engine's place in the chain of the service. */
export const atEngineOfService =
  (input: AdviceInput) =>
  (rejection: Rejection): Finding["at"] => {
    const key = serviceKey(input, rejection.service);
    const service = Object.hasOwn(input.spec.services, key) ? input.spec.services[key] : undefined;
    const index = service?.engine.indexOf(rejection.engine) ?? -1;
    return index < 0 ? ["services", key] : ["services", key, "engine", index];
  };
