import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** As talosctl with one node behind it: what it is told is kept in its folder. */
const TALOSCTL = `#!/bin/sh
state=STATE
secret=no
[ "$1" != --talosconfig ] || { secret=$2; shift 2; }
printf '%s\\n' "$*" >>"$state/calls"
if [ -f "$state/fail" ] && printf '%s' "$*" | grep -qE -- "$(cat "$state/fail")"; then echo "cut off" >&2; exit 1; fi
option() { name=$1; shift; while [ $# -gt 0 ]; do [ "$1" != "$name" ] || { printf '%s' "$2"; return 0; }; shift; done; }
keys() { [ -f "$state/started" ] && [ -f "$secret" ] || { echo 'rpc error: x509: unknown authority' >&2; exit 1; }; }
case "$1 $2" in
"version --client") echo 'Client: Talos v1.12.11' ;;
"version "*) keys; printf 'Client:\\n\\tTag:         v1.12.11\\nServer:\\n\\tTag:         %s\\n' "$(cat "$state/tag")" ;;
"gen secrets") echo keys >"$(option --output-file "$@")" ;;
"gen config") out=$(option --output "$@"); for file in controlplane.yaml worker.yaml talosconfig; do echo "$file" >"$out/$file"; done ;;
"machineconfig patch") cp "$3" "$(option --output "$@")" ;;
"apply-config --insecure") [ ! -f "$state/installed" ] || { echo 'tls: certificate required' >&2; exit 1; }; : >"$state/installed" ;;
"bootstrap "*) [ ! -f "$state/started" ] || { echo 'AlreadyExists' >&2; exit 1; }; : >"$state/started" ;;
"etcd members" | "health "*) keys ;;
"kubeconfig "*) keys; echo 'apiVersion: v1' >"$2" ;;
esac
`;

export interface FakeTalosctl {
  /** Folder to put first on PATH. */
  readonly programs: string;
  calls(): readonly string[];
  /** Commands that match fail from now on; none where it is empty. */
  fail(pattern: string): void;
  /** The release that the node runs. */
  runs(tag: string): void;
}

export function fakeTalosctl(folder: string): FakeTalosctl {
  const programs = join(folder, "talos-programs");
  const state = join(folder, "talos-state");
  for (const path of [programs, state]) mkdirSync(path, { recursive: true });
  writeFileSync(join(programs, "talosctl"), TALOSCTL.replace("STATE", state));
  chmodSync(join(programs, "talosctl"), 0o755);
  const put = (name: string, text: string): void => writeFileSync(join(state, name), text);
  put("tag", "v1.12.11");
  put("calls", "");
  return {
    programs,
    calls: () => readFileSync(join(state, "calls"), "utf8").trim().split("\n"),
    fail: (pattern) => put("fail", pattern === "" ? "^never$" : pattern),
    runs: (tag) => put("tag", tag),
  };
}
