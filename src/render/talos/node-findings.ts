import type { Diagnostic } from "../../core/index.ts";
import { finding } from "./talos-guest.ts";
import type { TalosGuest } from "./talos-guest.ts";

type Nodes = NonNullable<NonNullable<TalosGuest["guest"]["kubernetes"]>["nodes"]>;

/** Nodes on another machine than the guest: disks are looked for by the identities of the guest's machine. */
function awayFindings(own: TalosGuest, nodes: Nodes): readonly Diagnostic[] {
  const home = own.host?.name;
  if (home === undefined) return [];
  return Object.entries(nodes).flatMap(([name, { machine }]) =>
    machine === undefined || machine === home
      ? []
      : [
          finding(
            own,
            "render.not-applicable",
            "warning",
            `kubernetes.nodes.${name}.machine`,
            `Node ${name} runs on ${machine}, but install disk and user volumes of this guest are disks of ${home}; on ${machine} they match nothing.`,
            `guests: { ${name}: { machine: ${machine}, talos: … } }   # a guest of its own`,
          ),
        ],
  );
}

const LABEL_WORD = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_PREFIX = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** What Kubernetes takes as a label; Talos refuses the whole config of a node with another. Source: Kubernetes, Labels: syntax. */
function isLabel(key: string, value: string): boolean {
  const [word = "", prefix, ...more] = key.split("/").toReversed();
  const named = prefix === undefined || (prefix.length <= 253 && LABEL_PREFIX.test(prefix));
  return LABEL_WORD.test(word) && named && more.length === 0 && (value === "" || LABEL_WORD.test(value));
}

/** Prefixes that a kubelet may give its own node. Source: Kubernetes, NodeRestriction. */
const FREE = /^(?:[a-z0-9.-]+\.)?(?:kubelet|node)\.kubernetes\.io\/|^topology\.kubernetes\.io\//;
const KEPT = /^(?:[a-z0-9.-]+\.)?(?:kubernetes|k8s)\.io\//;

function labelFindings(own: TalosGuest, nodes: Nodes): readonly Diagnostic[] {
  return Object.entries(nodes).flatMap(([name, { labels, role }]) =>
    Object.entries(labels ?? {}).flatMap(([key, value]) => {
      const at = `kubernetes.nodes.${name}.labels`;
      if (!isLabel(key, value))
        return [
          finding(
            own,
            "render.not-applicable",
            "error",
            at,
            `${JSON.stringify(key)}: ${JSON.stringify(value)} is no label of Kubernetes: Talos refuses the whole config of ${name} with it.`,
            "Keys: [prefix/]name, values: at most 63 letters, digits and - _ . between letters or digits.",
          ),
        ];
      if (role !== "worker" || !KEPT.test(key) || FREE.test(key)) return [];
      return [
        finding(
          own,
          "render.not-applicable",
          "warning",
          at,
          `${name} may not give itself the label ${key}: the API server keeps kubernetes.io and k8s.io from the kubelets of workers.`,
          `kubectl label node ${name} ${key}=${value}   # once, by the owner`,
        ),
      ];
    }),
  );
}

/** Images that start under UEFI alone, in a VM that has none. */
function firmwareFindings(own: TalosGuest): readonly Diagnostic[] {
  const { secureBoot, bootloader } = own.talos;
  if (own.guest.vm?.firmware !== "seabios" || (secureBoot !== true && bootloader !== "sd-boot")) return [];
  const what = secureBoot === true ? "A SecureBoot image" : "systemd-boot";
  return [
    finding(
      own,
      "render.not-applicable",
      "error",
      "vm.firmware",
      `${what} starts under UEFI only, and this VM has SeaBIOS: it finds nothing to boot.`,
      "firmware: ovmf",
    ),
  ];
}

/** What of the guest's nodes cannot be as the spec says. */
export function nodeFindings(own: TalosGuest): readonly Diagnostic[] {
  const nodes = own.guest.kubernetes?.nodes ?? {};
  return [...firmwareFindings(own), ...awayFindings(own, nodes), ...labelFindings(own, nodes)];
}
