import { DCGM_METRICS, OMNI_METRICS, XIDS } from "../../catalog/index.ts";
import { formatBytes } from "../../core/index.ts";
import type { DeployedCard, Deployment } from "../../deployment/index.ts";
import { ruleText, selector } from "../escape/promql.ts";
import { alertRule } from "./rule.ts";
import type { AlertRule, RuleGroup } from "./rule.ts";
import type { MetricSources } from "./sources.ts";

type Headroom = Deployment["headroom"]["vram"];

/** How a card's numbers are called here, in bytes: by dcgm-exporter (MiB) or by Omni on the machine. */
interface CardNames {
  readonly free: string;
  readonly used: string;
  readonly temperature: string;
  readonly xid: string;
  readonly uuid: "UUID" | "uuid";
  readonly scale: number;
  readonly who: string;
  readonly name: string;
}

export function cardNames({ dcgm, node }: MetricSources): CardNames | undefined {
  if (dcgm !== undefined)
    return {
      ...DCGM_METRICS,
      uuid: "UUID",
      scale: 2 ** 20,
      who: "dcgm-exporter",
      name: "{{ $labels.modelName }} {{ $labels.UUID }}",
    };
  if (!node) return undefined;
  const { cardFree, cardUsed, cardTemperature, cardXid } = OMNI_METRICS;
  return {
    free: cardFree.name,
    used: cardUsed.name,
    temperature: cardTemperature.name,
    xid: cardXid.name,
    uuid: "uuid",
    scale: 1,
    who: "Omni",
    name: "{{ $labels.gpu }}",
  };
}

/** Celsius at which a card is throttled or close to it; NVIDIA's cards slow down between 83 and 92. */
const HOT = 88;

/** Rules about cards, by whoever exports them here; none where nobody does. */
export function cardRules(deployment: Deployment, sources: MetricSources): readonly RuleGroup[] {
  const names = cardNames(sources);
  if (names === undefined || sources.cards.length === 0) return [];
  return [
    {
      name: "omni-cards",
      rules: [
        ...headroom(deployment.headroom.vram, names),
        xid(
          "XidNodeRestart",
          XIDS["restart-node"],
          names,
          "page",
          "fell off the bus or lost its link",
          "Only a restart of the machine brings it back: drain, then power off and on; a warm reboot is often not enough for a card behind passthrough. Until then take it out of omni.yaml and plan again, so that the rest serves.",
        ),
        xid(
          "XidCardReset",
          XIDS["reset-card"],
          names,
          "page",
          "needs a reset",
          "Stop everything on it, then nvidia-smi --gpu-reset -i N (or omni-switch on the host for a card passed through). If it comes back within a day, the card or its slot is failing.",
        ),
        xid(
          "XidProgramFault",
          XIDS["restart-app"],
          names,
          "ticket",
          "reported a fault of a program",
          "The engine on it has to be restarted; the card itself is sound. 31 and 13 repeat with the same model: an engine's bug or memory clocked too high. 94 is a memory error that was contained.",
        ),
        temperature(names),
        ...lost(sources.cards, names),
      ],
    },
  ];
}

function headroom(kept: Headroom, names: CardNames): readonly AlertRule[] {
  if (kept === undefined) return [];
  const scaled = names.scale === 1 ? names.free : `${names.free} * ${names.scale}`;
  const [expr, text] =
    "bytes" in kept
      ? [`${scaled} < ${kept.bytes}`, formatBytes(kept.bytes)]
      : [`${names.free} / (${names.free} + ${names.used}) < ${kept.fraction}`, `${kept.fraction * 100} %`];
  return [
    alertRule({
      alert: "VramHeadroomLow",
      expr,
      lasts: "5m",
      severity: "ticket",
      summary: `${names.name} has less than ${text} of memory free`,
      action: `That is the headroom of omni.yaml (policies.headroom.vram), measured by ${names.who}: the next long prompt can end an engine. nvidia-smi says who has it. Somebody outside the plan: stop it. An engine beyond its plan: shorten its context or let the ladder do it.`,
    }),
  ];
}

function xid(
  alert: string,
  codes: readonly number[],
  names: CardNames,
  severity: "page" | "ticket",
  what: string,
  action: string,
): AlertRule {
  const any = codes.map((code) => `${names.xid} == ${code}`).join(" or ");
  // The value is the last Xid and stays: a program's fault is old news after a quarter of an hour.
  const passing = alert === "XidProgramFault";
  const expr = passing ? `(${any}) and changes(${names.xid}[15m]) > 0` : any;
  return alertRule({
    alert,
    expr,
    severity,
    summary: `${names.name} ${what}: Xid {{ $value }}`,
    action: passing
      ? action
      : `${action} The number is that of the last Xid and stays until ${names.who} is restarted: do that when the card is sound again.`,
  });
}

