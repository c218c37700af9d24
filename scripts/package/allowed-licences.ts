/** SPDX identifiers that may be shipped with a program under MIT without any condition on its own source. */
const ALLOWED = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC0-1.0",
  "ISC",
  "MIT",
  "MIT-0",
  "PSF-2.0",
  "Python-2.0",
  "Unlicense",
]);

/** Whether an SPDX expression leaves a way to ship it: one side of an `OR`, both sides of an `AND`. Unknown ones do not. */
export function isAllowed(expression: string | undefined): boolean {
  if (expression === undefined) return false;
  const plain = expression.trim().replace(/^\(([^()]*)\)$/, "$1");
  if (ALLOWED.has(plain)) return true;
  if (plain.includes("(")) return false;
  const choices = plain.split(" OR ");
  return choices.some((choice) => choice.split(" AND ").every((one) => ALLOWED.has(one.trim())));
}
