import type { Deployment } from "../../deployment/index.ts";
import type { Artifact } from "../artifact.ts";
import { ownUnit, unitServices } from "./names.ts";
import { unitFile } from "./unit.ts";
import type { UnitLine } from "./unit.ts";

/**
 * Name of the unit that makes the driver's device nodes, where something here runs on cards. It has to be done before an
 * engine's unit starts: systemd looks up what DeviceAllow means at that moment, and an unloaded module means nothing.
 */
export function nvidiaUnitName(deployment: Deployment): string | undefined {
  const engines = unitServices(deployment);
  const used =
    engines.length === 0
      ? deployment.runtime === "process" &&
        deployment.hosts.some(({ gpus = {} }) => Object.keys(gpus).length > 0)
      : engines.some(({ cards }) => cards.length > 0);
  return used ? ownUnit(deployment, "omni-nvidia") : undefined;
}

/** Loads the NVIDIA modules and makes /dev/nvidia* and /dev/nvidia-uvm as root; the journal then names the cards. */
export const nvidiaUnit = (unit: string): Artifact => ({
  path: `systemd/${unit}.service`,
  content: unitFile({
    header: [
      `${unit}.service: the NVIDIA driver's modules and device nodes, before any engine looks for them.`,
      "Rendered by Omni from omni.yaml; change that and render again. The driver makes its nodes only when root first asks,",
      `and engines are not root. Which cards there are: journalctl -u ${unit}.`,
    ],
    sections: [
      {
        name: "Unit",
        lines: [
          ["Description", "Omni: device nodes of the NVIDIA driver"],
          ["PartOf", "omni.target"],
          ["After", "nvidia-persistenced.service"],
        ],
      },
      {
        name: "Service",
        lines: [
          ["Type", "oneshot"],
          ["RemainAfterExit", "yes"],
          {
            comment:
              "A dash: hosts that make the nodes otherwise may lack a tool. What is missing, the engine says.",
          },
          ["ExecStart", "-/usr/bin/nvidia-modprobe -c 0 -u"],
          ["ExecStart", "-/usr/bin/nvidia-smi -L"],
        ],
      },
    ],
  }),
  mode: 0o644,
  reason: "asked for by the services on cards: the driver's device nodes are there before them",
});

/** Lines of `[Unit]` of whatever runs on cards. */
export const wantsNvidia = (unit: string | undefined): readonly UnitLine[] =>
  unit === undefined
    ? []
    : [
        ["Wants", `${unit}.service`],
        ["After", `${unit}.service`],
      ];
