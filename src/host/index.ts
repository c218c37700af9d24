/**
 * Hosts: how they are reached (this machine, SSH), looked at and changed. The doctor compares a host with its spec, the GPU
 * switch moves cards between drivers, disks are prepared when they are the right ones and blank; each stands in a folder of
 * its own and is imported from there. Never here: which of it is done and in what order (runbook), and what a spec asks for.
 */
export type { HostTransport } from "./transport/index.ts";
