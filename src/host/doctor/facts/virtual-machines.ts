import type { HostView } from "../check.ts";

/** Whether a virtual machine of a Proxmox host runs; `undefined` where qm does not tell. */
export async function isRunning(view: HostView, id: number): Promise<boolean | undefined> {
  const said = await view.said(["qm", "status", String(id)]);
  // A machine that does not exist yet does not run either.
  if (said.ended && /does not exist/.test(said.stderr)) return false;
  return said.ended && said.code === 0 ? /status:\s*(?:running|paused)/.test(said.stdout) : undefined;
}
