import { homedir } from "node:os";
import { join } from "node:path";

/** Where a node keeps its events, logs and sockets: `OMNI_STATE`, else `omni` in the user's state folder. */
export function stateFolder(): string {
  const given = process.env["OMNI_STATE"];
  if (given !== undefined && given !== "") return given;
  const base = process.env["XDG_STATE_HOME"];
  return join(base === undefined || base === "" ? join(homedir(), ".local", "state") : base, "omni");
}
