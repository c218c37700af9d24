/** What an Xid asks for: a restart of the node, a reset of the card, a restart of the program that caused it. */
export type XidRemedy = "restart-node" | "reset-card" | "restart-app";

/**
 * Codes of NVIDIA's driver that somebody has to act on, by what it takes. The rest are informational or follow another:
 * 43 and 45 come with the end of a program, 63 and 92 record a repair, 137 and 154 repeat what another said.
 */
export const XIDS: Readonly<Record<XidRemedy, readonly number[]>> = {
  "restart-node": [79, 167],
  "reset-card": [
    46, 48, 62, 64, 74, 95, 109, 110, 119, 120, 136, 140, 143, 144, 145, 146, 147, 148, 149, 150, 158,
  ],
  "restart-app": [13, 31, 32, 94],
};

export const XIDS_SOURCE = {
  source: "https://docs.nvidia.com/deploy/xid-errors/",
  date: "2026-10-01",
} as const;
