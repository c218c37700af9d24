import type { Spec, SpecPath } from "../spec/index.ts";

/** Kernel arguments of every host of the spec with their places. */
export const hostArguments = (
  spec: Spec,
): readonly { readonly machine: string; readonly argument: string; readonly at: SpecPath }[] =>
  Object.entries(spec.machines).flatMap(([machine, { boot }]) =>
    (boot?.arguments ?? []).map((argument, index) => ({
      machine,
      argument,
      at: ["machines", machine, "boot", "arguments", index],
    })),
  );
