/** Creates keys and writes usage in a state folder, as a command or a worker beside others would: folder, name, count. */
import { digestOf, newSecret, prefixOf } from "../../src/keys/index.ts";
import { openSqliteKeys } from "../../src/store/sqlite-keys.ts";

const [, , folder = "", name = "", count = "0"] = process.argv;
const store = openSqliteKeys(folder, { patient: true });
const may = { admin: false, upstream: false, priority: 5 };

async function create(name: string): Promise<void> {
  const secret = newSecret();
  await store.create({ name, digest: digestOf(secret), prefix: prefixOf(secret), may, created: Date.now() });
}

for (let n = 0; n < Number(count); n++) {
  await create(`${name}-${n}`);
  store.addUsage([
    {
      day: "2026-11-22",
      key: "all",
      model: "m",
      service: "s",
      requests: 1,
      promptTokens: 1,
      completionTokens: 0,
      cachedTokens: 0,
    },
  ]);
}
await create("same").catch(() => undefined);
await store.close();
