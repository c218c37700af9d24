import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";

/** Lines `+ GROUP` and `- GROUP`; at the end of its standard input, whatever ended it, the groups that are left are ended. */
const SCRIPT = `trap '' TERM INT HUP
groups=' '
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) case $groups in *" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;; esac ;;
  esac
done
for group in $groups; do kill -s TERM -- "-$group" 2>/dev/null; done
if [ -n "\${groups# }" ]; then sleep 2; fi
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done`;

/**
 * One shell of about 1 MB for all process groups of this process: it ends them when this process is gone, by SIGKILL too.
 * It lives while there is a group to watch; on Windows there is none.
 */
class GroupGuard {
  #child: ChildProcess | undefined;
  readonly #groups = new Set<number>();

  watch(group: number): void {
    if (process.platform === "win32") return;
    this.#groups.add(group);
    if (this.#child === undefined) this.#start();
    else this.#child.stdin?.write(`+ ${group}\n`);
  }

  dismiss(group: number): void {
    if (!this.#groups.delete(group)) return;
    const child = this.#child;
    child?.stdin?.write(`- ${group}\n`);
    if (this.#groups.size > 0) return;
    this.#child = undefined;
    child?.stdin?.end();
  }

  #start(): void {
    const child = spawn("/bin/sh", ["-c", SCRIPT, "omni-mcp-guard"], {
      stdio: ["pipe", "ignore", "ignore"],
      // A session of its own: Ctrl-C on the terminal and a kill of the node's group do not reach it.
      detached: true,
      cwd: "/",
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
    });
    this.#child = child;
    child.on("error", () => {});
    child.stdin.on("error", () => {});
    child.once("exit", () => {
      if (this.#child !== child) return;
      this.#child = undefined;
      if (this.#groups.size > 0) this.#start();
    });
    for (const group of this.#groups) child.stdin.write(`+ ${group}\n`);
    child.unref();
    // A pipe's handle would keep the process alive as a child does.
    if ("unref" in child.stdin && typeof child.stdin.unref === "function") child.stdin.unref();
  }
}

/** Guards belong to the process as its children do, so there is one. */
export const groupGuard = new GroupGuard();
