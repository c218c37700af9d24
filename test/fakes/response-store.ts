import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { ResponseBounds, StoredResponses } from "../../src/store/index.ts";
import { openResponses, openStore } from "../../src/store/index.ts";

export interface ResponseStoreUnderTest extends Disposable {
  readonly folder: string;
  readonly responses: StoredResponses;
}

/** Stored responses in a state folder of their own, which is gone afterwards. */
export function openResponseStore(bounds: Partial<ResponseBounds> = {}): ResponseStoreUnderTest {
  const folder = mkdtempSync(join(tmpdir(), "omni-responses-"));
  const store = openStore(folder);
  const responses = openResponses(folder, bounds);
  return {
    folder,
    responses,
    [Symbol.dispose]() {
      responses.close();
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
