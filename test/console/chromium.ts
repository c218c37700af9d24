import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";

const PROGRAM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** Why tests in a browser are skipped, for their names; empty where there is one. */
export const noChromium = existsSync(PROGRAM)
  ? ""
  : ` (skipped: no ${PROGRAM}; Debian's package is chromium, CHROMIUM names another)`;

/** A real Chromium of this machine. Whoever starts it closes it. */
export const startChromium = async (): Promise<Browser> => chromium.launch({ executablePath: PROGRAM });
