import type {
  KubernetesObject,
  V1DeviceSelector,
  V1ExactDeviceRequest,
  V1ObjectMeta,
  V1ResourceClaimTemplate,
  V1beta1ResourceClaimTemplate,
  V1beta2ResourceClaimTemplate,
} from "@kubernetes/client-node";
import type { DeployedCard } from "../../deployment/index.ts";
import { celString } from "../escape/cel.ts";
import type { ClusterContract } from "./cluster-contract.ts";
import type { Data } from "./object.ts";

/** Domain of the attributes of NVIDIA's DRA driver. */
const DOMAIN = "gpu.nvidia.com";
/** DeviceClasses that the driver makes: one for whole cards, one for their slices. */
const classOf = (uuid: string | undefined): string =>
  uuid?.startsWith("MIG-") === true ? "mig.nvidia.com" : "gpu.nvidia.com";

interface Request {
  readonly name: string;
  readonly exactly: Data<V1ExactDeviceRequest>;
}

const attribute = (name: string): string => `device.attributes['${DOMAIN}'].${name}`;

const selected = (expression: string): V1DeviceSelector[] => [{ cel: { expression } }];

/**
 * One request for each card whose UUID is known; cards without one are asked for by model, as many as are needed. A
 * model's name ends where the driver's does, so that an RTX 3080 is no RTX 3080 Ti.
 */
function requestsFor(cards: readonly DeployedCard[]): Request[] {
  const byModel = new Map<string, number>();
  for (const { uuid, model } of cards)
    if (uuid === undefined) byModel.set(model, (byModel.get(model) ?? 0) + 1);
  const named = cards.flatMap(({ uuid }) => (uuid === undefined ? [] : [uuid]));
  const conditions = [
    ...named.map((uuid) => ({
      count: 1,
      deviceClassName: classOf(uuid),
      expression: `${attribute("uuid")} == ${celString(uuid)}`,
    })),
    ...[...byModel].map(([model, count]) => ({
      count,
      deviceClassName: classOf(undefined),
      expression: ["Ti", "SUPER", "D", "Laptop"]
        .filter((suffix) => !model.endsWith(` ${suffix}`))
        .map((suffix) => `!${attribute("productName")}.contains(${celString(`${model} ${suffix}`)})`)
        .reduce(
          (all, one) => `${all} && ${one}`,
          `${attribute("productName")}.contains(${celString(model)})`,
        ),
    })),
  ];
  return conditions.map(({ count, deviceClassName, expression }, index) => ({
    name: `gpu-${index}`,
    exactly: { deviceClassName, allocationMode: "ExactCount", count, selectors: selected(expression) },
  }));
}

/** The ResourceClaimTemplate for these cards in the form of the cluster's version. */
export function claimTemplate(
  cards: readonly DeployedCard[],
  metadata: V1ObjectMeta,
  api: NonNullable<ClusterContract["dynamicResources"]>,
): KubernetesObject {
  const head = { apiVersion: api.apiVersion, kind: "ResourceClaimTemplate", metadata };
  const requests = requestsFor(cards);
  if (api.form === "flat") {
    const template: V1beta1ResourceClaimTemplate = {
      ...head,
      spec: { spec: { devices: { requests: requests.map(({ name, exactly }) => ({ name, ...exactly })) } } },
    };
    return template;
  }
  const template: V1ResourceClaimTemplate & V1beta2ResourceClaimTemplate = {
    ...head,
    spec: { spec: { devices: { requests } } },
  };
  return template;
}
