import type { Spec, SpecPath } from "../spec/index.ts";

/** Kernel arguments of every host of the spec with their places; an entry may hold several, apart by spaces. */
export const hostArguments = (spec: Spec): readonly { readonly argument: string; readonly at: SpecPath }[] =>
  Object.entries(spec.machines).flatMap(([machine, { boot }]) =>
    (boot?.arguments ?? []).flatMap((entry, index) =>
      entry
        .split(/\s+/)
        .map((argument) => ({ argument, at: ["machines", machine, "boot", "arguments", index] })),
    ),
  );
