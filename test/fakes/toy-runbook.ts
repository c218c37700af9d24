import { existsSync, readFileSync } from "node:fs";
import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { RunbookSource } from "../../src/cli/apply/runbook-source.ts";
import { OmniError } from "../../src/core/index.ts";
import { localTransport } from "../../src/host/transport/index.ts";
import type { Exclusions, Runbook, Step, StepContext } from "../../src/runbook/index.ts";

/** A step over real files and programs, with what most of them have in common. */
export const toyStep = (id: string, step: Partial<Step> & Pick<Step, "verify" | "apply">): Step => ({
  id,
  phase: "metal",
  title: `Brings about ${id}`,
  asked: "toy",
  needs: [],
  inputs: { id },
  timeout: 20_000,
  preview: [],
  ...step,
});

/** A step that is there when its file has this text, which a program writes. */
export const fileStep = (folder: string, id: string, step: Partial<Step> = {}, text = id): Step => {
  const path = join(folder, id.replace("/", "-"));
  return toyStep(id, {
    preview: [`printf ${text} > ${path}`],
    verify: () =>
      Promise.resolve(
        textOf(path) === text
          ? { done: true, evidence: [`${path} has ${text.length} bytes`] }
          : { done: false, missing: `${path} is not there` },
      ),
    apply: async (context) => {
      const host = await context.host();
      const script = 'printf %s "$1" > "$2.new" && mv "$2.new" "$2" && echo wrote "$2"';
      await context.run(host, { argv: ["sh", "-c", script, "sh", text, path], timeout: 10_000 });
    },
    ...step,
  });
};

/** A step that writes a line into a ledger, which nobody may do twice. */
export const ledgerStep = (folder: string, id: string, step: Partial<Step> = {}): Step => {
  const ledger = join(folder, "ledger");
  const written = (): boolean => (textOf(ledger) ?? "").split("\n").includes(id);
  return toyStep(id, {
    verify: () =>
      Promise.resolve(
        written() && existsSync(join(folder, id.replace("/", "-")))
          ? { done: true, evidence: [`${ledger} has ${id}`] }
          : { done: false, missing: `${ledger} has no ${id}` },
      ),
    apply: async (context: StepContext) => {
      const host = await context.host();
      await context.effect(
        "append",
        () => Promise.resolve(written()),
        async () => {
          const argv = ["sh", "-c", 'echo "$1" >> "$2"', "sh", id, ledger] as const;
          await context.run(host, { argv: [...argv], timeout: 10_000 });
        },
      );
      await appendFile(join(folder, id.replace("/", "-")), "");
    },
    ...step,
  });
};

const textOf = (path: string): string | undefined =>
  existsSync(path) ? readFileSync(path, "utf8") : undefined;

/**
 * Thirteen steps below a folder, as a real runbook has them: some side by side, two that must never be repeated, one that
 * works at its second attempt, one that needs consent, and an engine that cannot be built, with another in its place.
 */
export function toyRunbook(folder: string, exclusions: Exclusions): Runbook {
  const file = (id: string, step: Partial<Step> = {}): Step => fileStep(folder, id, step);
  const engine = exclusions.has("ktransformers") ? "llama.cpp" : "ktransformers";
  return {
    name: "toy",
    exclusions,
    steps: [
      file("kernel/pin"),
      file("card/bind", { needs: ["kernel/pin"], consent: () => Promise.resolve(CONSENT) }),
      ledgerStep(folder, "disk/format", { phase: "metal", needs: ["kernel/pin"] }),
      file("image/build", { phase: "image" }),
      file("image/push", { phase: "image", needs: ["image/build"] }),
      heldStep(folder),
      file("disk/mount", { phase: "storage", needs: ["disk/format", "guest/vm"] }),
      file("model/weights", { phase: "models", needs: ["disk/mount"] }),
      flakyStep(folder),
      engineStep(folder, engine),
      ledgerStep(folder, "service/announce", { phase: "services", needs: [`engine/${engine}`] }),
      file("service/oracle", {
        phase: "services",
        needs: ["model/weights", `engine/${engine}`, "image/push"],
      }),
      file("acceptance/oracle", { phase: "acceptance", needs: ["service/oracle", "model/projector"] }),
    ],
  };
}

/** Waits while there is a folder `hold`. */
const heldStep = (folder: string): Step => {
  const step = fileStep(folder, "guest/vm", { phase: "guest", needs: ["card/bind"] });
  return {
    ...step,
    apply: async (context) => {
      while (existsSync(join(folder, "hold"))) await setTimeout(20, undefined, { signal: context.signal });
      await step.apply(context);
    },
  };
};

const CONSENT = { token: "unbind:GPU-1", text: "Takes the card GPU-1 from its driver." };

/** Works at the second attempt, whoever makes it. */
const flakyStep = (folder: string): Step => {
  const step = fileStep(folder, "model/projector", { phase: "models", retries: { times: 2, delay: 5 } });
  const tried = join(folder, "projector-tried");
  return {
    ...step,
    apply: async (context) => {
      if (!existsSync(tried)) {
        await appendFile(tried, "");
        throw new Error("the connection was cut");
      }
      await step.apply(context);
    },
  };
};

const engineStep = (folder: string, engine: string): Step => {
  const step = fileStep(folder, `engine/${engine}`, { phase: "engines", needs: ["image/build"] });
  if (engine !== "ktransformers") return step;
  return {
    ...step,
    apply: async (context) => {
      const host = await context.host();
      await context.run(host, { argv: ["sh", "-c", "echo no such compiler >&2; exit 7"], timeout: 10_000 });
    },
    fallback: { kind: "without-engine", engine, text: "llama.cpp takes the place of ktransformers" },
  };
};

/** A source of a runbook that needs no spec. */
export const toySource = (make: (exclusions: Exclusions) => Runbook): RunbookSource => ({
  make: (exclusions) => Promise.resolve(make(exclusions)),
  order: [],
  diagnostics: [],
  host: (name) =>
    name === undefined
      ? Promise.resolve(localTransport())
      : Promise.reject(new OmniError("host.unreachable", `There is no way to ${name}.`)),
  close: () => Promise.resolve(),
});

/** What a run left below its folder, the state folder excepted. */
export const ledgerLines = async (folder: string): Promise<readonly string[]> =>
  (await readFile(join(folder, "ledger"), "utf8").catch(() => "")).split("\n").filter((line) => line !== "");
