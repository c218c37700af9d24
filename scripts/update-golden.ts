/** Makes what every golden case renders to now the expected outcome, or only that of the cases named. */
import { caseNames, updateCase } from "../test/golden/golden-case.ts";

const wanted = process.argv.slice(2);
for (const name of await caseNames()) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  await updateCase(name);
  process.stdout.write(`${name}\n`);
}
