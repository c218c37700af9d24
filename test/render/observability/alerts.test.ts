import { beforeAll, describe, expect, it } from "vitest";
import type { Deployment } from "../../../src/deployment/index.ts";
import { promDuration } from "../../../src/render/escape/promql.ts";
import { referenceDeployment } from "../deployments.ts";
import { hasPromtool, skipped, testAlerts } from "./promtool.ts";
import { fileOf, rulesOf, vllmDeployment } from "./rendered-files.ts";

let vllm: Deployment;
let workstation: Deployment;
let bunker: Deployment;
beforeAll(async () => {
  vllm = await vllmDeployment();
  workstation = await referenceDeployment("workstation");
  bunker = await referenceDeployment("concrete-bunker.fixed");
});

describe("alerts of an engine", () => {
  const up = 'up{service="chat"}';
  it.skipIf(!hasPromtool)(`fire on what they are about and on nothing else${skipped}`, () => {
    const load = vllm.services[0]?.loadTimeout ?? 0;
    const minutes = Math.ceil(load / 60_000);
    expect(promDuration(load)).toBe(`${minutes}m`);
    const alive = { [up]: "1x200" };
    const told = testAlerts(fileOf(vllm, "alerts.yaml"), [
      { alert: "EngineDown", series: { [up]: "1x20 0x20" }, at: "30m", fires: true },
      { alert: "EngineDown", series: { [up]: "1x20 0x3 1x20" }, at: "30m", fires: false },
      // It loads: it never answered yet.
      { alert: "EngineDown", series: { [up]: "0x60" }, at: "30m", fires: false },
      { alert: "EngineNotStarting", series: { [up]: "0x200" }, at: `${minutes + 2}m`, fires: true },
      {
        alert: "EngineNotStarting",
        series: { [up]: `0x${minutes - 2} 1x200` },
        at: `${minutes + 2}m`,
        fires: false,
      },
      {
        alert: "EngineNotStarting",
        series: { 'up{service="other"}': "1x200" },
        at: `${minutes + 2}m`,
        fires: true,
      },
      { alert: "EngineRestarting", series: { [up]: "1 1 0 1 1 0 1 1 0 1 1 1 1" }, at: "12m", fires: true },
      { alert: "EngineRestarting", series: { [up]: "1x5 0 1x20" }, at: "20m", fires: false },
      {
        alert: "KvCacheNearlyFull",
        series: { ...alive, 'vllm:kv_cache_usage_perc{service="chat"}': "0.97x30" },
        at: "20m",
        fires: true,
      },
      {
        alert: "KvCacheNearlyFull",
        series: { ...alive, 'vllm:gpu_cache_usage_perc{service="chat"}': "0.97x30" },
        at: "20m",
        fires: true,
      },
      {
        alert: "KvCacheNearlyFull",
        series: { ...alive, 'vllm:kv_cache_usage_perc{service="chat"}': "0.97x5 0.5x30" },
        at: "20m",
        fires: false,
      },
      {
        alert: "RequestsPreempted",
        series: { ...alive, 'vllm:num_preemptions_total{service="chat"}': "0+5x60" },
        at: "45m",
        fires: true,
      },
      {
        alert: "RequestsPreempted",
        series: { ...alive, 'vllm:num_preemptions_total{service="chat"}': "7x60" },
        at: "45m",
        fires: false,
      },
      {
        alert: "QueueNotDraining",
        series: { ...alive, 'vllm:num_requests_waiting{service="chat"}': "0+100x60" },
        at: "40m",
        fires: true,
      },
      {
        alert: "QueueNotDraining",
        series: { ...alive, 'vllm:num_requests_waiting{service="chat"}': "5000-50x60" },
        at: "40m",
        fires: false,
      },
      // Full and up and down a little: it cannot grow any more.
      {
        alert: "QueueNotDraining",
        series: {
          ...alive,
          'vllm:num_requests_waiting{service="chat"}':
            "0x5 6000 5900 6000 5950 6000 5880 6000 5900 6000 6000 5900 5950 6000 5920 6000 5990 6000 5900 6000 5970",
        },
        at: "24m",
        fires: true,
      },
      {
        alert: "EngineStalled",
        series: {
          ...alive,
          'vllm:num_requests_running{service="chat"}': "3x60",
          'vllm:generation_tokens_total{service="chat"}': "900x60",
        },
        at: "30m",
        fires: true,
      },
      {
        alert: "EngineStalled",
        series: {
          ...alive,
          'vllm:num_requests_running{service="chat"}': "3x60",
          'vllm:generation_tokens_total{service="chat"}': "0+100x60",
        },
        at: "30m",
        fires: false,
      },
      {
        alert: "EngineStalled",
        series: {
          ...alive,
          'vllm:num_requests_running{service="chat"}': "0x60",
          'vllm:generation_tokens_total{service="chat"}': "900x60",
        },
        at: "30m",
        fires: false,
      },
    ]);
    expect([told.code, told.said]).toEqual([0, expect.stringContaining("SUCCESS")]);
  });

  it.skipIf(!hasPromtool)(
    `are shown to be able to fail: a case that is wrong is told as wrong${skipped}`,
    () => {
      const told = testAlerts(fileOf(vllm, "alerts.yaml"), [
        { alert: "EngineDown", series: { [up]: "1x200" }, at: "60m", fires: true },
      ]);
      expect([told.code, told.said]).toEqual([1, expect.stringContaining("FAILED")]);
    },
  );
});

