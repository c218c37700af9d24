import { expect, test } from "vitest";

import { rulesOf } from "../../../test/fakes/routing-node.ts";
import { hedgeAfter } from "./hedge-after.ts";

const tokens = (likely: number) => ({ least: 0, most: 4 * likely, likely });

test("a second service is asked after the route's time, for prompts that are short enough", () => {
  expect(hedgeAfter(undefined, tokens(10))).toBeUndefined();
  expect(hedgeAfter(rulesOf(["a", "b"]), tokens(10))).toBeUndefined();
  const always = rulesOf(["a", "b"], { hedge: { after: 800 } });
  expect(hedgeAfter(always, tokens(100_000))).toBe(800);
  const short = rulesOf(["a", "b"], { hedge: { after: 800, below: 2_000 } });
  expect(hedgeAfter(short, tokens(1_999))).toBe(800);
  expect(hedgeAfter(short, tokens(2_000))).toBeUndefined();
});
