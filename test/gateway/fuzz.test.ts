import { afterAll, beforeAll, expect, it } from "vitest";

import { Campaign } from "../../bench/fuzz/campaign.ts";

/** Cases in all, and between two looks at what is left over. */
const CASES = 3_000;
const BLOCK = 1_500;

/** As in other properties: the same in every run; `FUZZ_SEED=7` tries others. */
const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121) || Date.now() % 1e9;

let campaign: Campaign;
beforeAll(async () => {
  campaign = await Campaign.open({ seed, width: 64, block: BLOCK });
});
afterAll(() => campaign.close());

it(
  "whatever clients and engines send, answers are whole or say that they are not, and nothing is left over",
  { timeout: 240_000 },
  async () => {
    for (let from = 0; from < CASES; from += BLOCK) {
      const findings = await campaign.block(from, from + BLOCK);
      expect(
        findings.map(({ what, suspects }) => `seed ${seed}, case ${suspects[0]?.index}: ${what}`),
        `npm run fuzz:gateway -- --seed ${seed} --runs ${CASES} shrinks it`,
      ).toEqual([]);
    }
    // Clients were served and refused, and engines were asked again and gone on from: the cases reach all that.
    const { tried, retried, continued } = await campaign.state();
    expect(campaign.answers.get(200)).toBeGreaterThan(CASES / 10);
    expect(campaign.answers.get(400)).toBeGreaterThan(CASES / 100);
    expect(tried).toBeGreaterThan(CASES / 4);
    expect(retried).toBeGreaterThan(CASES / 100);
    expect(continued).toBeGreaterThan(10);
  },
);
