import type { Service, Status } from "../../live/live-state.ts";

/** A name that can be asked in a chat. */
export interface ChatModel {
  readonly name: string;
  readonly group: "Routes" | "Images" | "Services";
  /** Takes pictures beside words, as far as the node knows. */
  readonly vision: boolean;
  readonly services: readonly string[];
}

/** What `GET /v1/models` says of one name. */
export interface NamedModel {
  readonly id: string;
  readonly services: readonly string[];
}

const SPEAKS: ReadonlySet<string> = new Set(["chat", "completion", "image"]);

/** The names that this key may ask and that answer with words or images; routes first, each group in the node's order. */
export function chatModels(
  named: readonly NamedModel[],
  { services, routes }: Pick<Status, "services" | "routes">,
): readonly ChatModel[] {
  const known = new Map(services.map((service) => [service.name, service]));
  const routeNames = new Set(routes.map(({ name }) => name));
  const models = named.flatMap(({ id, services: names }): readonly ChatModel[] => {
    const views = names.flatMap((name) => known.get(name) ?? []);
    if (views.length > 0 && !views.some(speaks)) return [];
    const images = views.length > 0 && views.every(makesImages);
    const group = images ? "Images" : routeNames.has(id) ? "Routes" : "Services";
    return [{ name: id, group, vision: !images && views.some(sees), services: names }];
  });
  const of = (wanted: ChatModel["group"]): readonly ChatModel[] =>
    models.filter(({ group }) => group === wanted);
  return [...of("Routes"), ...of("Images"), ...of("Services")];
}

const speaks = ({ capabilities }: Service): boolean =>
  capabilities === undefined || capabilities.some((one) => SPEAKS.has(one));

const makesImages = ({ kind, capabilities }: Service): boolean =>
  kind === "comfyui" || (capabilities?.length === 1 && capabilities[0] === "image");

/** Where nobody said what a model can do, its engine is asked; the embedded one is known to read words alone. */
const sees = ({ kind, capabilities }: Service): boolean =>
  capabilities === undefined ? kind !== "embedded" : capabilities.includes("vision");
