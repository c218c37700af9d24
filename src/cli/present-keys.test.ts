import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { locatedSpec } from "../../test/fakes/located-spec.ts";
import { presentKeys, readKeys } from "./node-spec.ts";

test("keys that are set are given without their white space, each that is not is named with what to do", async () => {
  const folder = mkdtempSync(join(tmpdir(), "omni-keys-"));
  try {
    writeFileSync(join(folder, "there"), " sk-there \n");
    writeFileSync(join(folder, "empty"), "\n");
    const located = locatedSpec(
      `models: { m: ./m.gguf }
keys:
  there: { file: ./there }
  empty: { file: ./empty }
  unset: { env: OMNI_TEST_KEY_THAT_NOBODY_SETS }`,
      folder,
    );
    const { secrets, missing } = await presentKeys(located);
    expect(secrets).toEqual(["sk-there"]);
    expect(missing.map(({ path, hint }) => [path, hint])).toEqual([
      ["keys.empty", "Write the key into ./empty."],
      ["keys.unset", "export OMNI_TEST_KEY_THAT_NOBODY_SETS=…"],
    ]);
    expect(JSON.stringify(missing)).not.toContain("sk-there");
    await expect(readKeys(located)).rejects.toMatchObject({ code: "key.unset", diagnostics: missing });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
