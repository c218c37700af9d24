/**
 * A text as a label's value of Kubernetes: what it cannot hold becomes a hyphen, at most 63 characters. The same rule as
 * on the objects themselves, because Prometheus finds pods by it.
 */
export const labelText = (text: string): string =>
  text
    .replaceAll(/[^A-Za-z0-9]+/g, "-")
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, "");
