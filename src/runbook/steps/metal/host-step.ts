import type { Host } from "../../../deployment/index.ts";
import { OmniError } from "../../../core/index.ts";
import type { HostTransport } from "../../../host/transport/index.ts";
import type { Observation, Step, StepContext } from "../../step.ts";
import { LOOK, lastWords } from "./rendered-on-host.ts";

/** Names, addresses, who runs it and what it runs, a line each. */
const ASK = [
  'printf "user %s\\n" "$(id -u)"',
  'printf "kernel %s\\n" "$(uname -sr)"',
  'for name in $(hostname 2>/dev/null) $(hostname -f 2>/dev/null) $(hostname -I 2>/dev/null); do printf "name %s\\n" "$name"; done',
  'if command -v pveversion >/dev/null 2>&1; then printf "platform proxmox %s\\n" "$(pveversion)"; fi',
].join("\n");

interface SeenHost {
  readonly user: string;
  readonly kernel: string;
  readonly names: readonly string[];
  readonly proxmox?: string;
}

/** What a step asks its context for: the host by its name where the spec says how it is reached, else this machine. */
export const placeOf = ({ name, ssh }: Host): string | undefined => (ssh === undefined ? undefined : name);

/** `host/NAME`: the host is reached, and is the machine that the spec means. There is nothing to bring about. */
export function hostStep(host: Host): Step {
  const { name, ssh, address, platform } = host;
  const look = async (context: StepContext): Promise<Observation> => {
    const transport = await context.host(placeOf(host));
    const seen = await see(transport, context);
    const against = objection(host, seen);
    const evidence = [
      `${transport.name}: ${seen.names.join(" ")}`,
      seen.kernel,
      ...(seen.proxmox === undefined ? [] : [seen.proxmox]),
    ];
    return against === undefined ? { done: true, evidence } : { done: false, missing: against };
  };
  const refuse = async (context: StepContext): Promise<void> => {
    const found = await look(context);
    if (!found.done) throw new OmniError("host.refused", found.missing, { hint: remedyOf(host) });
  };
  return {
    id: `host/${name}`,
    phase: "metal",
    title: `${name} is reached${ssh === undefined ? " (this machine)" : ` as ${ssh}`}`,
    asked: `machines.${name}`,
    needs: [],
    inputs: { ssh, address, platform },
    timeout: 2 * LOOK,
    retries: { times: 2, delay: 5000 },
    precheck: refuse,
    verify: look,
    apply: refuse,
    preview: [
      `look whether ${ssh ?? "this machine"} is ${name}, a ${platform} host${address === undefined ? "" : ` at ${address}`}`,
    ],
  };
}

async function see(transport: HostTransport, context: StepContext): Promise<SeenHost> {
  const result = await context.look(transport, { argv: ["sh", "-c", ASK], timeout: LOOK });
  if (!result.ended || result.code !== 0)
    throw new OmniError(
      "host.command-failed",
      `${transport.name} tells nothing of itself: ${lastWords(result)}`,
    );
  const told = (key: string): readonly string[] =>
    result.stdout
      .split("\n")
      .flatMap((line) => (line.startsWith(`${key} `) ? [line.slice(key.length + 1)] : []));
  const [proxmox] = told("platform proxmox");
  return {
    user: told("user")[0] ?? "",
    kernel: told("kernel")[0] ?? "",
    names: [...new Set(told("name"))],
    ...(proxmox === undefined ? {} : { proxmox }),
  };
}

/** Why this is not the host of the spec; nothing where it may be. */
function objection(
  { name, address, platform }: Host,
  { user, names, proxmox }: SeenHost,
): string | undefined {
  if (address !== undefined && !names.includes(address) && !/^(?:localhost|127\.|::1$)/.test(address))
    return `${name} shall be ${address}, and the machine that answers is ${names.join(" ") || "nameless"}.`;
  if (platform !== "proxmox") return undefined;
  if (proxmox === undefined) return `${name} shall run Proxmox VE, and there is no pveversion.`;
  return user === "0"
    ? undefined
    : `Changing the Proxmox host ${name} needs root, and the login is user ${user}.`;
}

const remedyOf = ({ name, ssh, address }: Host): string =>
  ssh === undefined
    ? `Without ssh: a host is this machine. Write machines.${name}.ssh: root@${address ?? "ADDRESS"} (metal.ssh where it is the only one).`
    : `Correct machines.${name}.ssh or .address in omni.yaml; log in as root.`;
