/** Names for what a service or a card is for. Owners may use their own; these are the ones that Omni understands. */
export const ROLES: ReadonlyMap<string, string> = new Map([
  ["oracle", "the strongest model, for hard questions"],
  ["executor", "a fast model that carries out what was decided"],
  ["context-worker", "a model for long prompts"],
  ["utility", "small jobs: summaries, titles, classification"],
  ["embeddings", "vectors for search"],
  ["rerank", "order of search results"],
  ["vision", "a model that sees"],
  ["image", "image generation"],
  ["audio", "speech and transcription"],
  ["coder", "a model for code"],
  ["agent", "a model that uses tools"],
  ["failsafe", "what answers when nothing else does"],
  ["inference", "general inference"],
  ["spare", "nothing yet"],
]);
