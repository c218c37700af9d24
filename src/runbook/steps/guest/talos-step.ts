import { homedir } from "node:os";
import { join } from "node:path";
import { OmniError } from "../../../core/index.ts";
import type { HostTransport } from "../../../host/transport/index.ts";
import { sha256 } from "../../../render/index.ts";
import { imageNames, talosTag } from "../../../render/talos/images.ts";
import { controlPlanes, talosNodes } from "../../../render/talos/nodes.ts";
import { onlyNewDisk } from "../../../render/talos/patches/install.ts";
import type { TalosGuest } from "../../../render/talos/talos-guest.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Consent, Observation, Step, StepContext } from "../../step.ts";
import { LOOK, runRendered } from "../metal/rendered-on-host.ts";

/** Milliseconds: installing, restarting and starting a cluster. */
const INSTALL = 60 * 60_000;
/** What health may take where all is said to be well. */
const HEALTH = "1m0s";

/** A guest whose machine configs are applied from this machine. */
interface WantedTalos {
  /** Rendered files below `talos/GUEST/`. */
  readonly files: readonly { readonly path: string; readonly content: string; readonly mode: number }[];
  /** Folder of this machine that the files are laid down in. */
  readonly folder: string;
  /** Keys and generated configs, where apply.sh keeps them too. */
  readonly secrets: string;
  readonly kubeconfig: string;
  /** The control plane that is asked. */
  readonly address?: string;
  /** `v1.12.11`. */
  readonly tag: string;
}

/** `talos/GUEST`: nodes installed and configured, the cluster started once, its kubeconfig in the work folder. */
export function talosStep(own: TalosGuest, input: RunbookInput): Step {
  const wanted = wantedTalos(own, input);
  return {
    id: `talos/${own.name}`,
    phase: "guest",
    title: `Talos ${wanted.tag} on ${talosNodes(own)
      .map(({ name }) => name)
      .join(", ")}`,
    asked: `guests.${own.name}.talos`,
    needs: [`vm/${own.name}`, `schematic/${own.name}`],
    inputs: { files: hashOf(wanted), tag: wanted.tag },
    timeout: INSTALL,
    precheck: async (context) => refuseUnfit(context, await context.host(), own, wanted),
    consent: async (context) => consentFor(context, await context.host(), own, wanted),
    verify: async (context) => look(context, await context.host(), wanted),
    apply: async (context) => install(context, await context.host(), wanted),
    preview: [
      `lay down ${wanted.files.length} files in ${wanted.folder}`,
      `${wanted.folder}/apply.sh --first, once; ${wanted.folder}/apply.sh after a change`,
      `kubeconfig to ${wanted.kubeconfig}`,
    ],
  };
}

function wantedTalos(own: TalosGuest, { rendered, workFolder }: RunbookInput): WantedTalos {
  const prefix = `talos/${own.name}/`;
  const state = process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local/state");
  const [first] = controlPlanes(talosNodes(own));
  return {
    files: rendered.files.flatMap(({ path, content, mode }) =>
      path.startsWith(prefix) ? [{ path: path.slice(prefix.length), content, mode }] : [],
    ),
    folder: join(workFolder, "talos", own.name),
    secrets: process.env["OMNI_TALOS_SECRETS"] ?? join(state, "omni/talos", own.deployment, own.name),
    kubeconfig: join(workFolder, `kubeconfig-${own.name}`),
    tag: talosTag(own),
    ...(first?.address === undefined ? {} : { address: first.address }),
  };
}

/** Which files were applied last is kept beside the kubeconfig. */
const appliedFile = ({ kubeconfig }: WantedTalos): string => `${kubeconfig}.applied`;
const hashOf = ({ files }: WantedTalos): string =>
  sha256(JSON.stringify(files.map(({ path, content }) => [path, content])));

/** Words that ask the control plane with the cluster's own keys. */
const asking = (
  { secrets, address = "" }: WantedTalos,
  ...words: readonly string[]
): readonly [string, ...string[]] => [
  "talosctl",
  "--talosconfig",
  join(secrets, "talosconfig"),
  ...words,
  "--nodes",
  address,
  "--endpoints",
  address,
];

/** The release that runs on the control plane; nothing where it does not answer with these keys. */
async function runningTag(
  context: StepContext,
  here: HostTransport,
  wanted: WantedTalos,
): Promise<string | undefined> {
  const result = await context.look(here, { argv: asking(wanted, "version"), timeout: LOOK });
  const server = result.ended && result.code === 0 ? (result.stdout.split(/^Server:/m)[1] ?? "") : "";
  return /Tag:\s*(\S+)/.exec(server)?.[1];
}

