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
      "the demo": [/no card that Omni can use/, /main memory/, /Memory available/, /weights/],
      "concrete bunker": [
        /are simulated/,
        /RTX PRO 6000 Blackwell/,
        /RTX 5090/,
        /generation 5, 16 lanes/,
        /KV cache/,
      ],
    },
    action: { "the demo": /as measured now/, "concrete bunker": /gpu1 as planned/ },
  },
  {
    path: "services",
    sees: {
      "the demo": [/embedded/, /ready/],
      "concrete bunker": [/deepseek-v32/, /qwen-executor/, /gpu0, gpu1/, /simulated/],
    },
    action: { "the demo": /^chat$|embedded|omni-demo/, "concrete bunker": /deepseek-v32/ },
  },
  {
    path: "plan",
    sees: { "the demo": [/omni-demo/], "concrete bunker": [/deepseek-v32/, /gpu0/] },
    action: both(/Plan|Try/),
  },
  { path: "chat", sees: both([/./]), action: both(/Send|Message/i) },
  {
    path: "requests",
    sees: { "the demo": [/omni-demo/], "concrete bunker": [/oracle/] },
    action: both(/./),
  },
  { path: "tools", sees: both([/Servers|servers/]), action: both(/./) },
  { path: "events", sees: both([/node\.started/, /service\.ready/]), action: both(/./) },
  { path: "runbook", sees: both([/run/i]), action: both(/./) },
  { path: "keys", sees: both([/key/i]), action: both(/./) },
];
