import type { Check, Finding, Fix } from "../check.ts";
import type { CardAtHost } from "../facts/index.ts";
import { aboutCard, passedCards } from "./about-card.ts";

const ID = "cards.power-state";

/** Whether a card that is handed over is awake and stays so. */
export const powerState: Check = {
  id: ID,
  title: "Power states",
  look: (subject): readonly Finding[] => passedCards(subject).map(judge),
};

function judge(card: CardAtHost): Finding {
  const about = aboutCard(ID, card);
  const asleep = card.functions.filter(
    ({ powerState }) => powerState !== undefined && powerState.startsWith("D3"),
  );
  const may = card.functions.filter(
    ({ powerControl, d3coldAllowed }) => powerControl === "auto" || d3coldAllowed === true,
  );
  if (asleep.length === 0 && may.length === 0)
    return { ...about, state: "ok", seen: `${card.functions[0]?.powerState ?? "awake"}, and it stays awake` };
  const cold = asleep.some(({ powerState }) => powerState === "D3cold");
  const seen = [
    ...asleep.map(
      ({ address, powerState, runtimeStatus }) =>
        `${address} is in ${powerState ?? ""}${runtimeStatus === undefined ? "" : ` (${runtimeStatus})`}`,
    ),
    ...(may.length === 0
      ? []
      : [`${may.map(({ address }) => address).join(" and ")} may sleep (${settings(card)})`]),
  ].join("; ");
  return {
    ...about,
    state: cold ? "error" : "warning",
    seen,
    wanted: "D0, power/control on, d3cold_allowed 0",
    why: "Some cards (Blackwell among them) do not come back from D3: the guest's start hangs, and the host with it.",
    remedy: "./omni doctor --fix   # now and at every boot",
    fix: stayAwake(card),
    source: "Linux Documentation/ABI/testing/sysfs-bus-pci; vendor-reset#76",
  };
}

function settings({ functions: [first] }: CardAtHost): string {
  const cold = first?.d3coldAllowed;
  return [
    `power/control ${first?.powerControl ?? "?"}`,
    ...(cold === undefined ? [] : [`d3cold_allowed ${cold ? 1 : 0}`]),
  ].join(", ");
}

/** Written to each function now, and by a rule of udev whenever it appears. */
function stayAwake(card: CardAtHost): Fix {
  const name = card.name ?? card.slot?.replaceAll(":", "-") ?? "card";
  const rule = `# Omni: a card that is handed to a guest stays awake; some do not come back from D3.\nACTION=="add", SUBSYSTEM=="pci", KERNEL=="${card.slot ?? ""}.*", ATTR{power/control}="on", ATTR{d3cold_allowed}="0"\n`;
  return {
    title: `Keep ${card.subject} awake now and at every boot.`,
    changes: [
      ...card.functions.flatMap(({ address, d3coldAllowed }) => [
        into(`/sys/bus/pci/devices/${address}/power/control`, "on"),
        ...(d3coldAllowed === undefined ? [] : [into(`/sys/bus/pci/devices/${address}/d3cold_allowed`, "0")]),
      ]),
      { kind: "write", path: `/etc/udev/rules.d/60-omni-${name}.rules`, content: rule, mode: 0o644 },
      { kind: "run", argv: ["udevadm", "control", "--reload"], timeout: 10_000 },
    ],
    needsReboot: false,
  };
}

/** A file of sysfs takes a write in place; it cannot be written aside and renamed. */
const into = (path: string, value: string): Fix["changes"][number] => ({
  kind: "run",
  argv: ["sh", "-c", 'printf %s "$1" >"$2"', "sh", value, path],
  timeout: 20_000,
});
