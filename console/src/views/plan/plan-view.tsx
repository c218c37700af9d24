import { lazy, Suspense } from "react";
import { hashTo, useHashRoute } from "../../app/hash-route.ts";
import { Failure } from "../../parts/failure.tsx";
import { Loading } from "../../parts/loading.tsx";
import { SubViews } from "../../parts/sub-views.tsx";
import type { RunningPlan } from "./plan-types.ts";
import { RunningPlanPanels } from "./running-plan.tsx";
import { useRunningPlan } from "./use-running-plan.ts";
import "./plan.css";

/** Reads YAML, which nobody needs who only looks. */
const Planner = lazy(async () => ({ default: (await import("./planner/planner.tsx")).Planner }));

/** What the node decided to run, why, and what else it could. */
export function PlanView() {
  const { value, error, again } = useRunningPlan();
  const trying = useHashRoute().rest[0] === "try";
  if (value === undefined)
    return error === undefined ? <Loading what="the plan" /> : <Failure error={error} again={again} />;
  return (
    <>
      <h1>Plan</h1>
      <p className="quiet">{summaryOf(value)}</p>
      <SubViews
        label="Plan"
        of={[
          { name: "As it runs", href: hashTo("plan"), current: !trying },
          { name: "Try changes", href: hashTo("plan", ["try"]), current: trying },
        ]}
      />
      {trying ? (
        <Suspense fallback={<Loading what="the planner" />}>
          <Planner running={value} />
        </Suspense>
      ) : (
        <RunningPlanPanels running={value} />
      )}
    </>
  );
}

function summaryOf({ origin, plan }: RunningPlan): string {
  const refused = plan.rejected.filter(({ alternative }) => alternative !== true).length;
  const parts = [
    `From ${origin}`,
    `${plan.services.length} ${plan.services.length === 1 ? "service" : "services"} planned`,
    ...(refused === 0 ? [] : [`${refused} refused`]),
  ];
  return parts.join(" · ");
}
