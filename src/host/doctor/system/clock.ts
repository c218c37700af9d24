import type { Check, Finding, HostView } from "../check.ts";

const ID = "system.clock";
/** Seconds that a host's clock may differ before certificates and tokens notice. */
const MOST_SKEW = 30;

/** Whether the clock is kept right by somebody, and for another machine whether it is. */
export const clock: Check = {
  id: ID,
  title: "Clock",
  async look({ view, now }): Promise<readonly Finding[]> {
    const skew = view.kind === "ssh" ? await skewOf(view, now) : undefined;
    if (skew !== undefined && Math.abs(skew) > MOST_SKEW)
      return [
        finding(
          "error",
          `the clock is ${Math.abs(skew)} s ${skew > 0 ? "ahead of" : "behind"} this machine's`,
        ),
      ];
    const kept = (await byTimedatectl(view)) ?? (await byChrony(view));
    if (kept === undefined)
      return [
        {
          check: ID,
          state: "unknown",
          seen: "neither timedatectl nor chronyc tells whether the clock is synchronised",
        },
      ];
    if (kept) return [{ check: ID, state: "ok", seen: "the clock is synchronised" }];
    return [finding("warning", "the clock is not synchronised with any time server")];
  },
};

const finding = (state: "warning" | "error", seen: string): Finding => ({
  check: ID,
  state,
  seen,
  wanted: "a synchronised clock",
  why: "With a wrong clock certificates are not valid yet or no more, etcd and tokens fail, and logs of two machines cannot be compared.",
  remedy: "apt install chrony && systemctl enable --now chrony; then chronyc tracking",
});

async function byTimedatectl(view: HostView): Promise<boolean | undefined> {
  const said = await view.said(["timedatectl", "show", "--property=NTPSynchronized", "--value"]);
  const word = said.ended ? said.stdout.trim() : "";
  return word === "yes" ? true : word === "no" ? false : undefined;
}

async function byChrony(view: HostView): Promise<boolean | undefined> {
  const said = await view.said(["chronyc", "tracking"]);
  const status = said.ended ? /^Leap status\s*:\s*(.+)$/m.exec(said.stdout)?.[1]?.trim() : undefined;
  return status === undefined ? undefined : status !== "Not synchronised";
}

/** Seconds by which the host's clock is ahead of `now`. */
async function skewOf(view: HostView, now: number): Promise<number | undefined> {
  const said = await view.said(["date", "+%s"]);
  const seconds = said.ended ? Number(said.stdout.trim() || Number.NaN) : Number.NaN;
  return Number.isInteger(seconds) ? seconds - Math.round(now / 1000) : undefined;
}
