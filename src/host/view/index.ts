/**
 * Hosts as checks look at them: this machine as it is, or a copy of what matters of another one, brought here in one go and
 * put away after it. Never here: what anything of it means.
 */
export { localView } from "./local-view.ts";
export type { OpenHostView } from "./open-view.ts";
export { sshView } from "./ssh-view.ts";
