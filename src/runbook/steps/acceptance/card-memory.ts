import { nodeHardware } from "../../../acceptance/index.ts";
import type { AcceptanceClient } from "../../../acceptance/index.ts";
import { formatBytes, messageOf } from "../../../core/index.ts";
import type { DeployedService, Deployment } from "../../../deployment/index.ts";
import type { StepContext } from "../../step.ts";

/** Share beyond the prediction that its owner has to know of. */
const TOLERATED = 0.15;
const MIB = 2 ** 20;

interface Usage {
  readonly used: number;
  readonly total: number;
}

/** What the cards of a service hold now beside what the plan predicts for all that is on them; a line each. */
export async function cardMemory(
  deployment: Deployment,
  service: DeployedService,
  client: AcceptanceClient,
  context: StepContext,
): Promise<readonly string[]> {
  const { cards } = service;
  if (cards.length === 0) return [];
  const seen = await usageByUuid(service, client, context);
  if (typeof seen === "string") return [`memory of the cards not measured: ${seen}`];
  return cards.map(({ name, uuid }) => {
    const usage = uuid === undefined ? (seen.size === 1 ? [...seen.values()][0] : undefined) : seen.get(uuid);
    if (usage === undefined) return `${name}: memory not measured, the driver shows no such card`;
    return `${name}: ${comparison(usage, predictedOn(name, deployment))}`;
  });
}

/** `116.80 GiB of 128.00 GiB, predicted 114.20 GiB (+2.3 %)`. */
export function comparison({ used, total }: Usage, predicted: number): string {
  const plain = `${formatBytes(used)} of ${formatBytes(total)}`;
  if (predicted === 0) return `${plain}, nothing predicted`;
  const share = used / predicted - 1;
  const percent = `${share < 0 ? "" : "+"}${(share * 100).toFixed(1)} %`;
  const over = share > TOLERATED ? `: MORE THAN ${TOLERATED * 100} % OVER THE PLAN` : "";
  return `${plain}, predicted ${formatBytes(predicted)} (${percent})${over}`;
}

/** Bytes predicted for a card, of all services on it; of those that take turns the one that stands. */
function predictedOn(card: string, { services }: Deployment): number {
  return services
    .filter(({ refused, turns }) => refused === undefined && turns?.standing !== false)
    .flatMap(({ planned, cards }) => {
      const place = cards.findIndex(({ name }) => name === card);
      // Memory terms of cards come first, in their order.
      return planned.memory[place]?.total ?? [];
    })
    .reduce((sum, bytes) => sum + bytes, 0);
}

/** The driver's figures by the gateway, which may run beside the cards, else by nvidia-smi on the machine. */
async function usageByUuid(
  service: DeployedService,
  client: AcceptanceClient,
  context: StepContext,
): Promise<ReadonlyMap<string, Usage> | string> {
  const told = (await nodeHardware(client, context.signal)).flatMap(
    ({ uuid, memoryUsed: used, memoryTotal: total }): [string, Usage][] =>
      used === undefined || total === undefined ? [] : [[uuid, { used, total }]],
  );
  if (told.length > 0) return new Map(told);
  if (service.runtime === "kubernetes")
    return "the gateway sees no card, and the driver is inside the cluster";
  try {
    const host = await context.host(service.machine);
    const query = ["--query-gpu=uuid,memory.used,memory.total", "--format=csv,noheader,nounits"];
    const result = await context.look(host, { argv: ["nvidia-smi", ...query], timeout: 20_000 });
    if (!result.ended) return `${host.name}: nvidia-smi: ${result.message}`;
    return result.code === 0
      ? smiUsage(result.stdout)
      : `${host.name}: nvidia-smi ended with ${result.code}: ${result.stdout.trim()}`;
  } catch (thrown) {
    context.signal.throwIfAborted();
    return messageOf(thrown);
  }
}

/** Lines `GPU-…, 118784, 131072` in MiB. */
export const smiUsage = (text: string): ReadonlyMap<string, Usage> =>
  new Map(
    text.split("\n").flatMap((line): [string, Usage][] => {
      const [uuid = "", used = "", total = ""] = line.split(",").map((cell) => cell.trim());
      return /^\d+$/.test(used) && /^\d+$/.test(total)
        ? [[uuid, { used: Number(used) * MIB, total: Number(total) * MIB }]]
        : [];
    }),
  );
