import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { PlannedService } from "../../src/plan/plan.ts";
import { fakeService } from "./fake-driver.ts";

const MODEL = fileURLToPath(new URL("../../demo/omni-demo.gguf", import.meta.url));

/** The real embedded engine with the demo model. */
export const demoService = (name: string): PlannedService =>
  fakeService(
    name,
    {},
    {
      engine: { name: "embedded", version: "1" },
      model: { name: "omni-demo", path: MODEL, sizeBytes: statSync(MODEL).size },
      contextTokens: 256,
      extraArguments: [],
    },
  );