describe("services that take turns", () => {
  it.skipIf(!hasPromtool)(`are no outage while one of them is up${skipped}`, () => {
    const [chat] = vllm.services;
    if (chat === undefined) throw new Error("no service");
    const turns = ["chat", "code"].map((name, index) => ({
      ...chat,
      name,
      turns: { set: "big", standing: index === 0 },
    }));
    const rules = fileOf({ ...vllm, services: turns }, "alerts.yaml");
    expect(rules).not.toMatch(/EngineDown|EngineNotStarting|EngineRestarting/);
    const told = testAlerts(rules, [
      { alert: "NobodyOnTurn", series: { 'up{service="code"}': "1x90" }, at: "80m", fires: false },
      { alert: "NobodyOnTurn", series: { 'up{service="code"}': "0x90" }, at: "80m", fires: true },
      { alert: "NobodyOnTurn", series: { 'up{service="other"}': "1x90" }, at: "80m", fires: true },
    ]);
    expect([told.code, told.said]).toEqual([0, expect.stringContaining("SUCCESS")]);
  });
});

describe("alerts of the gateway", () => {
  it.skipIf(!hasPromtool)(
    `fire when the budget burns in both windows, and when nobody serves${skipped}`,
    () => {
      const requests = (good: string, bad: string): Readonly<Record<string, string>> => ({
        'omni_requests_total{omni_service="a",code="200"}': good,
        'omni_requests_total{omni_service="a",code="502"}': bad,
      });
      const slow = {
        'omni_time_to_first_token_seconds_bucket{omni_service="a",le="10"}': "0+1x60",
        'omni_time_to_first_token_seconds_bucket{omni_service="a",le="60"}': "0+10x60",
        'omni_time_to_first_token_seconds_bucket{omni_service="a",le="+Inf"}': "0+10x60",
      };
      const quick = {
        ...slow,
        'omni_time_to_first_token_seconds_bucket{omni_service="a",le="10"}': "0+10x60",
      };
      const told = testAlerts(fileOf(vllm, "alerts.yaml"), [
        { alert: "GatewayDown", series: { omni_other: "1x20" }, at: "10m", fires: true },
        { alert: "GatewayDown", series: { 'omni_build_info{version="1"}': "1x20" }, at: "10m", fires: false },
        { alert: "FirstTokenSlow", series: slow, at: "40m", fires: true },
        { alert: "FirstTokenSlow", series: quick, at: "40m", fires: false },
      ]);
      expect([told.code, told.said]).toEqual([0, expect.stringContaining("SUCCESS")]);
      const burns = rulesOf(vllm).filter(({ alert }) => alert === "ErrorBudgetBurn");
      expect(burns.map(({ labels }) => labels["severity"])).toEqual(["page", "ticket"]);
      // Both rules have one name: with a fifth of all requests failing both fire, with 8 % the slow one alone.
      const burning = testAlerts(
        fileOf(vllm, "alerts.yaml").replaceAll(
          /alert: ErrorBudgetBurn(\n.*\n[^-]*severity: page)/g,
          "alert: FastBurn$1",
        ),
        [
          { alert: "FastBurn", series: requests("0+80x400", "0+20x400"), at: "370m", fires: true },
          { alert: "ErrorBudgetBurn", series: requests("0+80x400", "0+20x400"), at: "370m", fires: true },
          { alert: "FastBurn", series: requests("0+92x400", "0+8x400"), at: "370m", fires: false },
          { alert: "ErrorBudgetBurn", series: requests("0+92x400", "0+8x400"), at: "370m", fires: true },
          { alert: "ErrorBudgetBurn", series: requests("0+99x400", "0+0.5x400"), at: "370m", fires: false },
          // An hour of failures that is over: the short windows are quiet again.
          { alert: "FastBurn", series: requests("0+80x400", "0+20x300 6000x100"), at: "370m", fires: false },
        ],
        "5m",
      );
      expect([burning.code, burning.said]).toEqual([0, expect.stringContaining("SUCCESS")]);
    },
  );
});

