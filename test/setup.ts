import fc from "fast-check";

/**
 * The same random inputs in every run, so that a red test is about the change at hand. Hunting for new faults is
 * `FUZZ_SEED=random npx vitest run`, or any number to repeat a run.
 */
const seed = process.env["FUZZ_SEED"] ?? "20261121";
if (seed !== "random") fc.configureGlobal({ seed: Number(seed) });
