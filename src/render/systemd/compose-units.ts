import type { Deployment } from "../../deployment/index.ts";
import type { Artifact } from "../artifact.ts";
import { unitText } from "../escape/systemd.ts";
import { ETC, ownUnit } from "./names.ts";
import { timeSpan, unitFile } from "./unit.ts";

/** A compose project of the target `compose`, and the unit that keeps it up. */
export interface ComposeProject {
  readonly unit: string;
  /** Folder below the output folder, as the target `compose` names it. */
  readonly folder: string;
  readonly machine?: string;
}

/** One project, or one a machine where Docker runs on several. */
export function composeProjects(deployment: Deployment): readonly ComposeProject[] {
  const machines = new Set(
    deployment.services.filter(({ runtime }) => runtime === "docker").map(({ machine }) => machine),
  );
  return [...machines].map((machine) => {
    const name = machines.size > 1 ? (machine ?? "any-machine") : undefined;
    return {
      unit: ownUnit(deployment, name === undefined ? "omni-compose" : `omni-compose-${name}`),
      folder: name === undefined ? "compose" : `compose/${name}`,
      ...(machine === undefined ? {} : { machine }),
    };
  });
}

/** A unit that brings a compose project up at boot; Docker itself restarts its containers. */
export function composeUnit(deployment: Deployment, { unit, folder, machine }: ComposeProject): Artifact {
  const drains = deployment.services
    .filter((service) => service.runtime === "docker" && service.machine === machine)
    .map(({ drainTimeout }) => drainTimeout);
  const drain = Math.max(30_000, ...drains);
  const content = unitFile({
    header: [
      `${unit}.service: the compose project of ${ETC}/${folder}${machine === undefined ? "" : ` on ${machine}`}.`,
      "Rendered by Omni from omni.yaml; change that and render again. install.sh copies the folder there.",
      `Its containers: docker compose --project-directory ${ETC}/${folder} ps. Their restarts are Docker's matter.`,
    ],
    sections: [
      {
        name: "Unit",
        lines: [
          ["Description", unitText(`Omni: compose project of ${deployment.name}`)],
          ["PartOf", "omni.target"],
          ["Requires", "docker.service"],
          ["Wants", "network-online.target"],
          ["After", "docker.service network-online.target nvidia-persistenced.service"],
          ["ConditionPathExists", `${ETC}/${folder}/compose.yaml`],
        ],
      },
      {
        name: "Service",
        lines: [
          ["Type", "oneshot"],
          ["RemainAfterExit", "yes"],
          { comment: "Root, as it speaks to Docker: who may do that is root on this machine anyway." },
          ["WorkingDirectory", `${ETC}/${folder}`],
          ["Environment", "HOME=/root"],
          ["ExecStart", "/usr/bin/docker compose up --detach --remove-orphans"],
          ["ExecReload", "/usr/bin/docker compose up --detach --remove-orphans"],
          ["ExecStop", `/usr/bin/docker compose stop --timeout ${Math.ceil(drain / 1000)}`],
          { comment: "Images may have to be pulled first, and nobody knows how long that takes." },
          ["TimeoutStartSec", "infinity"],
          ["TimeoutStopSec", timeSpan(drain + 30_000)],
        ],
      },
      { name: "Install", lines: [["WantedBy", "omni.target"]] },
    ],
  });
  return {
    path: `systemd/${unit}.service`,
    content,
    mode: 0o644,
    reason: "asked for by runtime docker: the compose project comes up with the machine",
  };
}
