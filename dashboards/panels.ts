// Grafana's form of a dashboard. In: rows of panels, each a title, queries and a unit. Out: the JSON model that Grafana imports.

export interface Query {
  readonly expr: string;
  readonly legend?: string;
}

export interface Panel {
  readonly title: string;
  readonly queries: readonly Query[];
  readonly kind?: "timeseries" | "stat" | "table";
  /** Grafana's name: reqps, s, percentunit, short, bytes. */
  readonly unit?: string;
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  /** Names of labels that can be chosen, with the metric that has them. */
  readonly variables: readonly { readonly name: string; readonly metric: string }[];
  readonly rows: readonly (readonly Panel[])[];
}

const WIDTH = 24;
const HEIGHT = 8;
const datasource = { type: "prometheus", uid: "${datasource}" };

/** Panels of a row share its width. */
export function grafana({ uid, title, variables, rows }: Dashboard): object {
  let id = 0;
  return {
    uid,
    title,
    tags: ["parley"],
    schemaVersion: 39,
    editable: true,
    refresh: "30s",
    time: { from: "now-1h", to: "now" },
    templating: {
      list: [
        { name: "datasource", type: "datasource", query: "prometheus", label: "Data source" },
        ...variables.map(({ name, metric }) => ({
          name,
          type: "query",
          datasource,
          query: `label_values(${metric}, ${name})`,
          refresh: 2,
          includeAll: true,
          allValue: ".*",
          multi: true,
          current: { text: "All", value: "$__all" },
        })),
      ],
    },
    panels: rows.flatMap((row, at) =>
      row.map((panel, index) => {
        const width = Math.floor(WIDTH / row.length);
        return model(panel, ++id, { x: index * width, y: at * HEIGHT, w: width, h: HEIGHT });
      }),
    ),
  };
}

function model({ title, queries, kind = "timeseries", unit = "short" }: Panel, id: number, gridPos: object): object {
  return {
    id,
    type: kind,
    title,
    gridPos,
    datasource,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: queries.map(({ expr, legend = "" }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource,
      expr,
      legendFormat: legend,
      exemplar: expr.includes("_bucket"),
      ...(kind === "timeseries" ? {} : { instant: true, format: kind === "table" ? "table" : "time_series" }),
    })),
  };
}