describe("alerts of cards and hosts", () => {
  const CARD = 'UUID="GPU-11111111-2222-3333-4444-555555555555",modelName="RTX"';
  const dcgm = (metric: string, values: string): Readonly<Record<string, string>> => ({
    [`DCGM_FI_DEV_${metric}{${CARD}}`]: values,
  });
  it.skipIf(!hasPromtool)(
    `by dcgm-exporter: headroom in MiB, Xids by what they ask for, lost cards${skipped}`,
    () => {
      const told = testAlerts(fileOf(vllm, "alerts.yaml"), [
        { alert: "VramHeadroomLow", series: dcgm("FB_FREE", "1000x20"), at: "10m", fires: true },
        { alert: "VramHeadroomLow", series: dcgm("FB_FREE", "1025x20"), at: "10m", fires: false },
        { alert: "XidNodeRestart", series: dcgm("XID_ERRORS", "0x5 79x20"), at: "10m", fires: true },
        { alert: "XidCardReset", series: dcgm("XID_ERRORS", "0x5 79x20"), at: "10m", fires: false },
        { alert: "XidCardReset", series: dcgm("XID_ERRORS", "0x5 119x20"), at: "10m", fires: true },
        { alert: "XidProgramFault", series: dcgm("XID_ERRORS", "0x5 31x60"), at: "10m", fires: true },
        { alert: "XidProgramFault", series: dcgm("XID_ERRORS", "0x5 31x60"), at: "40m", fires: false },
        { alert: "XidProgramFault", series: dcgm("XID_ERRORS", "0x5 43x60"), at: "10m", fires: false },
        { alert: "CardHot", series: dcgm("GPU_TEMP", "92x20"), at: "15m", fires: true },
        { alert: "CardHot", series: dcgm("GPU_TEMP", "92x5 80x20"), at: "15m", fires: false },
        { alert: "CardLost", series: dcgm("FB_FREE", "5000x5 stale"), at: "20m", fires: true },
        { alert: "CardLost", series: dcgm("FB_FREE", "5000x30"), at: "20m", fires: false },
      ]);
      expect([told.code, told.said]).toEqual([0, expect.stringContaining("SUCCESS")]);
    },
  );

  it.skipIf(!hasPromtool)(
    `by Omni on the machine itself, and by node-exporter beside Docker${skipped}`,
    () => {
      const own = workstation;
      const GIB = 2 ** 30;
      const told = testAlerts(fileOf(own, "alerts.yaml"), [
        {
          alert: "VramHeadroomLow",
          series: { 'omni_gpu_memory_free_bytes{gpu="card"}': `${GIB - 1}x20` },
          at: "10m",
          fires: true,
        },
        {
          alert: "VramHeadroomLow",
          series: { 'omni_gpu_memory_free_bytes{gpu="card"}': `${GIB}x20` },
          at: "10m",
          fires: false,
        },
        {
          alert: "DiskNearlyFull",
          series: { 'omni_disk_free_bytes{disk="d",mount="/"}': `${GIB}x30` },
          at: "20m",
          fires: true,
        },
        {
          alert: "EngineRestarting",
          series: {
            [`omni_service_restarts_total{omni_service="${own.services[0]?.name ?? ""}"}`]:
              "0 0 1 2 3 4 5x30",
          },
          at: "20m",
          fires: true,
        },
      ]);
      expect([told.code, told.said]).toEqual([0, expect.stringContaining("SUCCESS")]);
      const disk = 'node_filesystem_avail_bytes{mountpoint="/data",fstype="xfs"}';
      const docker = testAlerts(fileOf(bunker, "alerts.yaml"), [
        {
          alert: "DiskNearlyFull",
          series: { [disk]: `${GIB}x30`, [disk.replace("avail", "size")]: `${900 * GIB}x30` },
          at: "20m",
          fires: true,
        },
        // It never had as much free as is asked for.
        {
          alert: "DiskNearlyFull",
          series: { [disk]: `${GIB}x30`, [disk.replace("avail", "size")]: `${8 * GIB}x30` },
          at: "20m",
          fires: false,
        },
        {
          alert: "DiskNearlyFull",
          series: { 'node_filesystem_avail_bytes{mountpoint="/run",fstype="tmpfs"}': "1x30" },
          at: "20m",
          fires: false,
        },
        { alert: "DiskFilling", series: { [disk]: `${900 * GIB}-${GIB}x600` }, at: "480m", fires: true },
        { alert: "DiskFilling", series: { [disk]: `${900 * GIB}x600` }, at: "480m", fires: false },
        {
          alert: "MemoryHeadroomLow",
          series: { node_memory_MemAvailable_bytes: "1000x30" },
          at: "20m",
          fires: true,
        },
      ]);
      expect([docker.code, docker.said]).toEqual([0, expect.stringContaining("SUCCESS")]);
    },
  );
});
