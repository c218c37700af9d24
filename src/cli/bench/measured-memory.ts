import { nodeHardware } from "../../acceptance/index.ts";
import type { AcceptanceClient, ServiceSeen } from "../../acceptance/index.ts";
import { formatBytes } from "../../core/index.ts";
import { readMeasurements, readNodeRecord } from "../../store/index.ts";
import type { Measurement } from "../../store/index.ts";

/** Memory of a service on one device, bytes: what the plan predicted, what the driver showed, what there is. */
interface DeviceMemory {
  readonly device: string;
  readonly predicted?: number;
  readonly took?: number;
  readonly total?: number;
}

/** What an engine took and what it runs on, as far as this machine can know it. */
export interface MeasuredEngine {
  readonly version: string;
  /** Names of the cards' models; `cpu` for none, nothing where nobody tells. */
  readonly cards: readonly string[];
  readonly memory: readonly DeviceMemory[];
}

/** Reads what can be known of engines: the cards by the node, what engines took by its state folder where it runs here. */
export async function memoryReader(
  client: AcceptanceClient,
  stateFolder: string,
  signal: AbortSignal,
): Promise<(service: ServiceSeen | undefined) => MeasuredEngine> {
  const cards = await nodeHardware(client, signal);
  const here = readNodeRecord(stateFolder)?.url;
  const taken = here === client.origin ? (readMeasurements(stateFolder) ?? []) : [];
  return (service) => {
    if (service === undefined) return { version: "", cards: [], memory: [] };
    const measured = taken.find((one) => one.service === service.name && one.model === service.model);
    const onCards = service.devices?.some((device) => device !== "cpu") === true;
    // Without the node's own record nobody tells which of several cards a service is on.
    const names = measured?.cards ?? (onCards ? cards.map(({ name }) => name) : ["cpu"]);
    return {
      version: measured?.version ?? "",
      cards: names.length === 0 ? ["cpu"] : names,
      memory:
        measured === undefined
          ? onCards
            ? cards.map(inUse)
            : []
          : measured.devices.map((device) => memoryOf(device, cards)),
    };
  };
}

type Card = Awaited<ReturnType<typeof nodeHardware>>[number];

/** All that is in use on a card, whoever uses it. */
const inUse = ({ name, memoryUsed, memoryTotal }: Card): DeviceMemory => ({
  device: `${name} (all processes)`,
  ...(memoryUsed === undefined ? {} : { took: memoryUsed }),
  ...(memoryTotal === undefined ? {} : { total: memoryTotal }),
});

function memoryOf(
  { device, uuid, predicted, took }: Measurement["devices"][number],
  cards: readonly Card[],
): DeviceMemory {
  const total = cards.find((card) => card.uuid === uuid)?.memoryTotal;
  return {
    device,
    ...(predicted.total === undefined ? {} : { predicted: predicted.total }),
    ...(took.total === undefined ? {} : { took: took.total }),
    ...(total === undefined ? {} : { total }),
  };
}

/** `gpu-0 116.80 GiB of 128.00 GiB, predicted 114.20 GiB (+2.3 %)`; nothing where neither was told. */
export function memoryText({ device, predicted, took, total }: DeviceMemory): string | undefined {
  if (took === undefined)
    return predicted === undefined
      ? undefined
      : `${device} not measured, predicted ${formatBytes(predicted)}`;
  const of = total === undefined ? "" : ` of ${formatBytes(total)}`;
  if (predicted === undefined || predicted === 0) return `${device} ${formatBytes(took)}${of}`;
  const percent = (took / predicted - 1) * 100;
  const sign = percent < 0 ? "" : "+";
  return `${device} ${formatBytes(took)}${of}, predicted ${formatBytes(predicted)} (${sign}${percent.toFixed(1)} %)`;
}
