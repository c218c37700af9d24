import type { Spec } from "../spec/index.ts";
import { guestOfService, machineOfService } from "./hardware.ts";
import type { Rule } from "./rule.ts";

type Service = Spec["services"][string];

/** Processors in a set such as `0-23,48-71`. */
function sizeOfCpuSet(cpus: string): number {
  const numbers = cpus.split(",").map((part) => part.split("-").map(Number));
  return numbers.reduce((sum, [from = 0, to = from]) => sum + to - from + 1, 0);
}

/** Processors that a service computes on, and what they are; nothing where the spec does not say. */
function processorsOf(
  spec: Spec,
  service: Service,
): { readonly count: number; readonly what: string } | undefined {
  if (service.cpus !== undefined)
    return { count: sizeOfCpuSet(service.cpus), what: `processors of cpus: ${service.cpus}` };
  const vm = guestOfService(spec, service)?.guest.vm;
  if (vm !== undefined)
    return { count: vm.cores * (vm.sockets ?? 1), what: `virtual processors of VM ${vm.id}` };
  const machine = machineOfService(spec, service);
  const cpu = machine === undefined ? undefined : spec.machines[machine]?.cpu;
  return cpu?.cores === undefined ? undefined : { count: cpu.cores, what: "physical cores" };
}

/** Threads that the service asks for, by its key or by llama.cpp's argument, and where. */
function typedThreads(name: string, { threads, arguments: list }: Service) {
  if (typeof threads === "number") return { threads, at: ["services", name, "threads"] };
  for (const [index, argument] of list.entries()) {
    const [flag, joined] = String(argument).split("=");
    if (flag !== "--threads" && flag !== "-t") continue;
    const value = Number(joined ?? list[index + 1]);
    const at = ["services", name, "arguments", joined === undefined ? index + 1 : index];
    return Number.isInteger(value) ? { threads: value, at } : undefined;
  }
  return undefined;
}

/** More threads than there are processors to run them. */
export const threadsExceedVcpus: Rule = {
  code: "threads-exceed-vcpus",
  severity: "warning",
  source:
    "llama.cpp: threads wait for each other at every layer, and generation is bound by memory, not by threads",
  find: ({ spec }) =>
    Object.entries(spec.services).flatMap(([name, service]) => {
      const typed = typedThreads(name, service);
      const processors = processorsOf(spec, service);
      if (typed === undefined || processors === undefined || typed.threads <= processors.count) return [];
      const { threads, at } = typed;
      return [
        {
          at,
          message: `${threads} threads on ${processors.count} ${processors.what}, ${(threads / processors.count).toFixed(1)} on each: they wait for each other after every layer, and one that has to share its core holds up all the others.`,
          hint: `threads: ${processors.count}`,
        },
      ];
    }),
};
