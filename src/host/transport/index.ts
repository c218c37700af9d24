/**
 * Ways to hosts: this machine and SSH. Programs run to their end within limits, files are read whole and written durably,
 * and the keys of hosts are checked. Never here: what is run, and what follows from how it ended.
 */
export { localTransport } from "./local-transport.ts";
export { openTransport, transportPool } from "./open-transport.ts";
export { sshTransport } from "./ssh/ssh-transport.ts";
export type { SshOptions } from "./ssh/ssh-transport.ts";
export type { CommandResult, HostCommand, HostTransport } from "./transport.ts";
