import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";

/**
 * $1 unit, $2 rounds to wait for a new Omni, $3 seconds of a round, $4 prefix of the unit's files, $5 turn of the claim,
 * $6 cgroup or nothing. The first line of stdin is the engine's process and its start time, a second one means that the
 * engine ended in order; end of file means that Omni is gone. Descriptor 3 is the write end of the engine's own stdin.
 */
const SCRIPT = `trap '' TERM INT HUP
unit=$1 rounds=$2 round=$3 files=$4 turn=$5 cgroup=$6
claim=$files.claim-$turn
if read -r pid start; then
  if [ "$pid" = ended ] || read -r word; then exit 0; fi
else
  # Omni died between the start of this shell and of the engine: only the mark can tell whether there is one.
  pid= rounds=0
fi

same() {
  [ -d /proc/self ] || { kill -0 "$pid" 2>/dev/null; return; }
  read -r stat 2>/dev/null <"/proc/$pid/stat" || return 1
  set -- \${stat##*) }
  [ "\${20}" = "$start" ]
}
lives() {
  [ -n "$pid" ] && same || return 1
  [ -d /proc/self ] || return 0
  case \${stat##*) } in Z*) return 1 ;; esac
}
adopted() {
  for other in "$files".claim-*; do
    if [ -e "$other" ] && [ "$other" != "$claim" ]; then return 0; fi
  done
  return 1
}

waited=0
while [ "$waited" -lt "$rounds" ] && lives; do
  if adopted; then exit 0; fi
  sleep "$round" 3>&-
  waited=$((waited + 1))
done
# One rename wins: from here on no Omni adopts this engine, or one has and this shell is done.
if ! mv "$claim" "$files.ending" 2>/dev/null && adopted; then exit 0; fi

# The number of a leader that is gone stays the group's while the group has members.
group() {
  [ -n "$pid" ] || return 0
  if [ -d /proc/self ] && [ -d "/proc/$pid" ] && ! same; then return 0; fi
  kill -s "$1" -- "-$pid" 2>/dev/null
}
marked() {
  [ -d /proc/self ] || return 1
  found=1
  for name in $(grep -ls "OMNI_UNIT=$unit" /proc/[0-9]*/environ 2>/dev/null); do
    name=\${name#/proc/}
    kill -s KILL "\${name%/environ}" 2>/dev/null && found=0
  done
  return "$found"
}
group TERM
if lives; then sleep 1 3>&-; fi
group KILL
if [ -n "$cgroup" ]; then echo 1 2>/dev/null >"$cgroup/cgroup.kill"; fi
rounds=0
while marked && [ "$rounds" -lt 10 ]; do rounds=$((rounds + 1)); done
rm -f "$files".*
if [ -n "$cgroup" ]; then sleep 1 3>&-; rmdir "$cgroup" 2>/dev/null; fi`;

/** What a guard watches over. */
export interface GuardTask {
  readonly unit: string;
  /** Milliseconds that a new Omni has for adopting the unit. */
  readonly grace: number;
  /** Path of the unit's files less what follows the unit's name. */
  readonly files: string;
  readonly turn: number;
  readonly cgroup: string | undefined;
  /** Write end of the engine's standard input. */
  readonly stdin: number | undefined;
}

/**
 * A shell of about 1 MB, in a session of its own, that outlives this process, SIGKILL included: it keeps the engine's
 * standard input open, waits for a new Omni, and ends the engine and all that it started when none comes.
 */
export class LifeLineGuard {
  readonly pid: number;
  readonly #child: ChildProcess;
  #dismissed = false;

  /** `onLost` is called when the guard ends although nobody dismissed it. */
  private constructor(child: ChildProcess, pid: number, onLost: () => void) {
    this.#child = child;
    this.pid = pid;
    child.stdin?.on("error", () => {});
    child.once("exit", () => {
      if (!this.#dismissed) onLost();
    });
    child.unref();
  }

  /** `undefined` where no shell can be started. */
  static start(task: GuardTask, onLost: () => void): LifeLineGuard | undefined {
    if (process.platform === "win32") return undefined;
    const { grace, stdin } = task;
    // Shells count in whole seconds only, by the letter of POSIX; a shorter grace is for tests.
    const round = grace % 1000 === 0 ? 1 : 0.1;
    const rounds = Math.ceil(grace / 1000 / round);
    const words = [
      task.unit,
      String(rounds),
      String(round),
      task.files,
      String(task.turn),
      task.cgroup ?? "",
    ];
    const child = spawn("/bin/sh", ["-c", SCRIPT, "omni-guard", ...words], {
      stdio: ["pipe", "ignore", "ignore", stdin ?? "ignore"],
      // A session of its own: Ctrl-C on the terminal and a kill of the node's group do not reach it.
      detached: true,
      cwd: "/",
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
    });
    child.on("error", () => {});
    return child.pid === undefined ? undefined : new LifeLineGuard(child, child.pid, onLost);
  }

  /** Names the engine's process; `startTime` as /proc tells it, `-` where there is none. */
  watch(pid: number, startTime: string): void {
    this.#child.stdin?.write(`${pid} ${startTime}\n`);
  }

  /** The engine has ended, or another guard has taken over. */
  dismiss(): void {
    this.#dismissed = true;
    this.#child.stdin?.end("ended\nended\n");
  }

  /** Leaves the engine to the guard, as if this process had died. */
  release(): void {
    this.#dismissed = true;
    this.#child.stdin?.destroy();
  }
}
