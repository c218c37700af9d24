import { hashComment, shellWord } from "../../escape/shell.ts";
import { controlPlanes, talosNodes } from "../nodes.ts";
import type { TalosNode } from "../nodes.ts";
import type { Schematic } from "../schematic.ts";
import type { TalosGuest, TalosPatch } from "../talos-guest.ts";
import { addressWord, scriptHead } from "./script.ts";

/** Joins the words of one command over several lines. */
const command = (words: readonly string[]): string => words.join(" \\\n  ");

const fileWord = (patch: TalosPatch): string => `"@$here/patches/${patch.file}"`;

/** Name of the cluster in talosconfig and kubeconfig. */
const clusterName = ({ name, guest }: TalosGuest): string => guest.kubernetes?.clusterName ?? name;

function endpointWord({ guest }: TalosGuest, first: TalosNode | undefined): string {
  const { endpoint } = guest.kubernetes ?? {};
  if (endpoint !== undefined) return shellWord(endpoint);
  if (first?.address === undefined)
    return '"${TALOS_ENDPOINT:?the API server, https://ADDRESS:6443; the spec does not name it}"';
  const host = first.address.includes(":") ? `[${first.address}]` : first.address;
  return shellWord(`https://${host}:6443`);
}

function genConfig(
  own: TalosGuest,
  { id }: Schematic,
  patches: readonly TalosPatch[],
  first: TalosNode | undefined,
): string {
  const { version } = own.guest.kubernetes ?? {};
  return command([
    `run talosctl gen config ${shellWord(clusterName(own))} ${endpointWord(own, first)}`,
    '--with-secrets "$secrets/secrets.yaml" --output "$secrets" --force',
    `--talos-version ${shellWord(own.contract.configVersion)} --with-docs=false --with-examples=false`,
    ...(version === undefined ? [] : [`--kubernetes-version ${shellWord(version.replace(/^v/, ""))}`]),
    ...(id === undefined ? ['--install-image "$TALOS_INSTALLER"'] : []),
    ...patches.map((patch) =>
      patch.scope === "all"
        ? `--config-patch ${fileWord(patch)}`
        : `--config-patch-control-plane ${fileWord(patch)}`,
    ),
  ]);
}

function nodeFunction(own: TalosGuest): readonly string[] {
  const mode = own.talos.platform === "nocloud" ? "cloud" : "metal";
  return [
    hashComment("One node: its own patch and the owner's over the common config, checked, then handed over."),
    "node() {",
    "  name=$1 base=$2 address=$3",
    "  shift 3",
    "  count=$#",
    '  for patch in "$@"; do set -- "$@" --patch "@$patch"; done',
    '  shift "$count"',
    '  if [ "$#" -eq 0 ]; then',
    '    run cp "$secrets/$base.yaml" "$secrets/nodes/$name.yaml"',
    "  else",
    '    run talosctl machineconfig patch "$secrets/$base.yaml" "$@" --output "$secrets/nodes/$name.yaml"',
    "  fi",
    `  run talosctl validate --config "$secrets/nodes/$name.yaml" --mode ${mode}`,
    '  if "$first"; then',
    '    if run talosctl apply-config --insecure --nodes "$address" --file "$secrets/nodes/$name.yaml"; then return 0; fi',
    "    printf '%s\\n' \"$name is not in maintenance mode; trying the keys of an earlier run.\" >&2",
    "  fi",
    '  run talosctl --talosconfig "$secrets/talosconfig" apply-config --nodes "$address" --endpoints "$address" \\',
    '    --file "$secrets/nodes/$name.yaml"',
    "}",
  ];
}

function nodeCall(own: TalosGuest, node: TalosNode): string {
  const base = node.role === "worker" ? "worker" : "controlplane";
  const patches = [
    ...(node.named ? [`"$here/nodes/${node.name}.yaml"`] : []),
    ...(own.talos.patches ?? []).map((path) =>
      path.startsWith("/") ? shellWord(path) : `"$project/"${shellWord(path)}`,
    ),
  ];
  return [`node ${shellWord(node.name)} ${base} ${addressWord(node)}`, ...patches].join(" ");
}