async function refuseUnfit(
  context: StepContext,
  here: HostTransport,
  own: TalosGuest,
  wanted: WantedTalos,
): Promise<void> {
  const version = await context.look(here, { argv: ["talosctl", "version", "--client"], timeout: LOOK });
  if (!version.ended) {
    const from = imageNames(own).find(({ variable }) => variable === "TALOSCTL")?.before;
    throw new OmniError(
      "host.refused",
      "There is no talosctl on this machine, and Talos is set up by it alone.",
      {
        hint: `Download ${from ?? "it from the releases of Talos"} to a folder of PATH as talosctl, and chmod +x it.`,
      },
    );
  }
  const homeless = talosNodes(own).filter(({ address }) => address === undefined);
  if (homeless.length > 0)
    throw new OmniError(
      "host.refused",
      `The spec names no address of ${homeless.map(({ name }) => name).join(", ")}.`,
      {
        hint: "guest.kubernetes.nodes.NAME.address: the address that the node has in maintenance mode.",
      },
    );
  const tag = await runningTag(context, here, wanted);
  if (tag !== undefined && tag !== wanted.tag)
    throw new OmniError(
      "host.refused",
      `Talos ${tag} runs on ${own.name}, and the spec says ${wanted.tag}.`,
      {
        hint: `An upgrade restarts the node: run ${wanted.folder}/upgrade.sh when nobody needs it, or write the running version.`,
      },
    );
}

/** Installing wipes the disk that it installs on; a cluster that answers with these keys is installed already. */
async function consentFor(
  context: StepContext,
  here: HostTransport,
  own: TalosGuest,
  wanted: WantedTalos,
): Promise<Consent | undefined> {
  if ((await runningTag(context, here, wanted)) !== undefined) return undefined;
  const nodes = talosNodes(own).map(({ name, address = "?" }) => `${name} (${address})`);
  const disk = own.talos.installDisk ?? onlyNewDisk(own);
  return {
    token: `install:${own.name}`,
    text: `Talos would be installed on ${nodes.join(", ")} and wipe ${disk === undefined ? "/dev/sda there, because the spec names no installDisk" : `the disk ${disk} there`}.`,
  };
}

const missing = (what: string): Observation => ({ done: false, missing: what });

async function look(context: StepContext, here: HostTransport, wanted: WantedTalos): Promise<Observation> {
  const applied = Buffer.from((await here.readFile(appliedFile(wanted))) ?? [])
    .toString("utf8")
    .trim();
  if (applied === "") return missing("its machine configs were not applied from here");
  if (applied !== hashOf(wanted)) return missing("its machine configs have changed since they were applied");
  if ((await here.readFile(wanted.kubeconfig)) === undefined)
    return missing(`there is no ${wanted.kubeconfig}`);
  const tag = await runningTag(context, here, wanted);
  if (tag !== wanted.tag)
    return missing(
      tag === undefined ? "the control plane does not answer" : `Talos ${tag} runs, not ${wanted.tag}`,
    );
  const health = await context.look(here, {
    argv: asking(wanted, "health", "--wait-timeout", HEALTH),
    timeout: 3 * LOOK,
  });
  return health.ended && health.code === 0
    ? {
        done: true,
        evidence: [`Talos ${tag} on ${wanted.address ?? "?"}`, "talosctl health: all checks pass"],
      }
    : missing("talosctl health does not pass");
}

async function install(context: StepContext, here: HostTransport, wanted: WantedTalos): Promise<void> {
  await layDown(context, here, wanted);
  const script = {
    path: join(wanted.folder, "apply.sh"),
    environment: { OMNI_TALOS_SECRETS: wanted.secrets },
    timeout: INSTALL,
  };
  // Starting a cluster a second time would make a second one: who has members was started.
  const started = async (): Promise<boolean> => {
    const members = await context.look(here, { argv: asking(wanted, "etcd", "members"), timeout: LOOK });
    return members.ended && members.code === 0;
  };
  let first = false;
  await context.effect("talos-bootstrap", started, async () => {
    first = true;
    await runRendered(context, here, { ...script, words: ["--first"] });
  });
  if (!first) await runRendered(context, here, script);
  const kubeconfig = await here.readFile(join(wanted.secrets, "kubeconfig"));
  if (kubeconfig === undefined)
    throw new OmniError("host.command-failed", `apply.sh left no kubeconfig in ${wanted.secrets}.`);
  await here.writeFile(wanted.kubeconfig, kubeconfig, { mode: 0o600 });
  await here.writeFile(appliedFile(wanted), `${hashOf(wanted)}\n`, { mode: 0o600 });
}

async function layDown(
  context: StepContext,
  here: HostTransport,
  { files, folder }: WantedTalos,
): Promise<void> {
  const folders = [...new Set(files.map(({ path }) => join(folder, path, "..")))];
  await context.run(here, { argv: ["mkdir", "-p", "--", ...folders], timeout: LOOK });
  for (const { path, content, mode } of files) await here.writeFile(join(folder, path), content, { mode });
}
