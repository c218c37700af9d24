import type { DeployedService, Deployment } from "../../../deployment/index.ts";
import { imageStepId } from "../engines/index.ts";

/** Steps that a service on Docker or a plain host comes after: its machine, image, weights, disks, and other services. */
export const serviceNeeds = (service: DeployedService, { services }: Deployment): readonly string[] => [
  ...(service.machine === undefined ? [] : [`host/${service.machine}`]),
  `engine/${service.planned.engine.name}`,
  ...(service.image === undefined ? [] : [imageStepId(service)]),
  ...[service.planned.model.name, service.draftModel ?? ""].flatMap((model) =>
    model === "" ? [] : [`model/${model}`],
  ),
  ...service.mounts.flatMap(({ source }) =>
    source.kind === "folder" && source.disk !== undefined ? [`disk/${source.disk}`] : [],
  ),
  ...service.after.flatMap((name) =>
    services
      .filter((one) => one !== service && (one.replicaOf ?? one.name) === name)
      .map((one) => `service/${one.name}`),
  ),
];
