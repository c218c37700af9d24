/** The terms that an engine's memory is counted in, in the order of drawing, with the tone of each in a bar. */
export const MEMORY_TERMS = [
  { term: "weights", name: "weights", tone: "weights" },
  { term: "kvCache", name: "KV cache", tone: "kv" },
  { term: "compute", name: "compute", tone: "compute" },
  { term: "overhead", name: "overhead", tone: "overhead" },
] as const;

/** Names of the tones of a device's bar. */
export const MEMORY_LEGEND = [
  ...MEMORY_TERMS.map(({ tone, name }) => [tone, name] as const),
  ["reserve", "kept free"] as const,
  ["free", "free"] as const,
];
