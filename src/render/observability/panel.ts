/** A panel of Grafana as its schema 39 reads it; what is left out is Grafana's default. */
export interface Panel {
  readonly id: number;
  readonly type: "timeseries" | "stat" | "row";
  readonly title: string;
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly [key: string]: unknown;
}

/** One line of a panel: an expression and how its series are called. */
export interface Line {
  readonly expr: string;
  readonly legend: string;
}

/** A panel that is not placed yet. */
export interface Draft {
  readonly title: string;
  readonly about: string;
  readonly unit: string;
  readonly lines: readonly Line[];
  readonly type?: "timeseries" | "stat";
  readonly max?: number;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Draft[];
}

const DATASOURCE = { type: "prometheus", uid: "${datasource}" } as const;
const WIDTH = 24;
const HEIGHT = 8;

/** Rows of panels, three a line, numbered in order: the same dashboard gives the same ids. */
export function placed(rows: readonly Row[]): readonly Panel[] {
  const panels: Panel[] = [];
  let y = 0;
  for (const { title, panels: drafts } of rows) {
    panels.push({
      id: panels.length + 1,
      type: "row",
      title,
      gridPos: { h: 1, w: WIDTH, x: 0, y },
      collapsed: false,
      panels: [],
    });
    y += 1;
    const width = WIDTH / Math.min(3, Math.max(1, drafts.length));
    for (const [index, draft] of drafts.entries()) {
      const x = (index % 3) * width;
      panels.push(
        panel(draft, panels.length + 1, { h: HEIGHT, w: width, x, y: y + Math.floor(index / 3) * HEIGHT }),
      );
    }
    y += Math.ceil(drafts.length / 3) * HEIGHT;
  }
  return panels;
}

const panel = (draft: Draft, id: number, gridPos: Panel["gridPos"]): Panel => ({
  id,
  type: draft.type ?? "timeseries",
  title: draft.title,
  description: draft.about,
  datasource: DATASOURCE,
  gridPos,
  targets: draft.lines.map(({ expr, legend }, index) => ({
    refId: String.fromCodePoint(65 + (index % 26)),
    datasource: DATASOURCE,
    expr,
    legendFormat: legend,
    range: true,
  })),
  fieldConfig: {
    defaults: { unit: draft.unit, min: 0, ...(draft.max === undefined ? {} : { max: draft.max }) },
    overrides: [],
  },
  options: {
    legend: { displayMode: "list", placement: "bottom", showLegend: true },
    tooltip: { mode: "multi" },
  },
});
