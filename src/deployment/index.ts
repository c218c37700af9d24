/**
 * Deployment: spec and plan as one frozen description of all that hosts, hypervisors, clusters and engines are told:
 * images, commands, mounts, ports, secrets by reference. Renderers and runtimes read it and never the spec. Never here:
 * the syntax of any target, files, processes.
 */
export { deploy } from "./deploy.ts";
export type * from "./deployed-service.ts";
export type * from "./deployment.ts";
