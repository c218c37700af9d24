import { OmniError } from "../../core/index.ts";
import type { DeployedService, Deployment } from "../../deployment/index.ts";

/** Where install.sh puts what the units refer to. */
export const ETC = "/etc/omni";
export const LIBRARY = "/usr/local/lib/omni";
export const WAIT_READY = `${LIBRARY}/wait-ready`;
export const VISIBLE_CARDS = `${LIBRARY}/visible-cards`;
/** Where the units look for Omni itself; a link to the launcher of its repository will do. */
export const OMNI = "/usr/local/bin/omni";
/** A refused service starts only where a file of its name lies here. */
export const OPT_IN = `${ETC}/start-refused`;

/** Services that are units of their own, in the order of the spec; none where Omni runs the engines itself. */
export const unitServices = (deployment: Deployment): readonly DeployedService[] =>
  deployment.process.systemd ? processServices(deployment) : [];

/** Services that run as processes of a Linux machine, in the order of the spec. */
export const processServices = ({ services }: Deployment): readonly DeployedService[] =>
  services.filter(({ runtime }) => runtime === "process");

/** Name of a service's unit without its ending. Throws `render.unrepresentable` for a name that is no DNS label. */
export function unitName({ name }: Pick<DeployedService, "name">): string {
  if (/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(name)) return `omni-${name}`;
  throw new OmniError(
    "render.unrepresentable",
    `services: ${JSON.stringify(name)} cannot be part of a unit's name.`,
    {
      hint: "Lower-case letters, digits and hyphens.",
    },
  );
}

/** The name of a unit of Omni's own that no service has. */
export function ownUnit(deployment: Deployment, wanted: string): string {
  const taken = new Set(unitServices(deployment).map(unitName));
  let name = wanted;
  for (let turn = 2; taken.has(name); turn += 1) name = `${wanted}-${turn}`;
  return name;
}
