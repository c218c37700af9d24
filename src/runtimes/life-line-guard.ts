import { spawn } from "node:child_process";

/**
 * Waits for a word or for end of file. A word means that the unit ended in order; end of file means that the node
 * died without a chance to act, and the unit's whole group must go with it.
 */
const SCRIPT = `trap '' TERM INT HUP
if read -r word; then exit 0; fi
kill -s TERM -- "-$1" 2>/dev/null
sleep 1
kill -s KILL -- "-$1" 2>/dev/null`;

/**
 * Starts a shell of about 1 MB that ends the process group `pid` when this process dies, SIGKILL included.
 * An engine that reads its stdin ends by itself; this one is for engines that do not, and for what they started.
 * Returns the function that dismisses the guard.
 */
export function guardGroup(pid: number): () => void {
  if (process.platform === "win32") return () => {};
  const guard = spawn("/bin/sh", ["-c", SCRIPT, "omni-guard", String(pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    // A session of its own: Ctrl-C on the terminal and a kill of the node's group do not reach it.
    detached: true,
    cwd: "/",
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
  });
  // Without a shell the life line on the engine's stdin still holds.
  guard.on("error", () => {});
  guard.stdin.on("error", () => {});
  guard.unref();
  return () => guard.stdin.end("ended\n");
}
