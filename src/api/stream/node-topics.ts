import type { StreamSources } from "./stream-sources.ts";
import type { Topic } from "./topic.ts";
import { messageText } from "./topic.ts";

/** The whole node: whenever routes, findings, the URL or the end of the node came. */
export function statusTopic({ status, frame }: StreamSources): Topic {
  let known: string | undefined;
  const whole: Topic["whole"] = async () => ({ text: messageText("status", await status()) });
  return {
    name: "status",
    news() {
      const now = JSON.stringify(frame());
      const before = known;
      known = now;
      return before === undefined || before === now ? undefined : whole(undefined);
    },
    whole,
  };
}

/** Services that changed, with what they were asked for, and those that are gone. */
export function servicesTopic({ services, traffic, events }: StreamSources): Topic {
  const known = new Map<string, string>();
  const asked = new Map<string, string>();
  /** All that were ever gone: who lost a message has to hear of each. */
  const gone = new Set<string>();
  return {
    name: "services",
    open(changed) {
      return events.subscribe(({ service }) => {
        if (service !== undefined) changed();
      });
    },
    async news() {
      const views = services();
      const names = new Set(views.map(({ name }) => name));
      const fresh = views.filter((view) => replaced(known, view.name, view));
      const left = [...known.keys()].filter((name) => !names.has(name));
      for (const name of left) {
        known.delete(name);
        gone.add(name);
      }
      for (const name of names) gone.delete(name);
      const busy = Object.entries(await traffic()).filter(([name, counts]) => replaced(asked, name, counts));
      if (fresh.length + left.length + busy.length === 0) return undefined;
      return {
        text: messageText("services", { services: fresh, gone: left, traffic: Object.fromEntries(busy) }),
      };
    },
    whole: async () => ({
      text: messageText("services", { services: services(), gone: [...gone], traffic: await traffic() }),
    }),
  };
}

/** Whether it is another one than was known under this name, which it is from now on. */
function replaced(known: Map<string, string>, name: string, value: unknown): boolean {
  const written = JSON.stringify(value);
  if (known.get(name) === written) return false;
  known.set(name, written);
  return true;
}

/** The newest look at cards and machine, with each look of the watch. */
export function hardwareTopic({ hardware, onReading }: StreamSources): Topic {
  let seen = false;
  const whole: Topic["whole"] = () => ({ text: messageText("hardware", hardware()) });
  return {
    name: "hardware",
    open: (changed) =>
      onReading(() => {
        seen = true;
        changed();
      }),
    news() {
      const fresh = seen;
      seen = false;
      return fresh ? whole(undefined) : undefined;
    },
    whole,
  };
}