function bootstrap(own: TalosGuest, first: TalosNode): readonly string[] {
  const address = addressWord(first);
  const bare = ["none", "cilium", "calico"].includes(own.guest.kubernetes?.cni ?? "");
  return [
    'if "$first"; then',
    hashComment(
      "Once in the life of a cluster. The node installs and restarts first; this asks again for up to half an hour. AlreadyExists is the answer of a cluster that an earlier run started.",
    ).replaceAll(/^/gm, "  "),
    "  tries=0",
    `  until answer=$(run talosctl --talosconfig "$secrets/talosconfig" bootstrap --nodes ${address} --endpoints ${address} 2>&1); do`,
    "    case $answer in *AlreadyExists*) break ;; esac",
    "    tries=$((tries + 1))",
    '    if [ "$tries" -ge 120 ]; then',
    `      printf '%s\\n' ${shellWord(`The node ${first.name} does not answer; look at its console, then run apply.sh --first again. It said:`)} "$answer" >&2`,
    "      exit 1",
    "    fi",
    '    sleep "${OMNI_TALOS_WAIT:-15}"',
    "  done",
    `  if [ -n "$answer" ]; then printf '%s\\n' "$answer"; fi`,
    "fi",
    `run talosctl --talosconfig "$secrets/talosconfig" kubeconfig "$secrets/kubeconfig" --force --merge=false \\`,
    `  --nodes ${address} --endpoints ${address}`,
    ...(bare
      ? [hashComment("No health check: nodes are not ready before the network plugin is installed.")]
      : [
          `run talosctl --talosconfig "$secrets/talosconfig" health --wait-timeout 20m --nodes ${address} --endpoints ${address}`,
        ]),
  ];
}

/** `apply.sh`: secrets, configs with all patches, validation, hand-over, and with `--first` the bootstrap. */
export function applyScript(own: TalosGuest, schematic: Schematic, patches: readonly TalosPatch[]): string {
  const nodes = talosNodes(own);
  const first = controlPlanes(nodes)[0];
  const head = scriptHead(
    own,
    "apply.sh",
    `Makes the machine configs of the guest ${own.name} from the patches beside this file, checks them and hands them to the nodes. Rendered by Omni from omni.yaml; needs talosctl. Paths of your own patches count from the folder of omni.yaml: start it there, or set OMNI_PROJECT.`,
    [
      {
        option: "--first",
        variable: "first",
        about: "the nodes wait in maintenance mode: install them, then start the cluster",
      },
    ],
    schematic.id === undefined,
  );
  const ownPatches = (own.talos.patches ?? []).some((path) => !path.startsWith("/"));
  return `${[
    head,
    ...(ownPatches ? ["project=${OMNI_PROJECT:-.}", ""] : []),
    hashComment(
      "Keys of the cluster: made once, with --first, readable by nobody else; other keys are another cluster.",
    ),
    "umask 077",
    'if [ ! -f "$secrets/secrets.yaml" ] && ! "$first" && ! "$dry_run"; then',
    "  printf '%s\\n' \"No secrets.yaml in $secrets: set OMNI_TALOS_SECRETS to the folder that --first made.\" >&2",
    "  exit 1",
    "fi",
    'run mkdir -p "$secrets/nodes"',
    'if [ ! -f "$secrets/secrets.yaml" ]; then run talosctl gen secrets --output-file "$secrets/secrets.yaml"; fi',
    "",
    genConfig(own, schematic, patches, first),
    "",
    ...nodeFunction(own),
    "",
    ...nodes.map((node) => nodeCall(own, node)),
    ...(first === undefined ? [] : ["", ...bootstrap(own, first)]),
  ].join("\n")}\n`;
}
