import type { DeployedService } from "../../deployment/index.ts";
import type { ComposeService } from "./compose-file.ts";

/** Profile of services that the plan refused: they start only when somebody names it. */
export const REFUSED = "refused";
/** Profile of services that wait for their turn on a card on which another one stands. */
const WAITING = "waiting";

const waits = ({ turns }: DeployedService): boolean => turns !== undefined && !turns.standing;

/** It is in the file and does not start by a plain `up`. */
export const isHeldBack = (service: DeployedService): boolean =>
  service.refused !== undefined || waits(service);

/** A profile keeps a service from being started by a plain `up`. */
export function profilesOf(service: DeployedService): Pick<ComposeService, "profiles"> {
  if (service.refused !== undefined) return { profiles: [REFUSED] };
  return waits(service) ? { profiles: [WAITING] } : {};
}

/** What a service is, on one line, and why it does not start by itself where it does not. */
export function headline(service: DeployedService, neighbours: readonly DeployedService[]): string {
  const { planned, replicaOf, kind, engineVersion, cards, name } = service;
  const engine = `${kind}${engineVersion === undefined ? "" : ` ${engineVersion}`}`;
  const on = cards.length === 0 ? "the processor" : cards.map((card) => card.name).join(" + ");
  const replica = replicaOf === undefined ? "" : ` A further replica of ${replicaOf}.`;
  const model = planned.model.name === "" ? "" : `${planned.model.name} `;
  return [
    `${name}: ${model}by ${engine} on ${on}.${replica}`,
    ...refusalOf(service),
    ...turnOf(service, neighbours),
  ].join("\n");
}

const refusalOf = ({ refused, name }: DeployedService): readonly string[] =>
  refused === undefined
    ? []
    : [
        `REFUSED by the plan, rendered as written, never started by itself: ${refused.reason}`,
        `→ ${refused.hint}`,
        `In spite of it: docker compose --profile ${REFUSED} up -d ${name}`,
      ];

function turnOf({ name, turns }: DeployedService, neighbours: readonly DeployedService[]): readonly string[] {
  if (turns === undefined) return [];
  const others = neighbours
    .filter((one) => one.name !== name && one.turns?.set === turns.set)
    .map((one) => one.name)
    .join(" ");
  return turns.standing
    ? [`Takes turns on its cards with ${others}; this is the one that is up first.`]
    : [
        `Takes turns on its cards with ${others}, and only one of them fits. To change over:`,
        `docker compose stop ${others} && docker compose --profile ${WAITING} up -d --no-deps ${name}`,
      ];
}