const temperature = (names: CardNames): AlertRule =>
  alertRule({
    alert: "CardHot",
    expr: `${names.temperature} > ${HOT}`,
    lasts: "10m",
    severity: "ticket",
    summary: `${names.name} is at {{ $value }} °C`,
    action: `It slows itself down from here on. Fans and dust first; then a lower limit of power costs little: nvidia-smi -i N -pl WATTS.`,
  });

/** A card whose numbers are gone is a card that is gone: drivers do not always write an Xid (NVSentinel #155). */
const lost = (cards: readonly DeployedCard[], names: CardNames): readonly AlertRule[] =>
  cards.flatMap(({ name, model, uuid }) =>
    uuid === undefined
      ? []
      : [
          alertRule({
            alert: "CardLost",
            expr: `absent(${selector(names.free, { [names.uuid]: uuid })})`,
            lasts: "10m",
            severity: "page",
            card: name,
            summary: `${ruleText(`${name} (${model})`)} is not seen any more`,
            action: `${names.who} has no numbers of ${ruleText(uuid)}. On the machine: nvidia-smi -L and dmesg | grep -i -e xid -e "fallen off the bus". Other cards fine: the card or its passthrough; none there: the driver or ${names.who} itself.`,
          }),
        ],
  );

/** File systems that hold what a node needs, and not those of the kernel, of images and of firmware. */
const REAL_DISKS =
  '{fstype!~"tmpfs|ramfs|overlay|squashfs|iso9660|udf|efivarfs", mountpoint!~"/(boot|run|var/lib/docker/.+).*"}';

/** Rules about disks and main memory; none where nobody exports them. */
export function hostRules(deployment: Deployment, sources: MetricSources): readonly RuleGroup[] {
  const names = sources.nodeExporter
    ? {
        disk: `node_filesystem_avail_bytes${REAL_DISKS}`,
        size: `node_filesystem_size_bytes${REAL_DISKS}`,
        memory: "node_memory_MemAvailable_bytes",
        where: "{{ $labels.mountpoint }}",
      }
    : sources.node
      ? {
          disk: OMNI_METRICS.diskFree.name,
          memory: OMNI_METRICS.memoryAvailable.name,
          where: "{{ $labels.mount }}",
        }
      : undefined;
  if (names === undefined) return [];
  const { disk, memory } = deployment.headroom;
  return [
    {
      name: "omni-host",
      rules: [
        ...(disk !== undefined && "bytes" in disk ? [diskLow(names, disk.bytes)] : []),
        diskFilling(names),
        ...(memory !== undefined && "bytes" in memory ? [memoryLow(names.memory, memory.bytes)] : []),
      ],
    },
  ];
}

interface HostNames {
  readonly disk: string;
  /** Bytes that a disk has, where somebody exports them. */
  readonly size?: string;
  readonly where: string;
}

/** A small file system never has so much free, and is not meant: at most half of a disk is asked for. */
const diskLow = ({ disk, size, where }: HostNames, bytes: number): AlertRule =>
  alertRule({
    alert: "DiskNearlyFull",
    expr: `${disk} < ${bytes}${size === undefined ? "" : ` and ${size} > ${2 * bytes}`}`,
    lasts: "10m",
    severity: "page",
    summary: `${where} has {{ $value | humanize1024 }}B left`,
    action:
      "A full disk ends downloads, images and databases alike. docker system df and docker builder prune; models that no service uses; logs. The headroom is policies.headroom.disk of omni.yaml.",
  });

const diskFilling = ({ disk, where }: HostNames): AlertRule =>
  alertRule({
    alert: "DiskFilling",
    expr: `predict_linear(${disk}[6h], 24 * 3600) < 0 and ${disk} > 0`,
    lasts: "1h",
    severity: "ticket",
    summary: `${where} is full within a day at this rate`,
    action:
      "Look for what grows: du -xh --max-depth=2 | sort -h | tail. A download that is under way explains it.",
  });

const memoryLow = (metric: string, bytes: number): AlertRule =>
  alertRule({
    alert: "MemoryHeadroomLow",
    expr: `${metric} < ${bytes}`,
    lasts: "5m",
    severity: "page",
    summary: "Main memory: {{ $value | humanize1024 }}B left",
    action:
      "Next is the kernel's OOM killer, and it takes the largest: an engine. free -h, then ps by memory. Weights mapped from disk are no reason: they count as available.",
  });
