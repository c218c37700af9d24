/** The nodes that each view is looked at on. */
export const NODES = [
  { name: "the demo", models: ["omni-demo", "omni-demo"] },
  { name: "concrete bunker", models: ["oracle", "executor", "oracle"] },
] as const;

type ByNode<T> = Readonly<Record<(typeof NODES)[number]["name"], T>>;

/** A view: its place, what a person looks for in it, and the control that they would use, by its name. */
interface ViewContents {
  readonly path: string;
  readonly sees: ByNode<readonly RegExp[]>;
  readonly action: ByNode<RegExp>;
}

const both = <T>(value: T): ByNode<T> => ({ "the demo": value, "concrete bunker": value });

export const VIEWS: readonly ViewContents[] = [
  {
    path: "node",
    sees: {
      "the demo": [/no card that Omni can use/, /^main memory$/, /^Memory available$/, /^KV cache$/],
      "concrete bunker": [
        /cards of this node are simulated/,
        /^RTX PRO 6000 Blackwell$/,
        /^RTX 5090$/,
        /^generation 5, 16 lanes$/,
        /^kept free$/,
        /cannot be measured/,
      ],
    },
    action: { "the demo": /^cpu as measured now$/, "concrete bunker": /^gpu1 as planned$/ },
  },
  {
    path: "services",
    sees: {
      "the demo": [/^omni-demo$/, /^embedded/, /^ready$/, /^\d[\d .]* ms$/],
      "concrete bunker": [/^deepseek-v32$/, /^qwen-executor$/, /^gpu0, gpu1$/, /^simulated$/],
    },
    action: { "the demo": /^omni-demo$/, "concrete bunker": /^deepseek-v32$/ },
  },
  {
    path: "plan",
    sees: {
      "the demo": [/^Devices$/, /^omni-demo$/, /329\.59 MiB/],
      "concrete bunker": [/plan\.not-applied/, /^gpu0$/, /^81\.47 GiB$/, /The spec names gpu0/],
    },
    action: both(/^Try changes$/),
  },
  { path: "chat", sees: both([/^Enter asks/]), action: both(/^Question/) },
  {
    path: "requests",
    sees: { "the demo": [/^omni-demo$/, /^answered$/], "concrete bunker": [/^oracle$/, /^answered$/] },
    action: both(/^Look$/),
  },
  { path: "tools", sees: both([/^Tool servers$/, /^node__node_plan/]), action: both(/^Look again$/) },
  { path: "events", sees: both([/^The node listens at/, / is ready after /]), action: both(/^Pause$/) },
  { path: "runbook", sees: both([/^Nothing was applied/]), action: both(/^Copy$/) },
  {
    path: "keys",
    sees: { "the demo": [/^Keys of this node$/, /^local$/], "concrete bunker": [/^owner$/, /^unset$/] },
    action: both(/^New key$/),
  },
];
