import { subject } from "./embedded-subject.ts";
import { runtimeContract } from "./runtime.ts";

runtimeContract(subject, new URL("embedded-subject.ts", import.meta.url).href);
